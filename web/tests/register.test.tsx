/**
 * The register page.
 */

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ADA, created, openApp, refused } from './app.tsx';

async function register(values: Record<string, string>) {
  await screen.findByLabelText('E-mail');
  for (const [label, value] of Object.entries(values))
    fireEvent.change(screen.getByLabelText(label, { exact: false, selector: 'input' }), { target: { value } });
  fireEvent.click(screen.getByRole('button', { name: 'Create account' }));
}

test('a registration leads to the page that was asked for and sends no empty field', async () => {
  const { requests, leftFor } = openApp('/register?next=%2Fmembers%2F', {
    'POST /api/auth/register': created({ user: ADA, expires_in: 604800 }),
  });
  await register({ 'E-mail': 'ada@example.org', Password: 'correct horse' });
  await waitFor(() => expect(leftFor).toHaveBeenCalledWith('/members/'));
  expect(requests.at(-1)?.body).toEqual({ email: 'ada@example.org', password: 'correct horse', mode: 'cookie' });
});

test('what the server says about a field stands at the field, and the first one has the focus', async () => {
  const errors = [
    { field: 'password', code: 'too_short', message: 'Use at least 8 characters.' },
    { field: 'username', code: 'invalid', message: 'Use letters and digits.' },
  ];
  openApp('/register', { 'POST /api/auth/register': refused(422, 'validation_failed', { errors }) });
  await register({ 'E-mail': 'ada@example.org', Username: 'a', Password: 'short' });
  const username = screen.getByLabelText(/Username/);
  await waitFor(() => expect(document.activeElement).toBe(username));
  expect(username.getAttribute('aria-describedby')).toBe('username-error username-hint');
  expect(document.getElementById('username-error')?.textContent).toBe('Use letters and digits.');
  expect(document.getElementById('password-error')?.textContent).toBe('Use at least 8 characters.');
  expect(screen.getByRole('alert').textContent).toMatch(/marked below/);
});

test.each([
  ['email_taken', 'E-mail'],
  ['username_taken', 'Username'],
])('%s stands at its field', async (code, label) => {
  openApp('/register', { 'POST /api/auth/register': refused(409, code) });
  await register({ 'E-mail': 'ada@example.org', Username: 'ada', Password: 'correct horse' });
  const field = screen.getByLabelText(label, { exact: false, selector: 'input' });
  await waitFor(() => expect(field.getAttribute('aria-invalid')).toBe('true'));
});

test('closed registration is told kindly, with the way to log in', async () => {
  openApp('/register?next=%2Fmembers%2F', { 'POST /api/auth/register': refused(403, 'registration_closed') });
  await register({ 'E-mail': 'ada@example.org', Password: 'correct horse' });
  const heading = await screen.findByRole('heading', { name: 'Registration is closed' });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(screen.getByRole('link', { name: 'Log in' }).getAttribute('href')).toBe('/login?next=%2Fmembers%2F');
});

test('password managers find what they look for', async () => {
  openApp('/register');
  const email = await screen.findByLabelText<HTMLInputElement>('E-mail');
  const password = screen.getByLabelText<HTMLInputElement>('Password');
  expect([email.name, email.type, email.autocomplete]).toEqual(['email', 'email', 'username']);
  expect([password.name, password.autocomplete]).toEqual(['password', 'new-password']);
  expect(password.form).toBe(email.form);
});
