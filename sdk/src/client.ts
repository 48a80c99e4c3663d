/**
 * `createAuth`: the verbs of the library as one plain object. What a verb does to the session, and every race, is
 * left to session.ts.
 */

import type { AuthError } from './errors.ts';
import { keepInsides } from './insides.ts';
import { nounsOf } from './nouns.ts';
import { type Answered, Session } from './session.ts';
import { storeFor } from './storage.ts';
import { answerOf, createSend } from './transport.ts';
import type { Auth, AuthOptions, AuthState, SessionAnswer, SignOutScope } from './types.ts';

/** Makes the client of one server. Make one per page and share it. */
export function createAuth({
  baseUrl = globalThis.location?.origin ?? '',
  storage = 'cookie',
  leeway = 30,
  fetch: fetcher = (...request) => globalThis.fetch(...request),
  onEvent = () => {},
}: AuthOptions = {}): Auth {
  const server = baseUrl.replace(/\/+$/, '');
  const store = storeFor(storage, server);
  const mode = store ? 'token' : 'cookie';
  // A cookie of the same host must not speak for a token session, so it is left at home there.
  const send = createSend(server, fetcher, store ? 'omit' : 'include');
  const session = new Session({ send, store, leeway, lockName: `vestibule:${server}`, onEvent });
  const nouns = nounsOf(session, inTurn);
  let restoring: Promise<void> | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  /** Logins and logouts run one after the other, so that the last one called is the one that counts. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  }

  function enter(path: string, body: object) {
    return inTurn(async () => {
      const answer = await answerOf<SessionAnswer>(await send(path, { body: { ...body, mode } }));
      return session.open(answer);
    });
  }

  async function ready(): Promise<AuthState> {
    const { status } = session.state;
    if (status === 'loading' || status === 'unknown') {
      restoring ??= session.restore().finally(() => {
        restoring = null;
      });
      await restoring;
    }
    return session.state;
  }

  async function signOut(scope: SignOutScope): Promise<void> {
    if (scope !== 'local') await nouns.sessions.endOthers();
    if (scope === 'others') return;
    if (store) {
      const refreshToken = await session.forget();
      if (refreshToken) await answerOf(await send('/api/auth/logout', { body: { refresh_token: refreshToken } }));
      return;
    }
    await answerOf(await send('/api/auth/logout')).catch((error: AuthError) => {
      // Nothing to end is as good as ended.
      if (error.status !== 401) throw error;
    });
    await session.forget();
  }

  /** Runs a request of the application. One that a cookie is refused makes us look whether the session is over. */
  async function authorized<T extends Answered>(request: (token: string | null) => Promise<T>, repeatable: boolean) {
    const answer = await session.authorized(request, repeatable);
    if (!store && answer.status === 401 && session.state.loggedIn) await session.me().catch(() => {});
    return answer;
  }

  async function authorizedFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const address = new URL(input instanceof Request ? input.url : input, `${server}/`);
    const target = input instanceof Request ? input : address;
    if (address.origin !== new URL(server).origin) return fetcher(target, init);
    return authorized(
      (token) => {
        const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
        if (token && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
        return fetcher(target, { ...init, headers, credentials: store ? 'omit' : 'include' });
      },
      isRepeatable(input, init),
    );
  }

  const auth: Auth = {
    getState: () => session.state,
    subscribe: (listener) => session.subscribe(listener),
    ready,
    signUp: (account) => enter('/api/auth/register', account),
    signIn: (credentials) => enter('/api/auth/login', credentials),
    signOut: ({ scope = 'local' } = {}) => inTurn(() => signOut(scope)),
    setUp: (account) => enter('/api/auth/setup', account),
    ...nouns,
    refresh: () => session.renew().then(() => {}),
    me: () => session.me(),
    getToken: ({ minTtl } = {}) => session.token(minTtl),
    fetch: authorizedFetch,
    dispose: () => session.dispose(),
  };
  keepInsides(auth, { server, authorized, hasCookie: !store });
  return auth;
}

/** A body that is read while it is sent is gone after the first try. */
function isRepeatable(input: string | URL | Request, init: RequestInit): boolean {
  const body = init.body ?? (input instanceof Request ? input.body : null);
  return !(body instanceof ReadableStream);
}
