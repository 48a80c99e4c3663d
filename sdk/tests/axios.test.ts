/**
 * An axios instance that travels as the signed-in user: with the real axios, over a fake server, with tokens and with
 * the cookie.
 */

import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attachAuth } from '../src/axios.ts';
import { type Auth, type AuthOptions, createAuth } from '../src/index.ts';
import { BASE_URL, FakeServer, problem } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
const REFRESH = '/api/auth/refresh';
let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  server = new FakeServer();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function signedInClient(options: AuthOptions = {}) {
  const auth = createAuth({ baseUrl: BASE_URL, storage: 'memory', fetch: server.fetch, ...options });
  await auth.signIn(ADA);
  return auth;
}

/** An instance over axios's own fetch adapter; what it gets is sent to the fake server. */
function instanceOf(options: CreateAxiosDefaults = {}): AxiosInstance {
  return axios.create({ baseURL: BASE_URL, adapter: 'fetch', env: { fetch: server.fetch }, ...options });
}

function attached(auth: Auth, options: CreateAxiosDefaults = {}): AxiosInstance {
  const instance = instanceOf(options);
  attachAuth(instance, auth);
  return instance;
}

function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, work));
}

test('ten parallel requests at an expired token make one refresh and all succeed', async () => {
  const api = attached(await signedInClient());
  vi.advanceTimersByTime(16 * 60_000);
  const answers = await times(10, () => api.get('/api/things'));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  expect(server.count('GET /api/things')).toBe(10);
});

test('ten parallel requests that the server refuses with 401 make one refresh and are all repeated', async () => {
  const api = attached(await signedInClient());
  server.expireAccessTokens();
  const answers = await times(10, () => api.get('/api/things'));
  expect(answers.map(({ data }) => data.username)).toEqual(Array(10).fill('ada'));
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  expect(server.count('GET /api/things')).toBe(20);
});

test('a cookie needs no refresh: ten parallel requests succeed although the access token has expired', async () => {
  const auth = await signedInClient({ storage: 'cookie' });
  const api = attached(auth);
  await auth.getToken();
  server.expireAccessTokens();
  const answers = await times(10, () => api.get('/api/things'));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  expect(server.bearers.slice(-10)).toEqual(Array(10).fill(''));
});

test('a 401 to a cookie makes the client look whether the session is over', async () => {
  const auth = await signedInClient({ storage: 'cookie' });
  const api = attached(auth);
  server.endAllSessions();
  await expect(api.get('/api/things')).rejects.toMatchObject({ name: 'AxiosError', status: 401 });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: { status: 401 } });
});

test('a request is repeated once at most, and the session goes on', async () => {
  const auth = await signedInClient();
  const api = attached(auth);
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  await expect(api.get('/api/things')).rejects.toMatchObject({
    name: 'AxiosError',
    status: 401,
    response: { data: { code: 'invalid_token' } },
  });
  expect(server.count('GET /api/things')).toBe(2);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a 403 is never repeated', async () => {
  const api = attached(await signedInClient());
  server.breakOnce('/api/things', () => problem(403, 'forbidden'));
  await expect(api.get('/api/things')).rejects.toMatchObject({ status: 403 });
  expect(server.requests).toEqual(['POST /api/auth/login', 'GET /api/things']);
});

test('a 401 that the instance takes for an answer is repeated all the same', async () => {
  const api = attached(await signedInClient(), { validateStatus: () => true });
  server.expireAccessTokens();
  expect((await api.get('/api/things')).status).toBe(200);
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  expect((await api.get('/api/things')).status).toBe(401);
});

test.each([
  ['stream', () => new Blob(['{}']).stream()],
  ['stream of Node', () => ({ pipe() {} })],
])('the body of a %s is never sent twice', async (_kind, body) => {
  const sent: unknown[] = [];
  const api = attached(await signedInClient(), {
    transformRequest: [(data) => data],
    adapter: async (config) => {
      sent.push(config.data);
      return { data: '', status: 401, statusText: '', headers: {}, config };
    },
  });
  expect((await api.put('/api/things', body())).status).toBe(401);
  expect(sent).toHaveLength(1);
});

test('a body is written once and sent again as it was', async () => {
  const bodies: string[] = [];
  const auth = await signedInClient();
  const write = vi.fn((data: unknown) => JSON.stringify({ wrapped: data }));
  const api = attached(auth, {
    transformRequest: [write],
    env: {
      fetch: async (input, init) => {
        const request = new Request(input, init);
        bodies.push(await request.clone().text());
        return server.fetch(request);
      },
    },
  });
  server.expireAccessTokens();
  await api.post('/api/things', { title: 'a' });
  expect(bodies).toEqual(Array(2).fill('{"wrapped":{"title":"a"}}'));
  expect(write).toHaveBeenCalledOnce();
});

test('interceptors see a repeated request once, wherever they were added', async () => {
  const auth = await signedInClient();
  const instance = instanceOf();
  const seen: string[] = [];
  const listen = (name: string) => {
    instance.interceptors.request.use((config) => {
      seen.push(`${name} request`);
      return config;
    });
    instance.interceptors.response.use(({ data }) => {
      seen.push(`${name} response`);
      return { data } as never;
    });
  };
  listen('before');
  attachAuth(instance, auth);
  listen('after');
  server.expireAccessTokens();
  const { data } = await instance.get('/api/things');
  expect(data.username).toBe('ada');
  expect(seen.sort()).toEqual(['after request', 'after response', 'before request', 'before response']);
});

test('another origin gets neither token nor cookie nor repetition', async () => {
  const elsewhere = vi.fn(async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init);
    expect(request.headers.get('authorization')).toBeNull();
    expect(request.credentials).not.toBe('include');
    return new Response(null, { status: 401 });
  });
  for (const storage of ['memory', 'cookie'] as const) {
    const auth = await signedInClient({ storage });
    const api = attached(auth, { env: { fetch: elsewhere } });
    await expect(api.get('https://elsewhere.test/api/things')).rejects.toMatchObject({ status: 401 });
    await expect(api.get('/api/things', { baseURL: 'https://elsewhere.test' })).rejects.toMatchObject({ status: 401 });
    expect(auth.getState().loggedIn).toBe(true);
  }
  expect(elsewhere).toHaveBeenCalledTimes(4);
});

test('where a request goes is judged after every interceptor', async () => {
  const elsewhere = vi.fn(async () => new Response('{}'));
  const instance = instanceOf({ env: { fetch: elsewhere } });
  attachAuth(instance, await signedInClient());
  instance.interceptors.request.use((config) => ({ ...config, baseURL: 'https://elsewhere.test' }));
  await instance.get('/api/things');
  const [request] = elsewhere.mock.calls[0] as unknown as [Request];
  expect(request.url).toBe('https://elsewhere.test/api/things');
  expect(request.headers.get('authorization')).toBeNull();
});

test('an address without a host is that of the page', async () => {
  vi.stubGlobal('location', new URL(`${BASE_URL}/somewhere`));
  const auth = await signedInClient();
  const bearers: unknown[] = [];
  const adapter: CreateAxiosDefaults['adapter'] = async (config) => {
    bearers.push(config.headers.get('authorization'));
    return { data: '', status: 200, statusText: '', headers: {}, config };
  };
  const api = axios.create({ adapter });
  attachAuth(api, auth);
  await api.get('/api/things');
  vi.stubGlobal('location', new URL('https://elsewhere.test/'));
  await api.get('/api/things');
  vi.stubGlobal('location', undefined);
  await api.get('/api/things');
  expect(bearers).toEqual([expect.stringMatching(/^Bearer s1\.access/), undefined, undefined]);
});

test("a request's own Authorization is kept", async () => {
  const api = attached(await signedInClient());
  await api.get('/api/things', { headers: { Authorization: 'Bearer mine' } }).catch(() => {});
  expect(server.bearers.at(-1)).toBe('Bearer mine');
});

test('with nobody signed in a request travels without a token', async () => {
  const auth = createAuth({ baseUrl: BASE_URL, storage: 'memory', fetch: server.fetch });
  await expect(attached(auth).get('/api/things')).rejects.toMatchObject({ name: 'AxiosError', status: 401 });
  expect(server.requests).toEqual(['GET /api/things']);
});

test('a refresh that fails is what the caller is told, and the session goes on', async () => {
  const auth = await signedInClient();
  server.expireAccessTokens();
  server.breakOnce(REFRESH, () => problem(503, 'unavailable', { 'retry-after': '30' }));
  await expect(attached(auth).get('/api/things')).rejects.toMatchObject({ name: 'AuthError', code: 'unavailable' });
  expect(auth.getState().loggedIn).toBe(true);
});

test('a lost network is the error of axios', async () => {
  const offline = () => Promise.reject(new TypeError('offline'));
  const api = attached(await signedInClient(), { env: { fetch: offline } });
  await expect(api.get('/api/things')).rejects.toMatchObject({ isAxiosError: true, message: 'offline' });
});

test('a request that is called off while the token is renewed is not sent again', async () => {
  const api = attached(await signedInClient());
  server.expireAccessTokens();
  const release = server.holdBack(REFRESH);
  const caller = new AbortController();
  const asked = api.get('/api/things', { signal: caller.signal });
  await server.received(`POST ${REFRESH}`);
  caller.abort();
  release();
  await expect(asked).rejects.toMatchObject({ name: 'CanceledError' });
  expect(server.count('GET /api/things')).toBe(1);
});

test('a detached instance travels as nobody', async () => {
  const instance = instanceOf();
  const detach = attachAuth(instance, await signedInClient());
  detach();
  await expect(instance.get('/api/things')).rejects.toMatchObject({ status: 401 });
  expect(server.bearers.at(-1)).toBe('');
});

test('a client that createAuth did not make is told apart', () => {
  expect(() => attachAuth(instanceOf(), {} as Auth)).toThrow(/createAuth/);
});
