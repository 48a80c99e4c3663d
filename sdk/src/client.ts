/**
 * `createAuth`: the verbs of the library as one plain object. What a verb does to the session, and every race, is
 * left to session.ts.
 */

import { INSIDES } from './insides.ts';
import { nounsOf } from './nouns.ts';
import { pathsOf } from './paths.ts';
import { createSession } from './session.ts';
import { storeFor } from './storage.ts';
import { answerOf, createSend } from './transport.ts';
import type { Auth, AuthEvent, AuthOptions, SignOutScope } from './types.ts';

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
  const mode = store ? 'token' : 'cookie';
  // A cookie of the same host must not speak for a token session, so it is left at home there.
  const credentials = store ? 'omit' : 'include';
  const send = createSend(server, fetcher, credentials);
  const session = createSession({ send, store, leeway, name, onEvent });
  const { authorized } = session;
  const nouns = nounsOf(session, inTurn);
  let turn: Promise<unknown> = Promise.resolve();

  function onEvent(event: AuthEvent): void {
    options.onEvent?.(event);
    if (event.type === 'session-ended') paths.toLogin();
  }

  /** Logins and logouts run one after the other, so that the last one called is the one that counts. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  }

  function enter(path: string, body: object) {
    return inTurn(async () => session.open(await send('POST', path, { ...body, mode })));
  }

  async function signOut(scope: SignOutScope): Promise<void> {
    if (scope !== 'local') await nouns.sessions.endOthers();
    if (scope === 'others') return;
    const token = store && (await session.forget());
    if (!store || token) {
      const response = await send('POST', '/api/auth/logout', token && { refresh_token: token });
      // Nothing to end is as good as ended.
      if (response.status !== 401) await answerOf(response);
    }
    if (!store) await session.forget();
  }

  async function authorizedFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    // An address has none of these.
    const { url = input, headers: own, body } = input as Partial<Request>;
    const address = new URL(url as string, `${server}/`);
    const target = url === input ? address : input;
    if (address.origin !== new URL(server).origin) return fetcher(target, init);
    // A body that is read while it is sent is gone after the first try.
    const repeatable = !((init.body ?? body) instanceof ReadableStream);
    return authorized((token) => {
      const headers = new Headers(init.headers ?? own);
      if (token && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
      return fetcher(target, { ...init, headers, credentials });
    }, repeatable);
  }

  return {
    ...session.verbs,
    signUp: (account) => enter('/api/auth/register', account),
    signIn: (credentials) => enter('/api/auth/login', credentials),
    signOut: ({ scope = 'local' } = {}) => inTurn(() => signOut(scope)),
    ...nouns,
    ...paths,
    refresh: () => session.renew().then(() => {}),
    fetch: authorizedFetch,
    [INSIDES]: { server, authorized, enter, credentials },
  } as Auth;
}
