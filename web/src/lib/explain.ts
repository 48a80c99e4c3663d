/**
 * Turns a failure into words and into the fields they belong to. The rules themselves (what is a good password, when
 * is it too often) are the server's, and so is what it says of a field; the catalogue puts that into the page's language.
 */

import { AuthError } from '@vestibule/client';
import { commonWords } from '../words/common.ts';

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
  const words = commonWords();
  if (!(failure instanceof AuthError)) return { summary: words.somethingWentWrong, fields: {} };
  switch (failure.code) {
    case 'validation_failed':
      return explainFields(failure, known);
    case 'email_taken':
      return taken('email', words.emailTaken, known);
    case 'username_taken':
      return taken('username', words.usernameTaken, known);
    case 'invalid_credentials':
      // Somebody who is signed in already, and proves it once more.
      if (known.includes('current_password'))
        return { summary: words.lookBelow, fields: { current_password: words.notYourPassword } };
      return { summary: words.didNotMatch, fields: {}, retype: 'password' };
    case 'rate_limited':
      return { summary: words.triedTooOften(inWords(failure.retryAfter)), fields: {} };
    case 'unavailable':
    case 'storage_full':
      return { summary: words.serverBusy(inWords(failure.retryAfter)), fields: {} };
    case 'network_error':
      return { summary: words.serverOutOfReach, fields: {} };
    case 'conflict':
      return { summary: words.conflict(failure.message), fields: {} };
    case 'cross_origin_refused':
    case 'cookie_not_possible':
      return { summary: failure.message, fields: {}, reference: failure.requestId };
    default:
      return { summary: words.somethingWentWrong, fields: {}, reference: failure.requestId };
  }
}

/** What a form says when `fields` were left empty. */
export function explainMissing(fields: Record<string, string>): Explanation {
  return { summary: commonWords().lookBelow, fields };
}

function explainFields(failure: AuthError, known: readonly string[]): Explanation {
  const words = commonWords();
  const fields: Record<string, string> = {};
  const elsewhere: string[] = [];
  for (const refused of failure.errors) {
    if (known.includes(refused.field)) fields[refused.field] ??= words.refusedField(refused);
    else elsewhere.push(words.refusedField(refused));
  }
  const summary = elsewhere.join(' ') || (Object.keys(fields).length > 0 ? words.lookBelow : failure.message);
  return { summary, fields };
}

function taken(field: string, sentence: string, known: readonly string[]): Explanation {
  return known.includes(field)
    ? { summary: commonWords().lookBelow, fields: { [field]: sentence } }
    : { summary: sentence, fields: {} };
}

/** A time to wait as people say it, rounded up so that nobody comes back too early. */
function inWords(seconds: number | null): string {
  const words = commonWords();
  if (seconds === null) return words.aMoment;
  if (seconds < 100) return words.seconds(Math.max(1, seconds));
  if (seconds < 5400) return words.minutes(Math.ceil(seconds / 60));
  return words.hours(Math.ceil(seconds / 3600));
}
