/**
 * `createAuth`: the library as one plain object, put together from its options. What a verb does to the session, and
 * every race, is left to session.ts.
 */

import { INSIDES, type Insides } from './insides.ts';
import { pathsOf } from './paths.ts';
import { createSession } from './session.ts';
import { storeFor } from './storage.ts';
import { createSend } from './transport.ts';
import type { Auth, AuthEvent, AuthOptions } from './types.ts';

/** Makes the client of one server. Make one per page and share it. */
export function createAuth(options: AuthOptions = {}): Auth {
  const {
    baseUrl = globalThis.location?.origin ?? '',
    storage = 'cookie',
    leeway = 30,
    fetch: fetcher = (...request) => fetch(...request),
  } = options;
  const server = baseUrl.replace(/\/+$/, '');
  const key = `vestibule:${server}`;
  const store = storeFor(storage, key);
  // Whoever signs out with tokens says nothing of the cookie.
  const name = store ? key : `${key}:cookie`;
  const paths = pathsOf(options);
  // A cookie of the same host must not speak for a token session, so it is left at home there.
  const credentials = store ? 'omit' : 'include';
  const send = createSend(server, fetcher, credentials);
  const { verbs, authorized, enter } = createSession(send, store, leeway, name, onEvent);

  function onEvent(event: AuthEvent): void {
    options.onEvent?.(event);
    if (event.type === 'session-ended') paths.toLogin();
  }

  async function authorizedFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    // An address has none of these.
    const { url = input, headers: own, body } = input as Partial<Request>;
    const address = new URL(url as string, `${server}/`);
    const target = url === input ? address : input;
    if (address.origin !== new URL(server).origin) return fetcher(target, init);
    // A body that is read while it is sent is gone after the first try.
    const isSpent = (init.body ?? body) instanceof ReadableStream;
    return authorized((token) => {
      const headers = new Headers(init.headers ?? own);
      if (token && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
      return fetcher(target, { ...init, headers, credentials });
    }, isSpent);
  }

  const insides: Insides = { server, authorized, enter, credentials };
  return { ...verbs, ...paths, fetch: authorizedFetch, [INSIDES]: insides } as Auth;
}
