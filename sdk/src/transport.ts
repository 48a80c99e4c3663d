/**
 * One request to the server: JSON out, a `Response` or an `AuthError` back. Knows nothing of sessions; which token
 * travels is decided by the caller.
 */

import { AuthError, errorFrom, notFromServer } from './errors.ts';
import type { Condition } from './types.ts';

/** The server gives up on a request after 30 s; an answer later than this is lost on the way. */
const TIMEOUT_MILLISECONDS = 35_000;

export interface Outgoing {
  method?: string;
  /** Any JSON value; nothing is sent for `undefined`. */
  body?: unknown;
  condition?: Condition | undefined;
  token?: string | null | undefined;
}

/** Takes from a successful answer what the caller wants of it. */
export type Read<T> = (response: Response) => T | Promise<T>;

/** Sends one request to a path of the server; throws `network_error` where no answer came. */
export type Send = (path: string, outgoing?: Outgoing) => Promise<Response>;

export function createSend(baseUrl: string, fetcher: typeof fetch, credentials: RequestCredentials): Send {
  return async (path, { method = 'POST', body, condition = {}, token } = {}) => {
    const headers = new Headers();
    const text = body === undefined ? null : JSON.stringify(body);
    if (text) headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (condition.ifMatch) headers.set('if-match', condition.ifMatch);
    if (condition.ifNoneMatch) headers.set('if-none-match', condition.ifNoneMatch);
    try {
      return await fetcher(baseUrl + path, {
        method,
        headers,
        body: text,
        credentials,
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
    } catch (cause) {
      throw new AuthError('network_error', 'The server could not be reached.', { cause });
    }
  };
}

/** What a successful answer says, as `read` takes it; throws the refusal otherwise. */
export async function answerOf<T>(response: Response, read: Read<T> = jsonOf): Promise<T> {
  if (!response.ok) throw await errorFrom(response);
  try {
    return await read(response);
  } catch (cause) {
    throw notFromServer(response.status, cause);
  }
}

async function jsonOf(response: Response) {
  return response.status === 204 ? undefined : response.json();
}
