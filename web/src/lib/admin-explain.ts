/**
 * Why something that an admin wanted was refused, in words for somebody whose account it is not.
 */

import { AuthError } from '@vestibule/client';
import { adminWords } from '../words/admin.ts';
import { ADMIN, type AdminUser } from './admin.ts';
import { type Explanation, explain } from './explain.ts';

/** Explains what was refused about `user`, or about one who is yet to be added. */
export function explainToAdmin(failure: unknown, known: readonly string[], user?: AdminUser): Explanation {
  const words = adminWords();
  switch (failure instanceof AuthError && failure.code) {
    case 'email_taken':
      return taken(failure, known, 'email', user?.status === 'deleted' ? words.restoreEmailTaken : words.emailTaken);
    case 'username_taken':
      return taken(
        failure,
        known,
        'username',
        user?.status === 'deleted' ? words.restoreUsernameTaken : words.usernameTaken,
      );
    case 'conflict':
      return { summary: conflictOf(user), fields: {} };
    case 'forbidden':
      return { summary: words.noAdminAnyMore, fields: {} };
    case 'not_found':
      return { summary: words.goneMeanwhile, fields: {} };
    default:
      return explain(failure, known);
  }
}

/** Which of the things that stand in the way it is, by what the user was when the page was last told. */
function conflictOf(user?: AdminUser): string {
  const words = adminWords();
  if (user?.status === 'deleted') return words.beingRemoved;
  return user?.roles.includes(ADMIN) ? words.lastAdmin : words.deletedMeanwhile;
}

/** Where there is no field of that name, the whole is refused. */
function taken(failure: unknown, known: readonly string[], field: string, sentence: string): Explanation {
  const { summary } = explain(failure, known);
  return known.includes(field) ? { summary, fields: { [field]: sentence } } : { summary: sentence, fields: {} };
}
