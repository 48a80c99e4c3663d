/**
 * The login page.
 */

import { fireEvent, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { ADA, address, ok, openApp, refused } from './app.tsx';

async function logInAs(login: string, password: string) {
  fireEvent.change(await screen.findByLabelText('E-mail or username'), { target: { value: login } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: password } });
  fireEvent.click(screen.getByRole('button', { name: 'Log in' }));
}

test('a login leads to the page that was asked for', async () => {
  const { requests, leftFor } = openApp('/login?next=%2Fmembers%2F', {
    'POST /api/auth/login': ok({ user: ADA, expires_in: 604800 }),
  });
  await logInAs('ada', 'correct horse');
  await waitFor(() => expect(leftFor).toHaveBeenCalledWith('/members/'));
  expect(requests.at(-1)).toEqual({
    request: 'POST /api/auth/login',
    body: { login: 'ada', password: 'correct horse', mode: 'cookie' },
  });
});

test('a login without a wish leads to the dashboard, inside the app', async () => {
  const { leftFor } = openApp('/login?next=//elsewhere.test', {
    'POST /api/auth/login': ok({ user: ADA, expires_in: 604800 }),
  });
  await logInAs('ada', 'correct horse');
  await screen.findByRole('heading', { name: 'Welcome, Ada Lovelace' });
  expect(address()).toBe('/dashboard');
  expect(leftFor).not.toHaveBeenCalled();
});

test('who is signed in already goes straight on and never sees the form', async () => {
  const { leftFor } = openApp('/login?next=%2Fmembers%2F', { 'GET /api/auth/me': ok(ADA) });
  await waitFor(() => expect(leftFor).toHaveBeenCalledWith('/members/'));
  expect(screen.queryByLabelText('Password')).toBeNull();
});

test('wrong credentials are told in general, with the focus on the password', async () => {
  openApp('/login', { 'POST /api/auth/login': refused(401, 'invalid_credentials') });
  await logInAs('ada', 'wrong');
  await waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(/did not match/));
  const password = screen.getByLabelText('Password');
  await waitFor(() => expect(document.activeElement).toBe(password));
  expect(password.getAttribute('aria-invalid')).toBeNull();
  expect(screen.getByLabelText<HTMLInputElement>('E-mail or username').value).toBe('ada');
});

test('a limit is told with its time, and takes the focus', async () => {
  openApp('/login', { 'POST /api/auth/login': refused(429, 'rate_limited', {}, { 'retry-after': '840' }) });
  await logInAs('ada', 'wrong');
  await waitFor(() => expect(screen.getByRole('alert').textContent).toMatch(/14 minutes/));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('alert')));
});

test('empty fields are told without asking the server', async () => {
  const { requests } = openApp('/login');
  await logInAs('', '');
  const login = screen.getByLabelText('E-mail or username');
  await waitFor(() => expect(document.activeElement).toBe(login));
  expect(login.getAttribute('aria-describedby')).toBe('login-error');
  expect(document.getElementById('login-error')?.textContent).toMatch(/Enter your e-mail/);
  expect(document.getElementById('password-error')?.textContent).toMatch(/Enter your password/);
  expect(requests.map(({ request }) => request)).toEqual(['GET /api/auth/me']);
});

test('a second click while the first is on its way sends nothing', async () => {
  const { requests } = openApp('/login', { 'POST /api/auth/login': () => new Promise<Response>(() => {}) });
  await logInAs('ada', 'correct horse');
  const button = screen.getByRole('button', { name: 'Log in' });
  await waitFor(() => expect(button.getAttribute('aria-disabled')).toBe('true'));
  fireEvent.click(button);
  expect(requests.filter(({ request }) => request === 'POST /api/auth/login')).toHaveLength(1);
});

test('a server out of reach is no reason to ask for a password', async () => {
  const { script } = openApp('/login', {
    'GET /api/auth/me': () => {
      throw new TypeError('offline');
    },
  });
  await screen.findByRole('heading', { name: 'Nobody answers' });
  expect(screen.queryByLabelText('Password')).toBeNull();
  script['GET /api/auth/me'] = refused(401, 'missing_token');
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await screen.findByLabelText('Password');
});

test('the password can be shown, and is hidden again when it is sent', async () => {
  openApp('/login', { 'POST /api/auth/login': refused(401, 'invalid_credentials') });
  const password = await screen.findByLabelText('Password');
  fireEvent.click(screen.getByRole('button', { name: 'Show password' }));
  expect(password.getAttribute('type')).toBe('text');
  await logInAs('ada', 'wrong');
  await waitFor(() => expect(password.getAttribute('type')).toBe('password'));
});

test('password managers find what they look for', async () => {
  openApp('/login');
  const password = await screen.findByLabelText<HTMLInputElement>('Password');
  const login = screen.getByLabelText<HTMLInputElement>('E-mail or username');
  expect([login.name, login.id, login.autocomplete]).toEqual(['login', 'login', 'username']);
  expect([password.name, password.id, password.autocomplete]).toEqual(['password', 'password', 'current-password']);
  expect(password.form).toBe(login.form);
  expect(login.form?.method).toBe('post');
});

test('the way to register keeps next', async () => {
  openApp('/login?next=%2Fmembers%2F%3Fpage%3D2');
  const link = await screen.findByRole('link', { name: 'Create an account' });
  expect(link.getAttribute('href')).toBe('/register?next=%2Fmembers%2F%3Fpage%3D2');
});
