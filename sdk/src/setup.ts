/**
 * `@vestibule/client/setup`: the account of the first administrator, which one page of a site needs once in its life.
 * What a login does to the session is the client's to know.
 */

import { insidesOf } from './insides.ts';
import type { Auth, SetUp, User } from './types.ts';

export type { SetUp } from './types.ts';

/** Makes the first administrator and opens a session. A code that is not, or no longer, good is `setup_refused`. */
export function setUp(auth: Auth, account: SetUp): Promise<User> {
  return insidesOf(auth).enter('/api/auth/setup', account);
}
