/**
 * One request to the server: JSON out, a `Response` or an `AuthError` back. Knows nothing of sessions; which token
 * travels is decided by the caller.
 */

import { AuthError, errorFrom } from './errors.ts';
import type { Condition } from './types.ts';

/** The server gives up on a request after 30 s; an answer later than this is lost on the way. */
const TIMEOUT_MILLISECONDS = 35_000;

/** Takes from a successful answer what the caller wants of it. */
export type Read<T> = (response: Response) => T | Promise<T>;

/**
 * Sends one request to a path of the server; throws `network_error` where no answer came. The body is any JSON value;
 * nothing is sent for `undefined`.
 */
export type Send = (
  method: string,
  path: string,
  body?: unknown,
  condition?: Condition,
  token?: string | null,
) => Promise<Response>;

export function createSend(baseUrl: string, fetcher: typeof fetch, credentials: RequestCredentials): Send {
  return async (method, path, body, { ifMatch, ifNoneMatch } = {}, token) => {
    const text = JSON.stringify(body);
    const headers = Object.entries({
      'content-type': text && 'application/json',
      authorization: token && `Bearer ${token}`,
      'if-match': ifMatch,
      'if-none-match': ifNoneMatch,
    }).filter(([, value]) => value) as [string, string][];
    try {
      return await fetcher(baseUrl + path, {
        method,
        headers,
        body: text,
        credentials,
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
    } catch (cause) {
      throw new AuthError('network_error', 'No answer came.', { cause });
    }
  };
}

/** What a successful answer says, as `read` takes it; throws the refusal otherwise. */
export async function answerOf<T>(response: Response, read: Read<T> = jsonOf): Promise<T> {
  let cause: unknown;
  if (response.ok)
    try {
      return await read(response);
    } catch (error) {
      // A captive portal answers 200 with its own page; that says nothing about the session.
      cause = error;
    }
  throw await errorFrom(response, cause);
}

async function jsonOf(response: Response) {
  return response.status === 204 ? undefined : response.json();
}
