/**
 * Tells password managers, in a form with a password alone, whose password it is. People see nothing of it.
 */

import type { User } from '@vestibule/client';

export function WhosePassword({ user }: { user: User }) {
  return <input type="text" autoComplete="username" value={user.email} readOnly hidden />;
}
