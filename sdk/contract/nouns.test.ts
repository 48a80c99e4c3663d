/**
 * What users do with their account, their todos and their documents, against the real server at `VESTIBULE_URL`: with tokens, and with the cookie as a
 * browser would keep it.
 */

import { beforeEach, expect, test } from 'vitest';
import { type AuthOptions, createAuth } from '../src/index.ts';
import { setUp } from '../src/setup.ts';
import { sharedStorage } from '../tests/fake-server.ts';

const baseUrl = process.env.VESTIBULE_URL ?? '';
if (!baseUrl) throw new Error('VESTIBULE_URL must be the address of a running server');

const password = 'a quiet hall of seven arches';
const CHANGE = { current_password: password, new_password: 'another hall of nine arches' };
let username: string;

beforeEach(() => {
  username = `own${crypto.randomUUID().slice(0, 8)}`;
});

const KINDS: [string, () => AuthOptions][] = [
  ['tokens', () => ({ storage: 'memory' })],
  ['cookie', () => ({ storage: 'cookie', fetch: browserFetch() })],
];

async function registered(options: AuthOptions) {
  const auth = createAuth({ baseUrl, ...options });
  await auth.signUp({ email: `${username}@example.org`, username, password });
  return auth;
}

async function loggedIn(options: AuthOptions, secret = password) {
  const auth = createAuth({ baseUrl, ...options });
  await auth.signIn({ login: username, password: secret });
  return auth;
}

test.each(KINDS)('the profile is read and changed (%s)', async (_kind, options) => {
  const auth = await registered(options());
  const renamed = await auth.profile.update({ name: 'Ada Lovelace' });
  expect(renamed).toMatchObject({ name: 'Ada Lovelace', username });
  await expect(auth.profile.get()).resolves.toEqual(renamed);
  const email = `new-${username}@example.org`;
  await expect(auth.profile.update({ email })).rejects.toMatchObject({
    code: 'validation_failed',
    errors: [expect.objectContaining({ field: 'current_password' })],
  });
  await expect(auth.profile.update({ email, current_password: 'wrong' })).rejects.toMatchObject({
    status: 401,
    code: 'invalid_credentials',
  });
  const moved = await auth.profile.update({ email, username: null, name: null, current_password: password });
  expect(moved).toMatchObject({ email, username: null, name: null });
  expect(auth.getState()).toMatchObject({ loggedIn: true, user: moved });
});

test.each(KINDS)(
  'a changed password ends every other session, and this client goes on (%s)',
  async (_kind, options) => {
    const auth = await registered(options());
    const elsewhere = await loggedIn({ storage: 'memory' });
    await auth.getToken();
    await auth.changePassword(CHANGE);
    await expect(auth.me()).resolves.toMatchObject({ username });
    const answer = await auth.fetch('/api/auth/me', { headers: { authorization: `Bearer ${await auth.getToken()}` } });
    expect(answer.status).toBe(200);
    await expect(elsewhere.me()).rejects.toMatchObject({ status: 401 });
    await expect(loggedIn({ storage: 'memory' })).rejects.toMatchObject({ code: 'invalid_credentials' });
    await expect(auth.sessions.list()).resolves.toMatchObject([{ current: true }]);
  },
);

test('the tabs of a browser take over the tokens of a changed password', async () => {
  const storage = sharedStorage();
  const auth = await registered({ storage });
  const tabs = Array.from({ length: 5 }, () => createAuth({ baseUrl, storage }));
  await Promise.all(tabs.map((tab) => tab.ready()));
  await auth.changePassword(CHANGE);
  const users = await Promise.all([...tabs, auth].map((tab) => tab.me()));
  expect(users.map((user) => user.username)).toEqual(Array(6).fill(username));
});

test.each(KINDS)('sessions are listed and ended, one or all but this (%s)', async (kind, options) => {
  const auth = await registered(options());
  const others = [await loggedIn({ storage: 'memory' }), await loggedIn({ storage: 'memory' })];
  const sessions = await auth.sessions.list();
  expect(sessions).toHaveLength(3);
  expect(sessions.filter(({ current }) => current)).toEqual([
    {
      id: expect.any(String),
      kind: kind === 'cookie' ? 'cookie' : 'token',
      device: expect.any(String),
      address: expect.any(String),
      created_at: expect.stringMatching(/Z$/),
      last_used_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
      current: true,
    },
  ]);
  await auth.sessions.end(sessions.find(({ current }) => !current)?.id ?? '');
  await expect(auth.sessions.list()).resolves.toHaveLength(2);
  await auth.sessions.endOthers();
  await expect(auth.sessions.list()).resolves.toMatchObject([{ current: true }]);
  for (const other of others) await expect(other.me()).rejects.toMatchObject({ status: 401 });
  await expect(auth.sessions.end(crypto.randomUUID())).rejects.toMatchObject({ status: 404, code: 'not_found' });
});

test.each(KINDS)('an account is deleted with the password alone (%s)', async (_kind, options) => {
  const auth = await registered(options());
  await expect(auth.profile.delete({ current_password: 'wrong' })).rejects.toMatchObject({
    code: 'invalid_credentials',
  });
  expect(auth.getState().loggedIn).toBe(true);
  await auth.profile.delete({ current_password: password });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: null });
  await expect(loggedIn({ storage: 'memory' })).rejects.toMatchObject({ code: 'invalid_credentials' });
});

test('a set-up with a code that the server has not given is refused', async () => {
  const auth = createAuth({ baseUrl, storage: 'memory' });
  const account = { email: `${username}@example.org`, username, password };
  await expect(setUp(auth, { ...account, code: 'made up' })).rejects.toMatchObject({
    status: 403,
    code: 'setup_refused',
  });
});

test.each(KINDS)('todos are kept, found, changed by version and removed (%s)', async (_kind, options) => {
  const auth = await registered(options());
  const made = await auth.todos.create({ title: 'Buy milk', description: 'Two pints.' });
  expect(made).toMatchObject({ title: 'Buy milk', completed: false, due_at: null });
  await auth.todos.create({ title: 'Water the plants', due_at: '2030-01-01T00:00:00Z', completed: true });
  await expect(auth.todos.get(made.id)).resolves.toEqual(made);
  const done = await auth.todos.update(made.id, { completed: true }, { ifMatch: made.etag });
  expect(done.etag).not.toBe(made.etag);
  const late = auth.todos.update(made.id, { title: 'x' }, { ifMatch: made.etag });
  await expect(late).rejects.toMatchObject({ status: 412, code: 'precondition_failed' });
  const found = await auth.todos.list({ q: 'MILK', completed: true, sort: 'title', limit: 1, offset: 0 });
  const { etag: _, ...item } = done;
  expect(found).toEqual({ items: [item], total: 1, limit: 1, offset: 0 });
  await expect(auth.todos.list()).resolves.toMatchObject({ total: 2 });
  await auth.todos.remove(made.id, { ifMatch: done.etag });
  await expect(auth.todos.get(made.id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
});

test.each(KINDS)('documents are kept as they are, by version (%s)', async (_kind, options) => {
  const auth = await registered(options());
  await expect(auth.data.get('settings')).resolves.toBeNull();
  const etag = await auth.data.set('settings', { theme: 'dark' }, { ifNoneMatch: '*' });
  const again = auth.data.set('settings', {}, { ifNoneMatch: '*' });
  await expect(again).rejects.toMatchObject({ status: 412, code: 'precondition_failed' });
  await expect(auth.data.get('settings')).resolves.toEqual({ value: { theme: 'dark' }, etag });
  for (const value of [[1], 'text', '', 0, false, null]) {
    await auth.data.set('any', value);
    await expect(auth.data.get('any')).resolves.toMatchObject({ value });
  }
  await expect(auth.data.list()).resolves.toMatchObject([{ key: 'any' }, { key: 'settings', etag }]);
  await auth.data.remove('settings', { ifMatch: etag });
  await expect(auth.data.get('settings')).resolves.toBeNull();
});

test.each(KINDS)('everything about the user is one file (%s)', async (_kind, options) => {
  const auth = await registered(options());
  await auth.data.set('settings', { theme: 'dark' });
  const file = JSON.parse(await (await auth.profile.export()).text());
  expect(file).toMatchObject({ user: { username }, documents: [{ key: 'settings' }], todos: [] });
});

test.each(KINDS)('a sign-out ends the other sessions, or all (%s)', async (_kind, options) => {
  const auth = await registered(options());
  const other = await loggedIn({ storage: 'memory' });
  await auth.signOut({ scope: 'others' });
  await expect(other.me()).rejects.toMatchObject({ status: 401 });
  const another = await loggedIn({ storage: 'memory' });
  await auth.signOut({ scope: 'global' });
  expect(auth.getState().status).toBe('signed-out');
  await expect(another.me()).rejects.toMatchObject({ status: 401 });
});

/** `fetch` as a page of the server's own origin has it, with one cookie kept out of the script's sight. */
function browserFetch(): typeof fetch {
  let cookie = '';
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('origin', baseUrl);
    if (cookie) headers.set('cookie', cookie);
    const answer = await fetch(input, { ...init, headers });
    for (const set of answer.headers.getSetCookie()) cookie = set.split(';')[0] ?? '';
    return answer;
  };
}
