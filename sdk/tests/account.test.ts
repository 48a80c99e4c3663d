/**
 * What users do with their account, and what each of these calls means for the session; with cookies and with tokens.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  changePassword,
  deleteAccount,
  endOtherSessions,
  endSession,
  getProfile,
  listSessions,
  setUp,
  updateProfile,
} from '../src/account.ts';
import { type Auth, type AuthEvent, type AuthOptions, createAuth } from '../src/index.ts';
import { BASE_URL, FakeServer, problem, sharedStorage } from './fake-server.ts';

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
  const user = await updateProfile(auth, { name: 'Ada Lovelace' });
  expect(user.name).toBe('Ada Lovelace');
  expect(auth.getState().user).toBe(user);
  await expect(getProfile(auth)).resolves.toEqual(user);
});

test.each(KINDS)('a wrong password is asked once, and the session goes on (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  const calls = [
    updateProfile(auth, { email: 'b@example.org', current_password: 'wrong' }),
    changePassword(auth, { ...CHANGE, current_password: 'wrong' }),
    deleteAccount(auth, { current_password: 'wrong' }),
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
  await expect(changePassword(auth, CHANGE)).resolves.toMatchObject({ username: 'ada' });
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
  await changePassword(auth, CHANGE);
  expect(written).toHaveBeenCalledOnce();
  await expect(otherTab.me()).resolves.toMatchObject({ username: 'ada' });
  expect(otherTab.getState().token).toBe(auth.getState().token);
  expect(server.count(`POST ${REFRESH}`)).toBe(0);
});

test.each(KINDS)('what is asked while the password changes waits, and nobody is logged out (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  const release = server.holdBack(PASSWORD);
  const changed = changePassword(auth, CHANGE);
  await server.received(`POST ${PASSWORD}`);
  const asked = [auth.me(), auth.refresh(), listSessions(auth)];
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
  const changed = changePassword(auth, CHANGE);
  await server.received('GET /api/auth/me');
  expect(server.count(`POST ${PASSWORD}`)).toBe(0);
  release();
  await Promise.all([refreshed, changed]);
  await expect(auth.me()).resolves.toMatchObject({ username: 'ada' });
});

test('a password is changed with a fresh token where the held one has expired', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  server.expireAccessTokens();
  await changePassword(auth, CHANGE);
  expect(server.count(`POST ${PASSWORD}`)).toBe(1);
  expect(auth.getState().loggedIn).toBe(true);
});

test('a sign-out called during a change of password ends the new session', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  const release = server.holdBack(PASSWORD);
  const changed = changePassword(auth, CHANGE);
  const out = auth.signOut();
  release();
  await Promise.all([changed, out]);
  expect(auth.getState().status).toBe('signed-out');
  const after = client({ storage: 'memory' });
  await after.signIn({ ...ADA, password: CHANGE.new_password });
  await expect(listSessions(after)).resolves.toHaveLength(1);
});

test('a sign-out in another tab during a change of password is not undone', async () => {
  const storage = sharedStorage();
  const auth = await signedInClient({ storage });
  const otherTab = client({ storage });
  await otherTab.ready();
  const release = server.holdBack(PASSWORD);
  const changed = changePassword(auth, CHANGE);
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
  const sessions = await listSessions(auth);
  expect(sessions.map(({ current }) => current)).toEqual([false, false, false, true]);
  await endSession(auth, sessions[0]?.id ?? '');
  await expect(listSessions(auth)).resolves.toEqual(sessions.slice(1));
  await expect(endSession(auth, 'nothing/like it')).rejects.toMatchObject({ status: 404 });
  await endOtherSessions(auth);
  await expect(listSessions(auth)).resolves.toEqual(sessions.slice(3));
});

test.each(KINDS)('a session that has ended is noticed by whatever is asked (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  server.endAllSessions();
  await expect(listSessions(auth)).rejects.toMatchObject({ status: 401 });
  expect(auth.getState().status).toBe('signed-out');
  expect(events).toEqual(['signed-in', 'session-ended']);
});

test.each(KINDS)('a deleted account is a sign-out (%s)', async (storage) => {
  const auth = await signedInClient({ storage });
  await deleteAccount(auth, { current_password: ADA.password });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', user: null, error: null });
  expect(events).toEqual(['signed-in', 'signed-out']);
});

test('an account that could not be deleted leaves the session as it is', async () => {
  const auth = await signedInClient();
  server.breakOnce('/api/user/profile/delete', () => problem(409, 'conflict'));
  await expect(deleteAccount(auth, { current_password: ADA.password })).rejects.toMatchObject({ code: 'conflict' });
  expect(auth.getState().loggedIn).toBe(true);
});

test('the first administrator is set up with the code of the link, and is signed in', async () => {
  const auth = client();
  const account = { email: 'ada@example.org', password: 'correct horse' };
  await expect(setUp(auth, { ...account, code: 'another' })).rejects.toMatchObject({ code: 'setup_refused' });
  await setUp(auth, { ...account, code: 'the code' });
  expect(auth.getState()).toMatchObject({ loggedIn: true, user: { username: account.email } });
});

test('a client that createAuth did not make is told apart', () => {
  expect(() => getProfile({} as Auth)).toThrow(/createAuth/);
});
