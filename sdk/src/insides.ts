/**
 * What lies behind a client, for the library's other entry points, so that the client itself stays small. Which client
 * a caller holds is theirs to say; nothing here is part of the public surface.
 */

import type { Answered, Attempt } from './session.ts';
import type { Auth, User } from './types.ts';

export interface Insides {
  readonly server: string;
  /** `include` where the session is a cookie, which travels by itself then. */
  readonly credentials: RequestCredentials;
  /** Runs a request of the application with the session's token, and once more after a 401, unless its body `isSpent`. */
  authorized<T extends Answered>(request: Attempt<T>, isSpent: boolean): Promise<T>;
  /** Sends what is answered with a new session, and opens it. */
  enter(path: string, body: object): Promise<User>;
}

/** Under which a client has them, unseen by whoever lists its members. */
export const INSIDES: unique symbol = Symbol();

export function insidesOf(auth: Auth): Insides {
  const insides = (auth as Auth & { [INSIDES]?: Insides })[INSIDES];
  if (!insides) throw new TypeError('This is no client made by createAuth.');
  return insides;
}
