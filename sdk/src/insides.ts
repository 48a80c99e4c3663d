/**
 * What lies behind a client, for the library's other entry points, so that the client itself stays small. Which client
 * a caller holds is theirs to say; nothing here is part of the public surface.
 */

import type { Session } from './session.ts';
import type { Auth, User } from './types.ts';

export interface Insides {
  readonly session: Session;
  /** Sends what opens a session; the answer becomes the session of this client. */
  enter(path: string, body: object): Promise<User>;
  /** Runs `work` when the logins and logouts before it are done. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

const insides = new WeakMap<Auth, Insides>();

export function keepInsides(auth: Auth, parts: Insides): void {
  insides.set(auth, parts);
}

export function insidesOf(auth: Auth): Insides {
  const parts = insides.get(auth);
  if (!parts) throw new TypeError('This is no client made by createAuth.');
  return parts;
}
