/**
 * The verbs as a page uses them: cookie sessions, what is sent, what comes back, and how failures look.
 */

import { beforeEach, expect, test, vi } from 'vitest';
import { AuthError, type AuthOptions, createAuth } from '../src/index.ts';
import { BASE_URL, FakeServer, json, problem } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
});

function client(options: AuthOptions = {}) {
  return createAuth({ baseUrl: BASE_URL, fetch: server.fetch, ...options });
}

test('a cookie session keeps no token and survives a reload', async () => {
  const auth = client();
  await auth.signIn(ADA);
  expect(auth.getState()).toMatchObject({
    status: 'signed-in',
    loggedIn: true,
    token: null,
    user: { username: 'ada' },
  });
  await expect(client().ready()).resolves.toMatchObject({ status: 'signed-in', user: { username: 'ada' } });
  expect(server.bearers).toEqual(['', '']);
});

test('an access token is had in cookie mode too, once', async () => {
  const auth = client();
  await auth.signIn(ADA);
  const token = await auth.getToken();
  await expect(auth.getToken()).resolves.toBe(token);
  expect(server.count('POST /api/auth/refresh')).toBe(1);
});

test('nobody signed in is a state, not an error', async () => {
  const auth = client();
  await expect(auth.ready()).resolves.toEqual({
    status: 'signed-out',
    loggedIn: false,
    loading: false,
    token: null,
    user: null,
    error: null,
  });
  await expect(auth.getToken()).rejects.toMatchObject({ code: 'signed_out' });
  expect(server.requests).toEqual(['GET /api/auth/me']);
});

test('a server out of reach is not taken for a sign-out, and ready() tries again', async () => {
  const auth = client();
  await auth.signIn(ADA);
  server.breakOnce('/api/auth/me', () => {
    throw new TypeError('offline');
  });
  const reloaded = client();
  await expect(reloaded.ready()).resolves.toMatchObject({ status: 'unknown', error: { code: 'network_error' } });
  await expect(reloaded.ready()).resolves.toMatchObject({ status: 'signed-in', error: null });
});

test('ready() called twice asks once', async () => {
  const auth = client();
  await Promise.all([auth.ready(), auth.ready()]);
  await auth.ready();
  expect(server.requests).toEqual(['GET /api/auth/me']);
});

test('a cookie that the server could not end leaves the session signed in', async () => {
  const auth = client();
  await auth.signIn(ADA);
  server.breakOnce('/api/auth/logout', () => problem(503, 'unavailable'));
  await expect(auth.signOut()).rejects.toMatchObject({ code: 'unavailable' });
  expect(auth.getState().loggedIn).toBe(true);
  await auth.signOut();
  expect(auth.getState().status).toBe('signed-out');
});

test('a login that overtakes the first look-up is not undone by it', async () => {
  const auth = client();
  const release = server.holdBack('/api/auth/me');
  const restored = auth.ready();
  await server.received('GET /api/auth/me');
  await auth.signIn(ADA);
  release();
  await restored;
  expect(auth.getState()).toMatchObject({ status: 'signed-in', error: null });
});

test('a 401 in cookie mode makes the client look whether the session is over', async () => {
  const onEvent = vi.fn();
  const auth = client({ onEvent });
  await auth.signIn(ADA);
  server.endAllSessions();
  expect((await auth.fetch('/api/things')).status).toBe(401);
  expect(auth.getState().status).toBe('signed-out');
  expect(onEvent).toHaveBeenLastCalledWith(expect.objectContaining({ type: 'session-ended' }));
});

test('only what was filled in is sent', async () => {
  const bodies: unknown[] = [];
  const auth = client({
    fetch: async (_input, init) => {
      bodies.push(JSON.parse(String(init?.body)));
      return problem(422, 'validation_failed');
    },
  });
  await auth.signUp({ email: 'ada@example.org', password: 'x', username: undefined }).catch(() => {});
  await auth.signIn(ADA).catch(() => {});
  expect(bodies).toEqual([
    { email: 'ada@example.org', password: 'x', mode: 'cookie' },
    { ...ADA, mode: 'cookie' },
  ]);
});

test('a refusal is one AuthError with everything the server said', async () => {
  const errors = [{ field: 'password', code: 'too_short', message: 'Use at least 8 characters.' }];
  server.breakOnce('/api/auth/register', () =>
    json(422, { code: 'validation_failed', detail: 'Some fields are not right.', errors }, { 'retry-after': '7' }),
  );
  const failure = await client()
    .signUp({ email: 'ada@example.org', password: 'x' })
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AuthError);
  expect(failure).toMatchObject({
    name: 'AuthError',
    message: 'Some fields are not right.',
    status: 422,
    code: 'validation_failed',
    requestId: 'request-1',
    retryAfter: 7,
    errors,
  });
});

test('an answer that is no problem document is an AuthError too', async () => {
  server.breakOnce('/api/auth/login', () => new Response('<h1>Bad gateway</h1>', { status: 502 }));
  await expect(client().signIn(ADA)).rejects.toMatchObject({ code: 'unexpected_response', status: 502, errors: [] });
});

test('subscribers hear of every change until they leave', async () => {
  const auth = client();
  const statuses: string[] = [];
  const leave = auth.subscribe(() => statuses.push(auth.getState().status));
  await auth.ready();
  await auth.signIn(ADA);
  leave();
  await auth.signOut();
  expect(statuses).toEqual(['loading', 'signed-out', 'signed-in']);
});

test('the state is the same object until something changes', async () => {
  const auth = client();
  await auth.ready();
  expect(auth.getState()).toBe(auth.getState());
});

test('headers and method of a call are kept', async () => {
  const seen: Request[] = [];
  const auth = client({
    storage: 'memory',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      seen.push(request.clone());
      return server.fetch(request);
    },
  });
  await auth.signIn(ADA);
  await auth.fetch(new Request(`${BASE_URL}/api/things`, { headers: { 'x-kind': 'a' } }));
  await auth.fetch('/api/things', { method: 'PATCH', headers: { 'if-match': '"1"' } });
  expect(seen[1]?.headers.get('x-kind')).toBe('a');
  expect(seen[2]?.headers.get('if-match')).toBe('"1"');
  expect(seen[2]?.method).toBe('PATCH');
  expect(seen[2]?.headers.get('authorization')).toMatch(/^Bearer s1\.access/);
});
