// @vitest-environment jsdom
/**
 * How a session changes unseen: in other tabs, while the device slept, while the network was gone.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Auth, type AuthEvent, type AuthOptions, createAuth } from '../src/index.ts';
import { BASE_URL, FakeServer, problem, sharedStorage } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
const ME = 'GET /api/auth/me';
const REFRESH = '/api/auth/refresh';
const KEY = `vestibule:${BASE_URL}`;
let server: FakeServer;
let clients: Auth[];

beforeEach(() => {
  server = new FakeServer();
  clients = [];
});

afterEach(() => {
  for (const auth of clients) auth.dispose();
  vi.useRealTimers();
  vi.restoreAllMocks();
  localStorage.clear();
});

/** A client as another tab would have it, with what it was told. */
function tab(options: AuthOptions = {}) {
  const events: AuthEvent['type'][] = [];
  const onEvent = (event: AuthEvent) => events.push(event.type);
  const navigate = vi.fn();
  const auth = createAuth({ baseUrl: BASE_URL, fetch: server.fetch, onEvent, navigate, ...options });
  clients.push(auth);
  return { auth, events, navigate };
}

async function readyTab(options: AuthOptions = {}) {
  const made = tab(options);
  await made.auth.ready();
  return made;
}

function statusOf(auth: Auth, status: string) {
  return vi.waitUntil(() => auth.getState().status === status);
}

test('a login in another tab is followed, and so is a logout, without asking and without a redirect', async () => {
  const here = await readyTab();
  const there = await readyTab();
  await there.auth.signIn(ADA);
  await statusOf(here.auth, 'signed-in');
  expect(here.auth.getState().user?.username).toBe('ada');
  const asked = server.count(ME);
  await there.auth.signOut();
  await statusOf(here.auth, 'signed-out');
  expect(here.auth.getState().error).toBeNull();
  expect(here.events).toEqual(['signed-out']);
  expect(here.navigate).not.toHaveBeenCalled();
  expect(server.count(ME)).toBe(asked);
});

test('a storage of your own is followed between tabs too', async () => {
  const storage = sharedStorage();
  const here = await readyTab({ storage });
  const there = await readyTab({ storage });
  await there.auth.signIn(ADA);
  await statusOf(here.auth, 'signed-in');
  expect(here.auth.getState().token).toBe(there.auth.getState().token);
  await there.auth.signOut();
  await statusOf(here.auth, 'signed-out');
});

test.each(['memory', 'session', 'cookie'] as const)('what belongs to one tab stays there (%s)', async (storage) => {
  const here = await readyTab({ storage: storage === 'session' ? sharedStorage() : storage });
  const there = await readyTab({ storage: storage === 'session' ? storage : 'memory' });
  await here.auth.signIn(ADA);
  const heard = new BroadcastChannel(KEY);
  const word = new Promise((resolve) => {
    heard.onmessage = resolve;
  });
  await there.auth.signIn({ ...ADA, login: 'grace' });
  await word;
  heard.close();
  expect(here.auth.getState().user?.username).toBe('ada');
  await there.auth.signOut();
  await expect(here.auth.me()).resolves.toMatchObject({ username: 'ada' });
});

test('no token ever travels between tabs', async () => {
  const told = vi.spyOn(BroadcastChannel.prototype, 'postMessage');
  for (const storage of ['local', 'cookie'] as const) {
    const { auth } = await readyTab({ storage });
    await auth.signIn(ADA);
    await auth.getToken();
    await auth.refresh();
    await auth.changePassword({ current_password: ADA.password, new_password: ADA.password });
    await auth.signOut();
  }
  expect(told.mock.calls.flat()).toEqual(['signed-in', 'signed-out', 'signed-in', 'signed-out']);
});

test('a change of the stored session is followed, whoever made it, and no other change', async () => {
  const { auth: first } = await readyTab({ storage: 'local' });
  await first.signIn(ADA);
  const text = localStorage.getItem(KEY) ?? '';
  first.dispose();
  const { auth, events } = await readyTab({ storage: 'local' });

  localStorage.removeItem(KEY);
  window.dispatchEvent(new StorageEvent('storage', { key: 'something else' }));
  expect(auth.getState().loggedIn).toBe(true);
  window.dispatchEvent(new StorageEvent('storage', { key: null }));
  await statusOf(auth, 'signed-out');
  localStorage.setItem(KEY, text);
  window.dispatchEvent(new StorageEvent('storage', { key: KEY }));
  await statusOf(auth, 'signed-in');
  expect(events).toEqual(['signed-out', 'signed-in']);
});

test.each(['cookie', 'local'] as const)('a page that is seen again looks who is signed in (%s)', async (storage) => {
  const { auth, events, navigate } = await readyTab({ storage });
  await auth.signIn(ADA);
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  server.endAllSessions();
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await statusOf(auth, 'signed-out');
  expect(auth.getState().error).toMatchObject({ status: 401 });
  expect(events).toEqual(['signed-in', 'session-ended']);
  expect(navigate).toHaveBeenCalledOnce();
});

test('a page without a session asks nobody when it is seen again, where tokens are kept', async () => {
  await readyTab({ storage: 'local' });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await new Promise(setImmediate);
  expect(server.requests).toEqual([]);
});

test('a device that wakes renews what has ended in its sleep', async () => {
  const { auth } = await readyTab({ storage: 'local' });
  await auth.signIn(ADA);
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + 8 * 3_600_000);
  server.expireAccessTokens();
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await server.received(ME);
  expect(server.requests.slice(1)).toEqual([`POST ${REFRESH}`, ME]);
});

test('a page that could not ask at first does when its network is back', async () => {
  await tab().auth.signIn(ADA);
  const mend = server.breakUntilMended('/api/auth/me', () => {
    throw new TypeError('offline');
  });
  const { auth } = await readyTab();
  expect(auth.getState().status).toBe('unknown');
  mend();
  window.dispatchEvent(new Event('online'));
  await statusOf(auth, 'signed-in');
});

test('a network that is back ends the pause of one that was gone, and no pause that the server asked for', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
  const { auth } = tab({ storage: 'memory' });
  await auth.signIn(ADA);
  const offline = server.breakUntilMended(REFRESH, () => {
    throw new TypeError('offline');
  });
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'network_error' });
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'network_error' });
  expect(server.count(`POST ${REFRESH}`)).toBe(1);
  offline();
  window.dispatchEvent(new Event('online'));
  await auth.refresh();
  expect(server.count(`POST ${REFRESH}`)).toBe(2);
  server.breakOnce(REFRESH, () => problem(429, 'rate_limited', { 'retry-after': '60' }));
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'rate_limited' });
  window.dispatchEvent(new Event('online'));
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'rate_limited' });
  expect(server.count(`POST ${REFRESH}`)).toBe(3);
});

test('making a client does nothing, and one that is disposed of hears nothing until it begins again', async () => {
  const listens = vi.spyOn(globalThis, 'addEventListener');
  const { auth } = tab();
  expect(listens).not.toHaveBeenCalled();
  await auth.ready();
  auth.dispose();
  const other = await readyTab();
  await other.auth.signIn(ADA);
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await vi.waitUntil(() => server.count(ME) === 3);
  expect(auth.getState().status).toBe('loading');
  await auth.ready();
  expect(auth.getState().loggedIn).toBe(true);
  await other.auth.signOut();
  await statusOf(auth, 'signed-out');
});

test('a module that is reloaded while its old client lives on logs nobody out', async () => {
  const before = tab({ storage: 'local' });
  await before.auth.signIn(ADA);
  const after = await readyTab({ storage: 'local' });
  for (let round = 0; round < 5; round += 1) {
    for (const { auth } of [before, after]) await auth.refresh();
    await Promise.all([before.auth.me(), after.auth.me()]);
  }
  expect(after.auth.getState()).toMatchObject({ loggedIn: true, error: null });
  expect(before.events).not.toContain('session-ended');
});
