/**
 * One request to the server: JSON out, a `Response` or an `AuthError` back. Knows nothing of sessions; which token
 * travels is decided by the caller.
 */

import { AuthError, errorFrom } from './errors.ts';

/** The server gives up on a request after 30 s; an answer later than this is lost on the way. */
const TIMEOUT_MILLISECONDS = 35_000;

export interface Outgoing {
  method?: string;
  body?: object | undefined;
  token?: string | null;
}

/** Sends one request to a path of the server; throws `network_error` where no answer came. */
export type Send = (path: string, outgoing?: Outgoing) => Promise<Response>;

export function createSend(baseUrl: string, fetcher: typeof fetch, credentials: RequestCredentials): Send {
  return async (path, { method = 'POST', body, token } = {}) => {
    const headers = new Headers({ accept: 'application/json' });
    if (body) headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    try {
      return await fetcher(baseUrl + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials,
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
    } catch (cause) {
      throw new AuthError('network_error', 'The server could not be reached.', { cause });
    }
  };
}

/** The value of a successful answer; throws the refusal otherwise. */
export async function answerOf<T>(response: Response): Promise<T> {
  if (!response.ok) throw await errorFrom(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    // A captive portal answers 200 with its own page; that says nothing about the session.
    throw new AuthError('unexpected_response', 'The answer did not come from the server.', {
      status: response.status,
      cause,
    });
  }
}
