/**
 * `@vestibule/client/account`: what users do with an account of their own, as functions over a client, so that a page
 * pays for those alone that it uses. What a call means for the session is decided in session.ts.
 */

import { insidesOf } from './insides.ts';
import type { Auth, SignUp, User } from './types.ts';

/** A device that the user is signed in with. Times are RFC 3339 in UTC. */
export interface OpenSession {
  readonly id: string;
  readonly kind: 'token' | 'cookie';
  /** The `User-Agent` that opened it. */
  readonly device: string | null;
  /** The network address that opened it. */
  readonly address: string | null;
  readonly created_at: string;
  /** Exact to five minutes. */
  readonly last_used_at: string;
  /** When it ends if it is not used again. */
  readonly expires_at: string;
  /** Whether it is the session of this client. */
  readonly current: boolean;
}

/** What to change; a field that is left out stays as it is. */
export interface ProfileChange {
  email?: string;
  /** `null` takes the username away. */
  username?: string | null;
  /** `null` takes the name away. */
  name?: string | null;
  /** Needed to change `email` or `username`. */
  current_password?: string;
}

export interface PasswordChange {
  current_password: string;
  new_password: string;
}

/** The account of the first administrator, with the code from the link that the server gave at its start. */
export interface SetUp extends SignUp {
  code: string;
}

const PROFILE = '/api/user/profile';
const SESSIONS = '/api/auth/sessions';

/** The user's profile, as the server holds it now. */
export function getProfile(auth: Auth): Promise<User> {
  return insidesOf(auth).session.learn(PROFILE, { method: 'GET' });
}

/**
 * Changes the profile; `getState().user` is the new one before this settles. A wrong current password is
 * `invalid_credentials`, and counts as a failed login.
 */
export function updateProfile(auth: Auth, change: ProfileChange): Promise<User> {
  return insidesOf(auth).session.learn(PROFILE, { method: 'PATCH', body: change });
}

/**
 * Changes the password, which ends every session of the user. This client is given a new one, in all its tabs. A wrong
 * current password is `invalid_credentials`, and counts as a failed login.
 */
export function changePassword(auth: Auth, change: PasswordChange): Promise<User> {
  const { session, inTurn } = insidesOf(auth);
  return inTurn(() => session.exchange('/api/auth/password', change));
}

/** Where the user is signed in, the last used first. */
export async function listSessions(auth: Auth): Promise<readonly OpenSession[]> {
  const list = await insidesOf(auth).session.ask<{ items: OpenSession[] }>(SESSIONS, { method: 'GET' });
  return list.items;
}

/** Ends one session of the user. For the one of this client call `signOut()`. */
export function endSession(auth: Auth, id: string): Promise<void> {
  return insidesOf(auth).session.ask(`${SESSIONS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** Ends every session of the user but this one. */
export function endOtherSessions(auth: Auth): Promise<void> {
  return insidesOf(auth).session.ask(SESSIONS, { method: 'DELETE' });
}

/** Deletes the account and ends every session of it, this one included. */
export function deleteAccount(auth: Auth, proof: { current_password: string }): Promise<void> {
  const { session, inTurn } = insidesOf(auth);
  return inTurn(async () => {
    await session.ask(`${PROFILE}/delete`, { method: 'POST', body: proof });
    await session.forget();
  });
}

/** Makes the first administrator and opens a session. A code that is not, or no longer, good is `setup_refused`. */
export function setUp(auth: Auth, account: SetUp): Promise<User> {
  return insidesOf(auth).enter('/api/auth/setup', account);
}
