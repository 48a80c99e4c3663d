/**
 * What to call somebody, by what they have told.
 */

import type { User } from '@vestibule/client';

export function nameOf({ name, username, email }: Pick<User, 'name' | 'username' | 'email'>): string {
  return name ?? username ?? email;
}
