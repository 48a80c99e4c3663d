/**
 * The client against the real server at `VESTIBULE_URL`: what the fake of the unit tests only claims, and the faults
 * of a network that no fake should be trusted with.
 */

import { beforeAll, expect, test, vi } from 'vitest';
import { type AuthOptions, createAuth } from '../src/index.ts';
import { sharedStorage } from '../tests/fake-server.ts';

const baseUrl = process.env.VESTIBULE_URL;
if (!baseUrl) throw new Error('VESTIBULE_URL must be the address of a running server');

const username = `tab${crypto.randomUUID().slice(0, 8)}`;
const account = { email: `${username}@example.org`, username, password: 'a quiet hall of seven arches' };
const credentials = { login: username, password: account.password };
const REFRESH = '/api/auth/refresh';

function client(options: AuthOptions = {}) {
  return createAuth({ baseUrl: baseUrl ?? '', storage: 'memory', ...options });
}

beforeAll(async () => {
  const user = await client().signUp(account);
  expect(user).toMatchObject({ email: account.email, username, name: null, roles: [], email_verified: false });
});

test('login, me, refresh and logout work with tokens', async () => {
  const auth = client();
  await auth.signIn(credentials);
  const first = await auth.getToken();
  await auth.refresh();
  await expect(auth.getToken()).resolves.not.toBe(first);
  await expect(auth.me()).resolves.toMatchObject({ username });
  const token = await auth.getToken();
  await auth.signOut();
  const answer = await fetch(`${baseUrl}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(401);
});

test('refusals arrive as AuthError with the codes of the contract', async () => {
  const auth = client();
  await expect(auth.signIn({ login: username, password: 'wrong' })).rejects.toMatchObject({
    status: 401,
    code: 'invalid_credentials',
    requestId: expect.any(String),
  });
  await expect(auth.signUp(account)).rejects.toMatchObject({ status: 409, code: 'email_taken' });
  const invalid = { email: 'nonsense', password: 'short' };
  await expect(auth.signUp(invalid)).rejects.toMatchObject({
    status: 422,
    code: 'validation_failed',
    errors: expect.arrayContaining([
      expect.objectContaining({ field: 'email' }),
      expect.objectContaining({ field: 'password' }),
    ]),
  });
});

test('twenty tabs that refresh at once all stay signed in, round after round', async () => {
  const storage = sharedStorage();
  await client({ storage }).signIn(credentials);
  const tabs = Array.from({ length: 20 }, () => client({ storage }));
  await Promise.all(tabs.map((tab) => tab.ready()));
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(tabs.map((tab) => tab.refresh()));
    const users = await Promise.all(tabs.map((tab) => tab.me()));
    expect(users.map((user) => user.username)).toEqual(Array(20).fill(username));
  }
});

test('an answer to a refresh that the network loses logs nobody out', async () => {
  let refreshes = 0;
  const lossy: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (!String(input).endsWith(REFRESH)) return answer;
    refreshes += 1;
    if (refreshes % 2 === 1) throw new TypeError('The connection was reset.');
    return answer;
  };
  const auth = client({ fetch: lossy });
  await auth.signIn(credentials);
  for (let round = 0; round < 5; round += 1) {
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'network_error' });
    // The pause after a failure is short of a second.
    await vi.waitUntil(
      () =>
        auth.refresh().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    );
  }
  await expect(auth.me()).resolves.toMatchObject({ username });
}, 60_000);

test('a session ended elsewhere is noticed', async () => {
  const storage = sharedStorage();
  const auth = client({ storage });
  await auth.signIn(credentials);
  const elsewhere = client({ storage: { ...storage, removeItem: () => {} } });
  await elsewhere.ready();
  await elsewhere.signOut();
  await expect(auth.me()).rejects.toMatchObject({ status: 401 });
  expect(auth.getState()).toMatchObject({ status: 'signed-out', error: { status: 401 } });
});
