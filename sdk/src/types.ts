/**
 * The shapes that cross the library's border: what the server answers, what a caller passes in and gets back.
 * Behaviour lives in client.ts and session.ts, failures in errors.ts.
 */

import type { AuthError } from './errors.ts';
import type { components, operations } from './openapi.ts';

/** A shape of the server's description, by its name there: `Schema<'AdminUser'>`. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

/** An account as the server shows it to its owner. Times are RFC 3339 in UTC. */
export type User = Schema<'User'>;
/** What a registration asks for; a name that is left out, or empty, is none. */
export type SignUp = Body<'Registration'>;
/** What a login asks for; `login` is the e-mail address or the username. */
export type SignIn = Body<'Login'>;
/** The account of the first administrator, with the code from the link that the server gave at its start. */
export type SetUp = Body<'FirstAdmin'>;
/** What to change; a field that is left out stays as it is, `null` takes a name away. */
export type ProfileChange = Body<'ProfileChange'>;
export type PasswordChange = Body<'PasswordChange'>;
/** A device that the user is signed in with. */
export type OpenSession = Schema<'Session'>;
export type Todo = Schema<'Todo'>;
export type NewTodo = Body<'NewTodo'>;
/** What to change; a field that is left out stays as it is, `null` clears it. */
export type TodoChange = Body<'TodoChange'>;
/** One page of todos, and how many the whole list has. */
export type TodoList = Schema<'TodoList'>;
/** Which todos, in which order, and how many of them. */
export type TodoQuery = Given<NonNullable<operations['list_todos']['parameters']['query']>>;
/** What the list tells of a document. */
export type DocumentEntry = Schema<'DocumentEntry'>;

/** Something as it was when its `ETag` was this one, which a later change can name. */
export type Versioned<T> = T & { readonly etag: string };

/** Refuses a change, with `precondition_failed`, that is meant for another version than the server's. */
export interface Condition {
  /** The `etag` of the version that was seen; `*` for whichever there is. */
  ifMatch?: string;
  /** `*`: only where there is none yet. */
  ifNoneMatch?: string;
}

/** What a request sends; the mode is the client's to choose. */
type Body<Name extends keyof components['schemas']> = Given<Omit<Schema<Name>, 'mode'>>;

/** What may be left out may be `undefined` as well: JSON and addresses make no difference. */
type Given<T> = { readonly [K in keyof T]: T extends Record<K, unknown> ? T[K] : T[K] | undefined };

/** What a server answer that opens or renews a session holds; which fields depends on the mode. */
export type SessionAnswer = Schema<'CookieSession'> &
  Partial<Pick<Schema<'TokenSession'>, 'access_token' | 'refresh_token'>>;

/** Which sessions of the user a sign-out ends: this one, all but this one, or all. */
export type SignOutScope = 'local' | 'others' | 'global';

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
  /** The page to log in on, where a session that ended by itself leads. `null`: nobody is sent anywhere. Default `/login`. */
  loginPath?: string | null;
  /** Where a login leads that no other page has asked for. Default `/dashboard`. */
  afterLogin?: string;
  /** Goes to a path of this origin, as a router does. Default: the browser loads it. */
  navigate?: (path: string) => void;
}

/** The client made by `createAuth`. Every method that asks the server throws `AuthError` when the answer is no. */
export interface Auth {
  /** The current picture; the same object until something changes. */
  getState(): AuthState;
  /** The picture before anything was asked, always the same: for rendering on a server, and for hydrating there. */
  getServerSnapshot(): AuthState;
  /** Calls `listener` after every change until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Settles once the stored session is confirmed or known to be absent; never throws, see `AuthState.status`. */
  ready(): Promise<AuthState>;
  signUp(account: SignUp): Promise<User>;
  signIn(credentials: SignIn): Promise<User>;
  /**
   * Ends this session (`local`, the default), every other one, or all of them. The held tokens are forgotten before
   * the server is told, whatever the network does. A cookie can be ended by the server alone: in cookie mode a failure
   * leaves the session signed in, and throws.
   */
  signOut(options?: { scope?: SignOutScope }): Promise<void>;
  /**
   * Changes the password, which ends every session of the user. This client is given a new one, in all its tabs. A
   * wrong current password is `invalid_credentials`, and counts as a failed login.
   */
  changePassword(change: PasswordChange): Promise<User>;
  readonly profile: {
    /** The user's profile, as the server holds it now. */
    get(): Promise<User>;
    /**
     * Changes the profile; `getState().user` is the new one before this settles. A wrong current password is
     * `invalid_credentials`, and counts as a failed login.
     */
    update(change: ProfileChange): Promise<User>;
    /** Deletes the account and ends every session of it, this one included. */
    delete(proof: { current_password: string }): Promise<void>;
    /** Everything that is held about the user, as one JSON file to keep. */
    export(): Promise<Blob>;
  };
  readonly sessions: {
    /** Where the user is signed in, the last used first. */
    list(): Promise<readonly OpenSession[]>;
    /** Ends one session of the user. For the one of this client call `signOut()`. */
    end(id: string): Promise<void>;
    /** Ends every session of the user but this one. */
    endOthers(): Promise<void>;
  };
  readonly todos: {
    list(query?: TodoQuery): Promise<TodoList>;
    get(id: string): Promise<Versioned<Todo>>;
    create(todo: NewTodo): Promise<Versioned<Todo>>;
    update(id: string, change: TodoChange, condition?: Condition): Promise<Versioned<Todo>>;
    remove(id: string, condition?: Condition): Promise<void>;
  };
  /** The user's own JSON documents, each under a key. */
  readonly data: {
    list(): Promise<readonly DocumentEntry[]>;
    /** The document and its version; `null` where there is none. */
    get<T = unknown>(key: string): Promise<Versioned<{ readonly value: T }> | null>;
    /** Keeps `value` under `key`; answers the new version's `ETag`. */
    set(key: string, value: unknown, condition?: Condition): Promise<string>;
    remove(key: string, condition?: Condition): Promise<void>;
  };
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
  /** Sends the visitor to `loginPath` with this page as `next`, unless that is where they are. */
  toLogin(): void;
  /** Where to go after a login: `next` of the address, where it is a path of this origin, else `afterLogin`. */
  nextPath(): string;
  /** Stops listening and drops whatever still arrives, as if nothing had been loaded; `ready()` begins again. */
  dispose(): void;
}
