/**
 * The set-up page.
 */

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ADA, address, created, openApp, refused } from './app.tsx';

const LINK = '/setup#code=a-secret';

async function setUpWith(values: Record<string, string>) {
  await screen.findByRole('heading', { name: 'Set up Vestibule' });
  for (const [label, value] of Object.entries(values))
    fireEvent.change(screen.getByLabelText(new RegExp(`^${label}`), { selector: 'input' }), { target: { value } });
  fireEvent.click(screen.getByRole('button', { name: 'Create administrator' }));
}

const FILLED_IN = { 'E-mail': 'ada@example.org', Password: 'correct horse' };

test('a link that has lost its code is told, with where the whole one is', async () => {
  openApp('/setup#code=');
  const heading = await screen.findByRole('heading', { name: 'The set-up needs its link' });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  screen.getByText('setup-link');
});

test('the code leaves the address bar at once and is sent with the account', async () => {
  const { requests } = openApp(LINK, { 'POST /api/auth/setup': created({ user: ADA, expires_in: 604800 }) });
  expect(window.location.href).not.toContain('secret');
  await setUpWith({ ...FILLED_IN, Name: 'Ada Lovelace' });
  await screen.findByRole('heading', { name: 'Welcome, Ada Lovelace' });
  expect(address()).toBe('/dashboard');
  expect(requests.find(({ request }) => request === 'POST /api/auth/setup')?.body).toEqual({
    code: 'a-secret',
    email: 'ada@example.org',
    password: 'correct horse',
    name: 'Ada Lovelace',
    mode: 'cookie',
  });
  expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
});

test('a link that is no longer good is explained with what to do, and a fresh one works in the same tab', async () => {
  openApp('/setup#code=old', { 'POST /api/auth/setup': refused(403, 'setup_refused') });
  await setUpWith(FILLED_IN);
  const heading = await screen.findByRole('heading', { name: /does not open the set-up any more/ });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  screen.getByText(/Restart the server/);
  screen.getByText(/vestibule user add/);
  window.location.hash = '#code=fresh';
  await screen.findByRole('heading', { name: 'Set up Vestibule' });
  expect(window.location.hash).toBe('');
});

test('what is wrong with a field stands at the field, and the form stays', async () => {
  const errors = [{ field: 'password', code: 'too_short', message: 'Use at least 8 characters.' }];
  openApp(LINK, { 'POST /api/auth/setup': refused(422, 'validation_failed', { errors }) });
  await setUpWith(FILLED_IN);
  await waitFor(() =>
    expect(document.getElementById('password-error')?.textContent).toBe('Use at least 8 characters.'),
  );
});

test('a set-up that is tried too often is told with its time', async () => {
  openApp(LINK, { 'POST /api/auth/setup': refused(429, 'rate_limited', {}, { 'retry-after': '60' }) });
  await setUpWith(FILLED_IN);
  await waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(/60 seconds/));
});
