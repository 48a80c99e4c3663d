/**
 * Turns a failure into words and into the fields they belong to. The rules themselves (what is a good password, when
 * is it too often) are the server's; its sentences are shown as they come wherever it names a field.
 */

import { AuthError } from '@vestibule/client';

/** What a form says after a failed try. */
export interface Explanation {
  /** One sentence or two for the whole form. */
  summary: string;
  /** Sentences by field name, for the fields that the form has. */
  fields: Record<string, string>;
  /** Where to go on typing although no field by itself is wrong. */
  retype?: string;
  /** To quote to whoever runs the site. */
  reference?: string | null;
}

/** Explains `failure` to somebody who filled in the fields named `known`. */
export function explain(failure: unknown, known: readonly string[]): Explanation {
  if (!(failure instanceof AuthError)) return { summary: SOMETHING_WENT_WRONG, fields: {} };
  switch (failure.code) {
    case 'validation_failed':
      return explainFields(failure, known);
    case 'email_taken':
      return taken('email', 'This e-mail address already has an account. You can log in with it.', known);
    case 'username_taken':
      return taken('username', 'This username is taken. Please choose another.', known);
    case 'invalid_credentials':
      // Somebody who is signed in already, and proves it once more.
      if (known.includes('current_password'))
        return { summary: LOOK_BELOW, fields: { current_password: 'That is not your password. Please try again.' } };
      return {
        summary: 'That did not match. Check your e-mail or username, and your password.',
        fields: {},
        retype: 'password',
      };
    case 'rate_limited':
      return {
        summary: `That was tried too often. Please wait ${inWords(failure.retryAfter)}, then try again.`,
        fields: {},
      };
    case 'unavailable':
    case 'storage_full':
      return {
        summary: `The server is busy right now. Please try again in ${inWords(failure.retryAfter)}.`,
        fields: {},
      };
    case 'network_error':
      return { summary: 'The server could not be reached. Check your connection, then try again.', fields: {} };
    case 'conflict':
      return { summary: failure.message, fields: {} };
    case 'cross_origin_refused':
    case 'cookie_not_possible':
      return { summary: failure.message, fields: {}, reference: failure.requestId };
    default:
      return { summary: SOMETHING_WENT_WRONG, fields: {}, reference: failure.requestId };
  }
}

const SOMETHING_WENT_WRONG = 'Something went wrong, and it was not you. Please try again in a moment.';
const LOOK_BELOW = 'Almost there. Please look at what is marked below.';

/** What a form says when `fields` were left empty. */
export function explainMissing(fields: Record<string, string>): Explanation {
  return { summary: LOOK_BELOW, fields };
}

function explainFields(failure: AuthError, known: readonly string[]): Explanation {
  const fields: Record<string, string> = {};
  const elsewhere: string[] = [];
  for (const { field, message } of failure.errors) {
    if (known.includes(field)) fields[field] ??= message;
    else elsewhere.push(message);
  }
  const summary = elsewhere.join(' ') || (Object.keys(fields).length > 0 ? LOOK_BELOW : failure.message);
  return { summary, fields };
}

function taken(field: string, sentence: string, known: readonly string[]): Explanation {
  return known.includes(field)
    ? { summary: LOOK_BELOW, fields: { [field]: sentence } }
    : { summary: sentence, fields: {} };
}

/** A time to wait as people say it, rounded up so that nobody comes back too early. */
function inWords(seconds: number | null): string {
  if (seconds === null) return 'a moment';
  if (seconds < 100) return counted(Math.max(1, seconds), 'second');
  if (seconds < 5400) return counted(Math.ceil(seconds / 60), 'minute');
  return counted(Math.ceil(seconds / 3600), 'hour');
}

function counted(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
