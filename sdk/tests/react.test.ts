// @vitest-environment jsdom
/**
 * The session as components see it, with the real React: in Strict Mode, rendered on a server and hydrated.
 */

import { act, createElement, type ReactNode, StrictMode } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Auth, type AuthOptions, createAuth } from '../src/index.ts';
import { AuthProvider, RequireAuth, SignedIn, SignedOut, useAuth, useUser } from '../src/react.ts';
import { BASE_URL, FakeServer, sharedStorage } from './fake-server.ts';

const ADA = { login: 'ada', password: 'correct horse' };
let server: FakeServer;
let page: HTMLElement;
let root: Root | null;
let clients: Auth[];

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.spyOn(console, 'error');
  server = new FakeServer();
  page = document.createElement('div');
  root = null;
  clients = [];
});

afterEach(() => {
  act(() => root?.unmount());
  for (const auth of clients) auth.dispose();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  window.history.replaceState(null, '', '/');
});

function client(options: AuthOptions = {}) {
  const auth = createAuth({ baseUrl: BASE_URL, fetch: server.fetch, ...options });
  clients.push(auth);
  return auth;
}

function Names() {
  const { loggedIn, loading, token, auth } = useAuth();
  const user = useUser();
  return `${user?.username ?? 'nobody'}, ${loading ? 'loading' : loggedIn}, ${token ? 'token' : 'no token'}, ${typeof auth.fetch}`;
}

async function show(auth: Auth, children: ReactNode) {
  root = createRoot(page);
  const app = createElement(StrictMode, null, createElement(AuthProvider, { auth }, children));
  await act(async () => root?.render(app));
}

const both = [
  createElement(SignedIn, { key: 'in' }, 'Welcome.'),
  createElement(SignedOut, { key: 'out' }, 'Please log in.'),
];

test('the provider looks who is signed in, once in Strict Mode too', async () => {
  await client().signIn(ADA);
  const auth = client();
  await show(auth, createElement(Names));
  expect(page.textContent).toBe('ada, true, no token, function');
  expect(server.count('GET /api/auth/me')).toBe(1);
});

test('components follow a login and a logout', async () => {
  const auth = client({ storage: 'memory' });
  await show(auth, [...both, createElement(Names, { key: 'names' })]);
  expect(page.textContent).toBe('Please log in.nobody, false, no token, function');
  await act(() => auth.signIn(ADA));
  expect(page.textContent).toBe('Welcome.ada, true, token, function');
  await act(() => auth.signOut());
  expect(page.textContent).toBe('Please log in.nobody, false, no token, function');
});

test('until it is known who is signed in, neither is shown', async () => {
  const release = server.holdBack('/api/auth/me');
  const auth = client();
  await show(auth, both);
  expect(page.textContent).toBe('');
  release();
  await act(() => auth.ready());
  expect(page.textContent).toBe('Please log in.');
});

test('a server out of reach is no reason to show the login', async () => {
  server.breakOnce('/api/auth/me', () => {
    throw new TypeError('offline');
  });
  const navigate = vi.fn();
  await show(client({ navigate }), [
    ...both,
    createElement(RequireAuth, { key: 'guarded', fallback: 'Just a moment.' }, 'Members.'),
  ]);
  expect(page.textContent).toBe('Just a moment.');
  expect(navigate).not.toHaveBeenCalled();
});

test('whoever is not signed in is sent to the login page, from where this one is found again', async () => {
  window.history.replaceState(null, '', '/members/?page=2#top');
  const navigate = vi.fn((path: string) => window.history.pushState(null, '', path));
  const auth = client({ navigate });
  await show(auth, createElement(RequireAuth, { fallback: 'Just a moment.' }, 'Members.'));
  expect(page.textContent).toBe('Just a moment.');
  expect(navigate.mock.calls).toEqual([['/login?next=%2Fmembers%2F%3Fpage%3D2%23top']]);
  expect(auth.nextPath()).toBe('/members/?page=2#top');
  await act(() => auth.signIn(ADA));
  expect(page.textContent).toBe('Members.');
});

test('a page that is rendered on a server is hydrated without a word of React, and then told who is signed in', async () => {
  const storage = sharedStorage();
  await client({ storage }).signIn(ADA);
  const app = (auth: Auth) =>
    createElement(StrictMode, null, createElement(AuthProvider, { auth }, createElement(Names), ...both));
  page.innerHTML = renderToString(app(client({ storage: 'memory' })));
  expect(page.textContent).toBe('nobody, loading, no token, function');

  // The browser may know more than the server by the time it hydrates.
  const auth = client({ storage });
  await auth.ready();
  const recovered = vi.fn();
  await act(async () => {
    root = hydrateRoot(page, app(auth), { onRecoverableError: recovered });
  });
  expect(page.textContent).toBe('ada, true, token, functionWelcome.');
  expect(recovered).not.toHaveBeenCalled();
  expect(console.error).not.toHaveBeenCalled();
});

test('a client that is disposed of and used again, as an effect in Strict Mode does, goes on', async () => {
  const storage = sharedStorage();
  await client({ storage }).signIn(ADA);
  const auth = client({ storage });
  auth.ready();
  auth.dispose();
  await show(auth, createElement(Names));
  expect(page.textContent).toBe('ada, true, token, function');
});

test('without a provider the mistake is named', () => {
  vi.mocked(console.error).mockImplementation(() => {});
  expect(() => renderToString(createElement(Names))).toThrow('useAuth needs an AuthProvider above it');
});
