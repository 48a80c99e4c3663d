/**
 * Where visitors are sent, and that `next` leads to this origin or nowhere.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AuthOptions, createAuth, localPath } from '../src/index.ts';
import { BASE_URL, FakeServer } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
});

afterEach(() => vi.unstubAllGlobals());

/** The page of a browser that is at `path`; answers where it was sent. */
function at(path: string) {
  const assign = vi.fn();
  vi.stubGlobal('location', Object.assign(new URL(path, BASE_URL), { assign }));
  return assign;
}

async function signedInClient(options: AuthOptions = {}) {
  const auth = createAuth({ baseUrl: BASE_URL, fetch: server.fetch, ...options });
  await auth.signIn(ADA);
  return auth;
}

test.each(['cookie', 'memory'] as const)('a session that ends by itself leads to the login (%s)', async (storage) => {
  const sent = at('/members/?page=2#top');
  const auth = await signedInClient({ storage });
  server.endAllSessions();
  await expect(auth.refresh()).rejects.toMatchObject({ status: 401 });
  expect(sent.mock.calls).toEqual([['/login?next=%2Fmembers%2F%3Fpage%3D2%23top']]);
});

test('a sign-out that was asked for leads nowhere, and so does having no session at all', async () => {
  const sent = at('/members/');
  const auth = await signedInClient();
  await auth.signOut();
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'signed_out' });
  await createAuth({ baseUrl: BASE_URL, fetch: server.fetch }).ready();
  expect(sent).not.toHaveBeenCalled();
});

test('a trouble that passes leads nowhere', async () => {
  const sent = at('/members/');
  const auth = await signedInClient({ storage: 'memory' });
  server.breakOnce('/api/auth/refresh', () => new Response(null, { status: 503, headers: { 'retry-after': '9' } }));
  await expect(auth.refresh()).rejects.toMatchObject({ status: 503 });
  expect(sent).not.toHaveBeenCalled();
});

test('an app can send its visitors itself, elsewhere, or not at all', async () => {
  const sent = at('/members/');
  const navigate = vi.fn();
  for (const options of [{ navigate, loginPath: '/enter' }, { loginPath: null }]) {
    const auth = await signedInClient(options);
    server.endAllSessions();
    await auth.me().catch(() => {});
  }
  expect(navigate.mock.calls).toEqual([['/enter?next=%2Fmembers%2F']]);
  expect(sent).not.toHaveBeenCalled();
});

test('nobody is sent from the login page to itself', async () => {
  const sent = at('/login?next=%2Fmembers%2F');
  const auth = await signedInClient();
  server.endAllSessions();
  await auth.me().catch(() => {});
  expect(sent).not.toHaveBeenCalled();
});

test('outside of a page nobody is sent anywhere', async () => {
  const auth = await signedInClient({ storage: 'memory' });
  server.endAllSessions();
  await expect(auth.me()).rejects.toMatchObject({ status: 401 });
  expect(auth.nextPath()).toBe('/dashboard');
});

test.each([
  ['/login?next=%2Fmembers%2F%3Fpage%3D2%23top', '/members/?page=2#top'],
  ['/login', '/start'],
  ['/login?next=https%3A%2F%2Felsewhere.test%2F', '/start'],
  ['/login?next=%2Flogin', '/start'],
  ['/login?next=%2Flogin%3Fnext%3D%252F', '/start'],
])('from %s a login leads to %s', (path, next) => {
  at(path);
  expect(createAuth({ baseUrl: BASE_URL, afterLogin: '/start' }).nextPath()).toBe(next);
});

test.each(['/', '/members/a%20b?page=2&q=%2F%2F#top', '/a//b', '/@site', '/login-help'])(
  '%s is of this origin',
  (path) => {
    at('/');
    expect(localPath(path)).toBe(path);
  },
);

test.each([
  null,
  '',
  'members/',
  '//elsewhere.test',
  '///elsewhere.test',
  '/\\elsewhere.test',
  '\\\\elsewhere.test',
  '/a\\b',
  '/\t/elsewhere.test',
  '/\n/elsewhere.test',
  '/\u0000',
  '/\u0085/elsewhere.test',
  ' /members/',
  'https://elsewhere.test/',
  'https:elsewhere.test',
  'javascript:alert(1)',
  'data:text/html,hello',
  '/.//elsewhere.test',
  '/members/..//elsewhere.test',
  '/%2e//elsewhere.test',
])('%j is not', (next) => {
  at('/');
  expect(localPath(next)).toBeNull();
});
