/**
 * The races and failures that log people out elsewhere, on token sessions: one test per rule of session.ts.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AuthEvent, type AuthOptions, createAuth } from '../src/index.ts';
import { BASE_URL, deferred, FakeServer, patiently, problem, sharedStorage } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
const REFRESH = '/api/auth/refresh';
let server: FakeServer;
let events: AuthEvent['type'][];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
  server = new FakeServer();
  events = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function client(options: AuthOptions = {}) {
  const onEvent = (event: AuthEvent) => events.push(event.type);
  return createAuth({ baseUrl: BASE_URL, storage: 'memory', fetch: server.fetch, onEvent, ...options });
}

async function signedInClient(options: AuthOptions = {}) {
  const auth = client(options);
  await auth.signIn(ADA);
  return auth;
}

function letMinutesPass(minutes: number) {
  vi.advanceTimersByTime(minutes * 60_000);
}

test('twenty parallel calls after expiry make one refresh and all succeed', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  const answers = await Promise.all(Array.from({ length: 20 }, () => auth.fetch('/api/things')));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('twenty parallel calls refused with 401 make one refresh and are all repeated', async () => {
  const auth = await signedInClient();
  server.expireAccessTokens();
  const answers = await Promise.all(Array.from({ length: 20 }, () => auth.fetch('/api/things')));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  expect(server.count('GET /api/things')).toBe(40);
});

test('a call is repeated once at most', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  server.breakOnce('/api/things', () => problem(401, 'invalid_token'));
  expect((await auth.fetch('/api/things')).status).toBe(401);
  expect(server.count('GET /api/things')).toBe(2);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a 403 is never repeated', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/things', () => problem(403, 'forbidden'));
  expect((await auth.fetch('/api/things')).status).toBe(403);
  expect(server.requests).toEqual(['POST /api/auth/login', 'GET /api/things']);
});

test('a streamed body is never sent twice', async () => {
  const auth = await signedInClient();
  server.expireAccessTokens();
  const body = new Blob(['once']).stream();
  const init = { method: 'PUT', body, duplex: 'half' } as RequestInit;
  const broken = () => problem(401, 'expired_token');
  server.breakOnce('/api/things', broken);
  expect((await auth.fetch('/api/things', init)).status).toBe(401);
  expect(server.count('PUT /api/things')).toBe(1);
});

test('a call is never repeated in the name of the next user', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/things', () => problem(401, 'revoked_token'));
  const release = server.holdBack('/api/things');
  const asked = auth.fetch('/api/things', { method: 'DELETE' });
  await server.received('DELETE /api/things');
  await auth.signOut();
  await auth.signIn({ login: 'grace', password: 'correct horse' });
  release();
  expect((await asked).status).toBe(401);
  expect(server.count('DELETE /api/things')).toBe(1);
  expect(auth.getState().user?.username).toBe('grace');
});

test('a call is not repeated in the name of a user whom the storage alone tells of', async () => {
  const storage = sharedStorage();
  const here = await signedInClient({ storage });
  const there = client({ storage });
  server.breakOnce('/api/things', () => problem(401, 'revoked_token'));
  const release = server.holdBack('/api/things');
  const asked = here.fetch('/api/things', { method: 'DELETE' });
  await server.received('DELETE /api/things');
  await there.signIn({ login: 'grace', password: 'correct horse' });
  release();
  await expect(asked).rejects.toMatchObject({ code: 'signed_out' });
  expect(server.count('DELETE /api/things')).toBe(1);
  expect(here.getState().user?.username).toBe('grace');
});

test('another origin gets neither token nor retry', async () => {
  const elsewhere = vi.fn(async () => new Response(null, { status: 401 }));
  const auth = await signedInClient({
    fetch: (input, init) => (String(input).startsWith(BASE_URL) ? server.fetch(input, init) : elsewhere()),
  });
  expect((await auth.fetch('https://elsewhere.test/')).status).toBe(401);
  expect(elsewhere).toHaveBeenCalledOnce();
  expect(server.requests).toEqual(['POST /api/auth/login']);
});

test('a sign-out during a refresh wins', async () => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  const release = server.holdBack(REFRESH);
  const refreshed = auth.refresh();
  await server.received(`POST ${REFRESH}`);
  await auth.signOut();
  release();
  await expect(refreshed).rejects.toMatchObject({ code: 'signed_out' });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', token: null, user: null, error: null });
  expect(storage.values.size).toBe(0);
});

test('a sign-out during me() wins', async () => {
  const auth = await signedInClient();
  const release = server.holdBack('/api/auth/me');
  const asked = auth.me();
  await server.received('GET /api/auth/me');
  await auth.signOut();
  release();
  await expect(asked).rejects.toMatchObject({ code: 'signed_out' });
  expect(auth.getState().status).toBe('signed-out');
});

test('a sign-out called during a login ends that login', async () => {
  const auth = client();
  const release = server.holdBack('/api/auth/login');
  const signedIn = auth.signIn(ADA);
  const out = auth.signOut();
  release();
  await Promise.all([signedIn, out]);
  expect(auth.getState().status).toBe('signed-out');
  expect(server.requests).toEqual(['POST /api/auth/login', 'POST /api/auth/logout']);
});

test('a new login does not wait for the refresh of the old session', async () => {
  const auth = await signedInClient();
  const release = server.holdBack(REFRESH);
  const old = auth.refresh();
  await server.received(`POST ${REFRESH}`);
  await auth.signIn({ login: 'grace', password: 'correct horse' });
  await expect(auth.getToken()).resolves.toContain('access');
  release();
  await expect(old).rejects.toMatchObject({ code: 'signed_out' });
  expect(auth.getState().user?.username).toBe('grace');
});

test('signing out without a network forgets the tokens and says that the server was not told', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/auth/logout', () => {
    throw new TypeError('offline');
  });
  await expect(auth.signOut()).rejects.toMatchObject({ code: 'network_error', status: 0 });
  expect(auth.getState().status).toBe('signed-out');
});

test.each([400, 401])('a %i to the refresh ends the session', async (status) => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  server.breakOnce(REFRESH, () => problem(status, 'refresh_token_reused'));
  await expect(auth.refresh()).rejects.toMatchObject({ status, code: 'refresh_token_reused' });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: { code: 'refresh_token_reused' } });
  expect(storage.values.size).toBe(0);
  expect(events).toEqual(['signed-in', 'session-ended']);
});

test.each([403, 404, 429, 500, 502, 503])('a %i to the refresh keeps the session', async (status) => {
  const auth = await signedInClient();
  letMinutesPass(16);
  const mend = server.breakUntilMended(REFRESH, () => problem(status, 'unavailable'));
  await expect(patiently(auth.getToken())).rejects.toMatchObject({ status });
  expect(auth.getState()).toMatchObject({ loggedIn: true, error: { status } });
  mend();
  letMinutesPass(1);
  await auth.getToken();
  expect(auth.getState()).toMatchObject({ loggedIn: true, error: null });
});

test('a lost network and a captive portal keep the session', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  const offline = () => {
    throw new TypeError('offline');
  };
  const portal = () => new Response('<h1>Welcome to our hotel</h1>');
  const codes = [
    [offline, 'network_error'],
    [portal, 'unexpected_response'],
    [() => Response.json({}), 'unexpected_response'],
  ] as const;
  for (const [answer, code] of codes) {
    const mend = server.breakUntilMended(REFRESH, answer);
    await expect(patiently(auth.getToken())).rejects.toMatchObject({ code });
    mend();
    letMinutesPass(1);
  }
  await expect(auth.getToken()).resolves.toContain('access');
});

test('a short trouble is waited out, and nobody hears of it', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  server.breakOnce(REFRESH, () => problem(502, 'unavailable'));
  server.breakOnce(REFRESH, () => {
    throw new TypeError('offline');
  });
  const states: unknown[] = [];
  auth.subscribe(() => states.push(auth.getState().error));
  const answers = await patiently(Promise.all(Array.from({ length: 10 }, () => auth.fetch('/api/things'))));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(server.count(`POST ${REFRESH}`)).toBe(3);
  expect(states).toEqual([null]);
});

test('in a long trouble the pauses grow, and whoever asks meanwhile is told at once', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  server.breakUntilMended(REFRESH, () => problem(503, 'unavailable'));
  await expect(patiently(auth.getToken())).rejects.toMatchObject({ code: 'unavailable' });
  expect(server.count(`POST ${REFRESH}`)).toBe(3);
  await expect(auth.getToken()).rejects.toMatchObject({ code: 'unavailable' });
  expect(server.count(`POST ${REFRESH}`)).toBe(3);
  for (let call = 0; call < 100; call += 1) {
    await expect(patiently(auth.getToken())).rejects.toMatchObject({ code: 'unavailable' });
    letMinutesPass(0.1);
  }
  // Ten minutes, with 16 to 32 seconds from one try to the next in the end.
  expect(server.count(`POST ${REFRESH}`)).toBeLessThan(50);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a sign-out between two tries of a refresh wins', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  server.breakUntilMended(REFRESH, () => problem(503, 'unavailable'));
  const asked = auth.getToken();
  asked.catch(() => {});
  await server.received(`POST ${REFRESH}`);
  await auth.signOut();
  await expect(patiently(asked)).rejects.toMatchObject({ code: 'signed_out' });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: null });
});

test('a refresh that fails does not turn into a 401 for the caller', async () => {
  const auth = await signedInClient();
  server.expireAccessTokens();
  server.breakUntilMended(REFRESH, () => problem(503, 'unavailable', { 'retry-after': '5' }));
  await expect(auth.fetch('/api/things')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(auth.me()).rejects.toMatchObject({ code: 'unavailable' });
  expect(auth.getState().loggedIn).toBe(true);
});

test('Retry-After is waited out without asking again', async () => {
  const auth = await signedInClient();
  letMinutesPass(16);
  server.breakOnce(REFRESH, () => problem(429, 'rate_limited', { 'retry-after': '120' }));
  await expect(auth.getToken()).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 120 });
  letMinutesPass(1);
  await expect(auth.getToken()).rejects.toMatchObject({ code: 'rate_limited' });
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  letMinutesPass(1);
  await expect(auth.getToken()).resolves.toContain('access');
});

test('a token that is about to end is still used while it cannot be renewed', async () => {
  const auth = await signedInClient();
  const token = await auth.getToken();
  server.breakOnce(REFRESH, () => problem(503, 'unavailable'));
  await expect(auth.getToken({ minTtl: 901 })).resolves.toBe(token);
});

test('a token is renewed once fewer than minTtl seconds are left', async () => {
  const auth = await signedInClient();
  const first = await auth.getToken();
  letMinutesPass(10);
  await expect(auth.getToken({ minTtl: 60 })).resolves.toBe(first);
  await expect(auth.getToken({ minTtl: 600 })).resolves.not.toBe(first);
});

test.each([-86_400_000, 86_400_000])('a clock that is wrong by %i ms changes nothing', async (error) => {
  vi.setSystemTime(Date.now() + error);
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  letMinutesPass(14);
  await auth.fetch('/api/things');
  await client({ storage }).ready();
  expect(server.count(`POST ${REFRESH}`)).toBe(0);
  letMinutesPass(2);
  await auth.fetch('/api/things');
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('a clock that is set while somebody is signed in costs one refresh at the most', async () => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  for (const step of [86_400_000, -3 * 86_400_000]) {
    vi.setSystemTime(Date.now() + step);
    for (let call = 0; call < 5; call += 1) expect((await auth.fetch('/api/things')).status).toBe(200);
  }
  const reloaded = client({ storage });
  await reloaded.ready();
  expect(reloaded.getState().loggedIn).toBe(true);
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('a token that ended while the device slept is not handed out', async () => {
  const auth = await signedInClient();
  const before = await auth.getToken();
  // Asleep, the monotonic clock of some devices stands still, and that of the world goes on.
  vi.setSystemTime(Date.now() + 3_600_000);
  server.expireAccessTokens();
  await expect(auth.getToken()).resolves.not.toBe(before);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a reload takes the stored session up and confirms it', async () => {
  const storage = sharedStorage();
  await signedInClient({ storage });
  const reloaded = client({ storage });
  expect(reloaded.getState()).toMatchObject({ status: 'loading', loading: true, loggedIn: false });
  const state = await reloaded.ready();
  expect(state).toMatchObject({ status: 'signed-in', user: { username: 'ada' } });
  expect(server.requests.slice(1)).toEqual(['GET /api/auth/me']);
});

test('a reload finds out that the session was ended elsewhere', async () => {
  const storage = sharedStorage();
  await signedInClient({ storage });
  server.endAllSessions();
  const state = await client({ storage }).ready();
  expect(state).toMatchObject({ status: 'signed-out', error: { code: 'revoked_token' } });
  expect(storage.values.size).toBe(0);
});

test('a reload without a network keeps the stored session', async () => {
  const storage = sharedStorage();
  await signedInClient({ storage });
  server.breakOnce('/api/auth/me', () => {
    throw new TypeError('offline');
  });
  const state = await client({ storage }).ready();
  expect(state).toMatchObject({ status: 'signed-in', user: { username: 'ada' }, error: { code: 'network_error' } });
});

test('with nothing stored ready() asks nobody', async () => {
  const state = await client().ready();
  expect(state).toMatchObject({ status: 'signed-out', error: null });
  expect(server.requests).toEqual([]);
  expect(events).toEqual([]);
});

test('a token renewed by another tab is taken over', async () => {
  const storage = sharedStorage();
  const first = await signedInClient({ storage });
  const second = client({ storage });
  await second.ready();
  letMinutesPass(16);
  const renewed = await first.getToken();
  await expect(second.getToken()).resolves.toBe(renewed);
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('a token of another tab that is too far used for this call is renewed', async () => {
  const storage = sharedStorage();
  const first = await signedInClient({ storage });
  const second = client({ storage });
  await second.ready();
  const renewed = await first.getToken({ minTtl: 900 });
  letMinutesPass(10);
  await expect(second.getToken({ minTtl: 600 })).resolves.not.toBe(renewed);
  expect(second.getState().token).toContain('access');
});

test('a refusal is ignored when another tab has renewed meanwhile', async () => {
  const storage = sharedStorage();
  const first = await signedInClient({ storage });
  const { promise: firstIsDone, resolve: firstHasRenewed } = deferred();
  const refusedLate: typeof fetch = async (input, init) => {
    if (!String(input).endsWith(REFRESH)) return server.fetch(input, init);
    await firstIsDone;
    return problem(401, 'refresh_token_reused');
  };
  const second = client({ storage, fetch: refusedLate });
  await second.ready();
  const late = second.refresh();
  await first.refresh();
  firstHasRenewed();
  await late;
  expect(second.getState()).toMatchObject({ loggedIn: true, token: first.getState().token });
});

test('a sign-out in another tab is not undone by a refresh on its way', async () => {
  const storage = sharedStorage();
  const first = await signedInClient({ storage });
  const second = client({ storage });
  await second.ready();
  const release = server.holdBack(REFRESH);
  const late = second.refresh();
  await server.received(`POST ${REFRESH}`);
  await first.signOut();
  release();
  await expect(late).rejects.toMatchObject({ code: 'signed_out' });
  expect(second.getState().status).toBe('signed-out');
  expect(storage.values.size).toBe(0);
});

test('the tabs take turns to refresh where the browser has locks', async () => {
  const request = vi.fn(async (_name: string, _options: LockOptions, work: () => Promise<void>) => work());
  vi.stubGlobal('navigator', { locks: { request } });
  const auth = await signedInClient();
  await auth.refresh();
  expect(request).toHaveBeenCalledOnce();
  expect(request.mock.calls[0]?.[0]).toBe(`vestibule:${BASE_URL}`);
});

test('what another tab has renewed while the turn was waited for is not renewed again', async () => {
  const storage = sharedStorage();
  const first = await signedInClient({ storage });
  const told: Record<string, (event: object) => void> = {};
  vi.stubGlobal('document', { addEventListener() {} });
  vi.stubGlobal('BroadcastChannel', class {});
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => Object.assign(told, { [type]: listener }));
  const second = client({ storage });
  await second.ready();
  letMinutesPass(16);
  const turn = deferred();
  vi.stubGlobal('navigator', {
    locks: { request: (_: string, _o: object, work: () => object) => turn.promise.then(work) },
  });
  const waiting = second.getToken();
  vi.unstubAllGlobals();
  const renewed = await first.getToken();
  told.storage?.({ key: null });
  await vi.waitUntil(() => second.getState().token === renewed);
  turn.resolve();
  await expect(waiting).resolves.toBe(renewed);
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('a lock that is not granted is done without after three seconds', async () => {
  const limit = vi.spyOn(AbortSignal, 'timeout');
  const request = vi.fn(async () => {
    throw new DOMException('Timed out', 'TimeoutError');
  });
  vi.stubGlobal('navigator', { locks: { request } });
  const auth = await signedInClient();
  await auth.refresh();
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  expect(limit).toHaveBeenCalledWith(3_000);
});

test('a refresh that fails inside the lock is not tried a second time', async () => {
  const request = async (_name: string, _options: LockOptions, work: () => Promise<void>) => work();
  vi.stubGlobal('navigator', { locks: { request } });
  const auth = await signedInClient();
  server.breakOnce(REFRESH, () => problem(503, 'unavailable', { 'retry-after': '5' }));
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'unavailable' });
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
});

test('a full or blocked storage falls back to memory', async () => {
  const storage = sharedStorage();
  storage.setItem = () => {
    throw new DOMException('Full', 'QuotaExceededError');
  };
  const auth = await signedInClient({ storage });
  await auth.refresh();
  expect(auth.getState().loggedIn).toBe(true);
});

test('after dispose nothing that arrives is told', async () => {
  const auth = await signedInClient();
  const listener = vi.fn();
  auth.subscribe(listener);
  const release = server.holdBack('/api/auth/me');
  const asked = auth.me();
  await server.received('GET /api/auth/me');
  auth.dispose();
  release();
  await expect(asked).rejects.toMatchObject({ code: 'signed_out' });
  expect(listener).not.toHaveBeenCalled();
});
