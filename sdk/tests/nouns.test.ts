/**
 * What users do with their account, their todos and their documents, and what it means for the session; with cookies
 * and with tokens.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AuthEvent, type AuthOptions, createAuth } from '../src/index.ts';
import { setUp } from '../src/setup.ts';
import { BASE_URL, FakeServer, json, problem, sharedStorage } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
const CHANGE = { current_password: ADA.password, new_password: 'battery staple' };
const PASSWORD = '/api/auth/password';
const REFRESH = '/api/auth/refresh';
let server: FakeServer;
let events: AuthEvent['type'][];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  server = new FakeServer();
  events = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function client(options: AuthOptions = {}) {
  const onEvent = (event: AuthEvent) => events.push(event.type);
  return createAuth({ baseUrl: BASE_URL, fetch: server.fetch, onEvent, ...options });
}

async function signedInClient(options: AuthOptions = {}) {
  const auth = client(options);
  await auth.signIn(ADA);
  return auth;
}

const KINDS = [['cookie'], ['memory']] as const;

test.each(KINDS)('a changed profile is what getState() shows (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  const user = await auth.profile.update({ name: 'Ada Lovelace' });
  expect(user.name).toBe('Ada Lovelace');
  expect(auth.getState().user).toBe(user);
  await expect(auth.profile.get()).resolves.toEqual(user);
});

test.each(KINDS)('a wrong password is asked once, and the session goes on (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  const calls = [
    auth.profile.update({ email: 'b@example.org', current_password: 'wrong' }),
    auth.changePassword({ ...CHANGE, current_password: 'wrong' }),
    auth.profile.delete({ current_password: 'wrong' }),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'invalid_credentials' });
  for (const request of ['PATCH /api/user/profile', `POST ${PASSWORD}`, 'POST /api/user/profile/delete'])
    expect(server.count(request)).toBe(1);
  expect(auth.getState()).toMatchObject({ loggedIn: true, error: null });
  expect(server.count(`POST ${REFRESH}`)).toBe(0);
});

test.each(KINDS)('a changed password ends every other session and goes on with a new one (%s)', async (storage) => {
  const elsewhere = await signedInClient({ storage: 'memory' });
  const auth = await signedInClient({ storage });
  await expect(auth.changePassword(CHANGE)).resolves.toMatchObject({ username: 'ada' });
  expect(events).toEqual(['signed-in', 'signed-in']);
  await expect(auth.me()).resolves.toMatchObject({ username: 'ada' });
  await expect(auth.getToken()).resolves.toContain('access');
  await expect(elsewhere.me()).rejects.toMatchObject({ status: 401 });
  await expect(client().signIn(ADA)).rejects.toMatchObject({ code: 'invalid_credentials' });
});

test('the tokens after a change of password are in the storage at once and whole, for the other tabs', async () => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  const otherTab = client({ storage });
  await otherTab.ready();
  const written = vi.spyOn(storage, 'setItem');
  await auth.changePassword(CHANGE);
  expect(written).toHaveBeenCalledOnce();
  await expect(otherTab.me()).resolves.toMatchObject({ username: 'ada' });
  expect(otherTab.getState().token).toBe(auth.getState().token);
  expect(server.count(`POST ${REFRESH}`)).toBe(0);
});

test.each(KINDS)('what is asked while the password changes waits, and nobody is logged out (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  const release = server.holdBack(PASSWORD);
  const changed = auth.changePassword(CHANGE);
  await server.received(`POST ${PASSWORD}`);
  const asked = [auth.me(), auth.refresh(), auth.sessions.list()];
  expect(server.count(`POST ${REFRESH}`)).toBe(0);
  release();
  await Promise.all([changed, ...asked]);
  expect(auth.getState()).toMatchObject({ loggedIn: true, error: null });
});

test('a change of password waits for the refresh on its way', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  const release = server.holdBack(REFRESH);
  const refreshed = auth.refresh();
  await server.received(`POST ${REFRESH}`);
  const changed = auth.changePassword(CHANGE);
  await server.received('GET /api/auth/me');
  expect(server.count(`POST ${PASSWORD}`)).toBe(0);
  release();
  await Promise.all([refreshed, changed]);
  await expect(auth.me()).resolves.toMatchObject({ username: 'ada' });
});

test('a password is changed with a fresh token where the held one has expired', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  server.expireAccessTokens();
  await auth.changePassword(CHANGE);
  expect(server.count(`POST ${PASSWORD}`)).toBe(1);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a sign-out called during a change of password ends the new session', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  const release = server.holdBack(PASSWORD);
  const changed = auth.changePassword(CHANGE);
  const out = auth.signOut();
  release();
  await Promise.all([changed, out]);
  expect(auth.getState().status).toBe('signed-out');
  const after = client({ storage: 'memory' });
  await after.signIn({ ...ADA, password: CHANGE.new_password });
  await expect(after.sessions.list()).resolves.toHaveLength(1);
});

test('a sign-out in another tab during a change of password is not undone', async () => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  const otherTab = client({ storage });
  await otherTab.ready();
  const release = server.holdBack(PASSWORD);
  const changed = auth.changePassword(CHANGE);
  await server.received(`POST ${PASSWORD}`);
  await otherTab.signOut();
  release();
  await expect(changed).rejects.toMatchObject({ code: 'signed_out' });
  expect(auth.getState().status).toBe('signed-out');
  expect(storage.values.size).toBe(0);
});

test.each(KINDS)('sessions are listed and ended, one or all but this (%s)', async (storage) => {
  for (let count = 0; count < 3; count += 1) await signedInClient({ storage: 'memory' });
  const auth = await signedInClient({ storage });
  const sessions = await auth.sessions.list();
  expect(sessions.map(({ current }) => current)).toEqual([false, false, false, true]);
  await auth.sessions.end(sessions[0]?.id ?? '');
  await expect(auth.sessions.list()).resolves.toEqual(sessions.slice(1));
  await expect(auth.sessions.end('nothing/like it')).rejects.toMatchObject({ status: 404 });
  await auth.sessions.endOthers();
  await expect(auth.sessions.list()).resolves.toEqual(sessions.slice(3));
});

test.each(KINDS)('a session that has ended is noticed by whatever is asked (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  server.endAllSessions();
  await expect(auth.sessions.list()).rejects.toMatchObject({ status: 401 });
  expect(auth.getState().status).toBe('signed-out');
  expect(events).toEqual(['signed-in', 'session-ended']);
});

test.each(KINDS)('a deleted account is a sign-out (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  await auth.profile.delete({ current_password: ADA.password });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', user: null, error: null });
  expect(events).toEqual(['signed-in', 'signed-out']);
});

test('an account that could not be deleted leaves the session as it is', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/user/profile/delete', () => problem(409, 'conflict'));
  await expect(auth.profile.delete({ current_password: ADA.password })).rejects.toMatchObject({ code: 'conflict' });
  expect(auth.getState().loggedIn).toBe(true);
});

test('the first administrator is set up with the code of the link, and is signed in', async () => {
  const auth = client();
  const account = { email: 'ada@example.org', password: 'correct horse' };
  await expect(setUp(auth, { ...account, code: 'another' })).rejects.toMatchObject({ code: 'setup_refused' });
  await setUp(auth, { ...account, code: 'the code' });
  expect(auth.getState()).toMatchObject({ loggedIn: true, user: { username: account.email } });
});

const AT = '2026-01-31T12:00:00.000000Z';
const MILK = {
  id: 't1',
  title: 'Buy milk',
  description: '',
  completed: false,
  due_at: null,
  created_at: AT,
  updated_at: AT,
};

/** A client whose requests after the login are answered by `answer`, and what it sent, as text. */
async function scripted(answer: () => Response) {
  const sent: string[] = [];
  const auth = await signedInClient({
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (request.url.endsWith('/login')) return server.fetch(request);
      const conditions = ['if-match', 'if-none-match'].map((name) => request.headers.get(name)).filter(Boolean);
      const parts = [request.method, request.url.slice(BASE_URL.length), ...conditions, await request.text()];
      sent.push(parts.filter(Boolean).join(' '));
      return answer();
    },
  });
  return { auth, sent };
}

test('todos are listed, searched and paged; what is left out is not asked for', async () => {
  const page = { items: [MILK], total: 1, limit: 20, offset: 0 };
  const { auth, sent } = await scripted(() => json(200, page));
  await expect(auth.todos.list()).resolves.toEqual(page);
  await auth.todos.list({ completed: false, q: 'oat & milk', sort: 'due_at', limit: 5, offset: 10 });
  await auth.todos.list({ q: undefined, completed: true });
  expect(sent).toEqual([
    'GET /api/todos?',
    'GET /api/todos?completed=false&q=oat+%26+milk&sort=due_at&limit=5&offset=10',
    'GET /api/todos?completed=true',
  ]);
});

test('a todo brings its version, which a change can name', async () => {
  const { auth, sent } = await scripted(() => json(200, MILK, { etag: '"3"' }));
  await expect(auth.todos.create({ title: 'Buy milk' })).resolves.toEqual({ ...MILK, etag: '"3"' });
  const { id, etag } = await auth.todos.get('t1');
  await expect(auth.todos.update(id, { completed: true }, { ifMatch: etag })).resolves.toMatchObject({ etag: '"3"' });
  await auth.todos.update('a/b', { due_at: null });
  expect(sent).toEqual([
    'POST /api/todos {"title":"Buy milk"}',
    'GET /api/todos/t1',
    'PATCH /api/todos/t1 "3" {"completed":true}',
    'PATCH /api/todos/a%2Fb {"due_at":null}',
  ]);
});

test('a change for another version is refused, and a removed todo is nothing', async () => {
  const { auth } = await scripted(() => problem(412, 'precondition_failed'));
  const condition = { ifMatch: '"2"' };
  const refused = { status: 412, code: 'precondition_failed' };
  await expect(auth.todos.update('t1', { title: 'x' }, condition)).rejects.toMatchObject(refused);
  await expect(auth.todos.remove('t1', condition)).rejects.toMatchObject(refused);
  const removed = await scripted(() => new Response(null, { status: 204 }));
  await expect(removed.auth.todos.remove('t1', condition)).resolves.toBeUndefined();
  expect(removed.sent).toEqual(['DELETE /api/todos/t1 "2"']);
});

test.each([[{ theme: 'dark' }], [[1, 2]], ['text'], [''], [0], [false], [null]])('%j is a document', async (value) => {
  const { auth, sent } = await scripted(() => new Response(null, { status: 204, headers: { etag: '"2"' } }));
  await expect(auth.data.set('settings', value, { ifMatch: '"1"' })).resolves.toBe('"2"');
  expect(sent).toEqual([`PUT /api/user/data/settings "1" ${JSON.stringify(value)}`]);
  const holding = await scripted(() => json(200, value, { etag: '"2"' }));
  await expect(holding.auth.data.get('settings')).resolves.toEqual({ value, etag: '"2"' });
});

test('a document that is not there is null, and can be kept only where there is none', async () => {
  const { auth } = await scripted(() => problem(404, 'not_found'));
  await expect(auth.data.get('settings')).resolves.toBeNull();
  await expect(auth.data.remove('settings')).rejects.toMatchObject({ code: 'not_found' });
  const { auth: first, sent } = await scripted(() => new Response(null, { status: 201, headers: { etag: '"1"' } }));
  await expect(first.data.set('settings', {}, { ifNoneMatch: '*' })).resolves.toBe('"1"');
  expect(sent).toEqual(['PUT /api/user/data/settings * {}']);
});

test('a document that cannot be had is an error', async () => {
  const { auth } = await scripted(() => problem(503, 'unavailable'));
  await expect(auth.data.get('settings')).rejects.toMatchObject({ code: 'unavailable' });
});

test('documents are listed', async () => {
  const items = [{ key: 'settings', size: 2, etag: '"1"', updated_at: AT }];
  const { auth, sent } = await scripted(() => json(200, { items }));
  await expect(auth.data.list()).resolves.toEqual(items);
  expect(sent).toEqual(['GET /api/user/data']);
});

test('everything about the user is a file, byte for byte', async () => {
  const { auth } = await scripted(() => new Response('{"documents": [1.0]}', { status: 200 }));
  const file = await auth.profile.export();
  await expect(file.text()).resolves.toBe('{"documents": [1.0]}');
});

test.each(KINDS)('a sign-out ends this session, every other one, or all (%s)', async (storage) => {
  await signedInClient({ storage: 'memory' });
  const auth = await signedInClient({ storage });
  await auth.signOut({ scope: 'others' });
  await expect(auth.sessions.list()).resolves.toHaveLength(1);
  const elsewhere = await signedInClient({ storage: 'memory' });
  await auth.signOut({ scope: 'global' });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: null });
  await expect(elsewhere.me()).rejects.toMatchObject({ status: 401 });
  expect(events).toEqual(['signed-in', 'signed-in', 'signed-in', 'signed-out', 'session-ended']);
});

test('where the other sessions could not be ended, nothing is', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  server.breakOnce('/api/auth/sessions', () => problem(503, 'unavailable'));
  await expect(auth.signOut({ scope: 'global' })).rejects.toMatchObject({ code: 'unavailable' });
  expect(auth.getState().loggedIn).toBe(true);
});
