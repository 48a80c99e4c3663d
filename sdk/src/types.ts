/**
 * The shapes that cross the library's border: what the server answers, what a caller passes in and gets back.
 * Behaviour lives in client.ts and session.ts, failures in errors.ts.
 */

import type { AuthError } from './errors.ts';

/** An account as the server shows it to its owner. Times are RFC 3339 in UTC. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly username: string | null;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly email_verified: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Body of a registration. Leave an optional name out rather than sending it empty. */
export interface SignUp {
  email: string;
  password: string;
  username?: string | undefined;
  name?: string | undefined;
}

/** Body of a login; `login` is the e-mail address or the username. */
export interface SignIn {
  login: string;
  password: string;
}

/** What a server answer that opens or renews a session holds; which fields depends on the mode. */
export interface SessionAnswer {
  readonly user: User;
  /** Seconds until the access token, or in cookie mode the session, ends. */
  readonly expires_in: number;
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/**
 * - `loading`: the stored session has not been confirmed yet;
 * - `signed-in`, `signed-out`: the server, or a stored session while the server is out of reach, says so;
 * - `unknown`: the server could not be asked and nothing is stored, `error` tells why. Not a reason to send
 *   anybody to the login page: call `ready()` again.
 */
export type AuthStatus = 'loading' | 'signed-in' | 'signed-out' | 'unknown';

/** One immutable picture of the session; a change makes a new object, so identity tells whether it changed. */
export interface AuthState {
  readonly status: AuthStatus;
  readonly loggedIn: boolean;
  readonly loading: boolean;
  /** The access token, where one is held. Prefer `getToken()`, which renews it first when it is about to end. */
  readonly token: string | null;
  readonly user: User | null;
  /** The last failure that concerns the session itself; `null` again after the next success. */
  readonly error: AuthError | null;
}

/** Something happened to the session. `session-ended` was not asked for: it expired, was revoked, or was reused. */
export type AuthEvent =
  | { readonly type: 'signed-in'; readonly user: User }
  | { readonly type: 'refreshed' }
  | { readonly type: 'signed-out' }
  | { readonly type: 'session-ended'; readonly error: AuthError };

/** Where tokens rest: the three methods of the Web Storage API, which may also answer later (React Native). */
export interface KeyValueStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

export interface AuthOptions {
  /** The server's public URL. Default: the page's own origin. */
  baseUrl?: string;
  /**
   * `cookie` (default): the session is an HttpOnly cookie no script can read; same site as the server only.
   * `local` and `session` keep both tokens in that Web Storage, `memory` until the page is left.
   */
  storage?: 'cookie' | 'local' | 'session' | 'memory' | KeyValueStorage;
  /** Seconds before its end at which an access token is renewed. Default 30. */
  leeway?: number;
  /** Used for every request. Default: the global `fetch`, looked up at each call. */
  fetch?: typeof fetch;
  onEvent?: (event: AuthEvent) => void;
}

/** The client made by `createAuth`. Every method that asks the server throws `AuthError` when the answer is no. */
export interface Auth {
  /** The current picture; the same object until something changes. */
  getState(): AuthState;
  /** Calls `listener` after every change until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Settles once the stored session is confirmed or known to be absent; never throws, see `AuthState.status`. */
  ready(): Promise<AuthState>;
  signUp(account: SignUp): Promise<User>;
  signIn(credentials: SignIn): Promise<User>;
  /**
   * Ends this session on the server and here. Held tokens are forgotten first, whatever the network does. A cookie
   * can be ended by the server alone: in cookie mode a failure leaves the session signed in, and throws.
   */
  signOut(): Promise<void>;
  /** Renews the access token now; calls made meanwhile share the one request. */
  refresh(): Promise<void>;
  /** Asks the server who is signed in. */
  me(): Promise<User>;
  /** An access token with at least `minTtl` seconds left (default: `leeway`), renewed first where needed. */
  getToken(options?: { minTtl?: number }): Promise<string>;
  /**
   * `fetch` as the signed-in user. Relative addresses start at `baseUrl`; other origins get no credentials. A 401 is
   * repeated once, and only with a different token and a body that can be sent again; everything else is yours.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Stops listening to other tabs and drops whatever still arrives. */
  dispose(): void;
}
