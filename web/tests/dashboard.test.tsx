/**
 * The dashboard, the way out of it, and the page for everything else.
 */

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { ADA, address, gone, ok, openApp, refused } from './app.tsx';

afterEach(() => document.head.replaceChildren());

function announce(name: string, content: string) {
  document.head.append(Object.assign(document.createElement('meta'), { name, content }));
}

test('the dashboard shows whose account it is', async () => {
  openApp('/dashboard', { 'GET /api/auth/me': ok(ADA) });
  await screen.findByRole('heading', { name: 'Welcome, Ada Lovelace' });
  for (const fact of ['ada@example.org', 'ada', 'staff', 'March 1, 2026', ADA.id]) screen.getByText(fact);
  await waitFor(() => expect(document.title).toBe('Dashboard · Vestibule'));
});

test('the dashboard leads to the areas that the server names, and never off the site', async () => {
  announce('vestibule-name', 'The Reading Room');
  announce('vestibule-areas', '/members/ /staff/price-list/ javascript:alert(1)');
  openApp('/dashboard', { 'GET /api/auth/me': ok(ADA) });
  await screen.findByText('You are logged in to The Reading Room.');
  const links = screen.getAllByRole('listitem').map((item) => item.querySelector('a')?.getAttribute('href'));
  expect(links).toEqual(['/members/', '/staff/price-list/', '/']);
  screen.getByText('Price list');
});

test('without a session the dashboard asks for a login', async () => {
  openApp('/dashboard');
  await screen.findByRole('heading', { name: 'Log in' });
  expect(address()).toBe('/login');
});

test('logging out ends at the login page and says so', async () => {
  const { requests } = openApp('/dashboard', { 'GET /api/auth/me': ok(ADA), 'POST /api/auth/logout': gone });
  fireEvent.click(await screen.findByRole('button', { name: 'Log out' }));
  await screen.findByText(/You are logged out/);
  expect(requests.at(-1)?.request).toBe('POST /api/auth/logout');
});

test('a logout that failed says that one is still logged in', async () => {
  openApp('/dashboard', { 'GET /api/auth/me': ok(ADA), 'POST /api/auth/logout': refused(503, 'unavailable') });
  fireEvent.click(await screen.findByRole('button', { name: 'Log out' }));
  expect((await screen.findByText(/still logged in/)).closest('[role="alert"]')).not.toBeNull();
});

test('a session that ended elsewhere is noticed when the tab is seen again', async () => {
  const { script } = openApp('/dashboard', { 'GET /api/auth/me': ok(ADA) });
  await screen.findByRole('heading', { name: 'Welcome, Ada Lovelace' });
  script['GET /api/auth/me'] = refused(401, 'revoked_token');
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await screen.findByText(/session has ended/);
});

test('a page that does not exist is said to be missing', async () => {
  openApp('/dashboard/nothing');
  await screen.findByRole('heading', { name: 'There is no door here' });
  expect(document.title).toBe('Page not found · Vestibule');
});
