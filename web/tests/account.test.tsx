/**
 * The account page.
 */

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { ADA, address, gone, HERE, ok, openApp, refused } from './app.tsx';

const elsewhere = (id: string, device: string) => ({ ...HERE, id, device, kind: 'token', current: false });
const SESSIONS = 'GET /api/auth/sessions';

/** Opens the page of Ada, who is signed in here and, first in the server's list, with two programs. */
async function openAccount(answers: Parameters<typeof openApp>[1] = {}) {
  const items = [elsewhere('s2', 'curl/8.5.0'), elsewhere('s3', 'wget/1.24'), HERE];
  const app = openApp('/account', { 'GET /api/auth/me': ok(ADA), [SESSIONS]: ok({ items }), ...answers });
  await screen.findByRole('heading', { name: 'Delete your account' });
  return app;
}

const region = (name: string) => within(screen.getByRole('region', { name }));
const rows = () => region('Devices').getAllByRole('listitem');

function type(field: HTMLElement, value: string) {
  fireEvent.change(field, { target: { value } });
  fireEvent.input(field);
}

function changePassword() {
  type(screen.getByLabelText('Current password'), 'correct horse');
  type(screen.getByLabelText('New password'), 'battery staple');
  fireEvent.click(screen.getByRole('button', { name: 'Change password' }));
}

test('without a session the page asks for a login, and leads back', async () => {
  openApp('/account');
  await screen.findByRole('heading', { name: 'Log in' });
  expect(address()).toBe('/login?next=%2Faccount');
});

test('a session that ends while the page is open is told at the login', async () => {
  await openAccount({ 'PATCH /api/user/profile': refused(401, 'revoked_token') });
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await screen.findByText(/session has ended/);
  expect(address()).toBe('/login?next=%2Faccount');
});

test('a new name is saved without a password, and nothing else is sent', async () => {
  const { requests } = await openAccount({ 'PATCH /api/user/profile': ok({ ...ADA, name: 'Ada King' }) });
  type(screen.getByLabelText(/^Name/), ' Ada King');
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await screen.findByText('Your profile is saved.');
  expect(requests.at(-1)).toEqual({ request: 'PATCH /api/user/profile', body: { name: ' Ada King' } });
  expect(screen.getByLabelText<HTMLInputElement>(/^Name/).value).toBe('Ada King');
});

test('a name that is emptied is taken away', async () => {
  const { requests } = await openAccount({ 'PATCH /api/user/profile': ok({ ...ADA, name: null }) });
  type(screen.getByLabelText(/^Name/), '');
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await screen.findByText('Your profile is saved.');
  expect(requests.at(-1)?.body).toEqual({ name: null });
});

test('a new e-mail address asks for the password, which is gone once it is saved', async () => {
  const moved = { ...ADA, email: 'king@example.org' };
  const { requests } = await openAccount({ 'PATCH /api/user/profile': ok(moved) });
  expect(screen.queryByLabelText('Your password')).toBeNull();
  type(screen.getByLabelText('E-mail'), 'king@EXAMPLE.org');
  const password = screen.getByLabelText('Your password');
  type(password, 'correct horse');
  password.focus();
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await screen.findByText('Your profile is saved.');
  expect(requests.at(-1)?.body).toEqual({ email: 'king@EXAMPLE.org', current_password: 'correct horse' });
  expect(screen.getByLabelText<HTMLInputElement>('E-mail').value).toBe('king@example.org');
  expect(screen.queryByLabelText('Your password')).toBeNull();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Save changes' })));
});

test('what another tab has saved meanwhile is shown and kept, beside what is being edited here', async () => {
  const elsewhereSaved = { ...ADA, name: 'Ada King' };
  const { requests, script } = await openAccount({
    'POST /api/auth/password': ok({ user: elsewhereSaved, expires_in: 604800 }),
    'PATCH /api/user/profile': ok({ ...elsewhereSaved, username: 'king' }),
  });
  type(screen.getByLabelText(/^Username/), 'king');
  script['GET /api/auth/me'] = ok(elsewhereSaved);
  changePassword();
  await screen.findByText(/Your password is changed/);
  expect(screen.getByLabelText<HTMLInputElement>(/^Name/).value).toBe('Ada King');
  expect(screen.getByLabelText<HTMLInputElement>(/^Username/).value).toBe('king');
  type(screen.getByLabelText('Your password'), 'correct horse');
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await screen.findByText('Your profile is saved.');
  expect(requests.at(-1)?.body).toEqual({ username: 'king', current_password: 'correct horse' });
});

test('a wrong password and a taken name stand at their fields', async () => {
  const { script } = await openAccount({ 'PATCH /api/user/profile': refused(401, 'invalid_credentials') });
  type(screen.getByLabelText(/^Username/), 'king');
  type(screen.getByLabelText('Your password'), 'wrong');
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Your password')));
  expect(document.getElementById('profile-password-error')?.textContent).toMatch(/not your password/);
  expect(address()).toBe('/account');
  script['PATCH /api/user/profile'] = refused(409, 'username_taken');
  fireEvent.click(screen.getByRole('button', { name: 'Save changes' }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(/^Username/)));
});

test('a changed password is confirmed, forgotten by the form, and the list of devices is asked for anew', async () => {
  const { requests, script } = await openAccount({
    'POST /api/auth/password': ok({ user: ADA, expires_in: 604800 }),
  });
  script[SESSIONS] = ok({ items: [{ ...HERE, id: 's4' }] });
  changePassword();
  await screen.findByText(/Your password is changed/);
  expect(requests.find(({ request }) => request === 'POST /api/auth/password')?.body).toEqual({
    current_password: 'correct horse',
    new_password: 'battery staple',
  });
  for (const label of ['Current password', 'New password'])
    expect(screen.getByLabelText<HTMLInputElement>(label).value).toBe('');
  await waitFor(() => expect(rows()).toHaveLength(1));
});

test('why a password was not changed stands at the field', async () => {
  const errors = [{ field: 'new_password', code: 'too_short', message: 'Use at least 8 characters.' }];
  await openAccount({ 'POST /api/auth/password': refused(422, 'validation_failed', { errors }) });
  changePassword();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('New password')));
  expect(document.getElementById('password-new-error')?.textContent).toBe('Use at least 8 characters.');
});

test.each([
  [429, 'rate_limited', /14 minutes/],
  [503, 'unavailable', /busy/],
])('a %i is explained and keeps what was typed', async (status, code, words) => {
  await openAccount({ 'POST /api/auth/password': refused(status, code, {}, { 'retry-after': '840' }) });
  changePassword();
  await waitFor(() => expect(region('Password').getByRole('alert').textContent).toMatch(words));
  expect(screen.getByLabelText<HTMLInputElement>('New password').value).toBe('battery staple');
});

test('devices are told in words, this one first and without a button', async () => {
  await openAccount();
  const [first, second] = rows();
  expect(first?.textContent).toMatch(/Firefox on Linux.*This device.*In use now/);
  expect(first?.querySelector('button')).toBeNull();
  expect(second?.textContent).toMatch(/curl.*Last used .* ago.*Mar 1, 2026 from 192\.0\.2\.1/);
  expect(second?.querySelector('time')?.title).toMatch(/March 2, 2026 at/);
});

test('one device is logged out, said, and the focus goes to the next or to the heading', async () => {
  const { requests } = await openAccount({
    'DELETE /api/auth/sessions/s2': gone,
    'DELETE /api/auth/sessions/s3': refused(404, 'not_found'),
  });
  fireEvent.click(screen.getByRole('button', { name: 'Log out curl' }));
  await screen.findByText('curl is logged out.');
  expect(requests.at(-1)?.request).toBe('DELETE /api/auth/sessions/s2');
  await waitFor(() => expect(document.activeElement).toBe(rows()[1]));
  fireEvent.click(screen.getByRole('button', { name: 'Log out wget' }));
  await screen.findByText('wget is logged out.');
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Devices' })));
  expect(screen.queryByRole('button', { name: 'Log out all other devices' })).toBeNull();
});

test('a device that could not be logged out stays in the list', async () => {
  await openAccount({ 'DELETE /api/auth/sessions/s2': refused(503, 'unavailable') });
  fireEvent.click(screen.getByRole('button', { name: 'Log out curl' }));
  await waitFor(() => expect(region('Devices').getByRole('alert').textContent).toMatch(/still logged in.*busy/));
  expect(rows()).toHaveLength(3);
});

test('all other devices are logged out after a question', async () => {
  const { requests } = await openAccount({ 'DELETE /api/auth/sessions': gone });
  fireEvent.click(screen.getByRole('button', { name: 'Log out all other devices' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Log out all other devices?' }));
  dialog.getByText(/The other 2 devices have to log in again/);
  fireEvent.click(dialog.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(requests.at(-1)?.request).toBe(SESSIONS);
  fireEvent.click(screen.getByRole('button', { name: 'Log out all other devices' }));
  fireEvent.click(await screen.findByRole('button', { name: 'Log out all others' }));
  await screen.findByText('Every other device is logged out.');
  expect(rows()).toHaveLength(1);
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Devices' })));
});

test('of many devices some are shown at first, and the focus follows those that come up', async () => {
  const items = [HERE, ...Array.from({ length: 9 }, (_, count) => elsewhere(`o${count}`, `tool${count}/1`))];
  await openAccount({ [SESSIONS]: ok({ items }) });
  expect(rows()).toHaveLength(6);
  fireEvent.click(screen.getByRole('button', { name: 'Show all 10' }));
  expect(rows()).toHaveLength(10);
  expect(document.activeElement).toBe(rows()[6]);
});

test('a list of devices that cannot be had can be asked for again', async () => {
  const { script } = await openAccount({ [SESSIONS]: refused(503, 'unavailable') });
  script[SESSIONS] = ok({ items: [HERE] });
  fireEvent.click(region('Devices').getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(rows()).toHaveLength(1));
});

test('an account is deleted with the password, and the login page says so', async () => {
  const { requests, script } = await openAccount({
    'POST /api/user/profile/delete': refused(401, 'invalid_credentials'),
  });
  fireEvent.click(screen.getByRole('button', { name: 'Delete account…' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Delete your account?' }));
  type(dialog.getByLabelText('Your password'), 'correct horse');
  fireEvent.click(dialog.getByRole('button', { name: 'Delete my account' }));
  await waitFor(() => expect(document.getElementById('delete-password-error')).not.toBeNull());
  script['POST /api/user/profile/delete'] = gone;
  fireEvent.click(dialog.getByRole('button', { name: 'Delete my account' }));
  await screen.findByText(/Your account is deleted/);
  expect(requests.at(-1)).toEqual({
    request: 'POST /api/user/profile/delete',
    body: { current_password: 'correct horse' },
  });
  expect(address()).toBe('/login');
});

test('the last administrator learns why the account stays', async () => {
  const detail = 'The last admin can be neither demoted, disabled nor deleted.';
  await openAccount({ 'POST /api/user/profile/delete': refused(409, 'conflict', { detail }) });
  fireEvent.click(screen.getByRole('button', { name: 'Delete account…' }));
  const dialog = within(await screen.findByRole('dialog'));
  type(dialog.getByLabelText('Your password'), 'correct horse');
  fireEvent.click(dialog.getByRole('button', { name: 'Delete my account' }));
  await waitFor(() => expect(dialog.getByRole('alert').textContent).toBe(detail));
});

test('password managers are told whose password each form is about', async () => {
  await openAccount();
  const current = screen.getByLabelText<HTMLInputElement>('Current password');
  const fields = new FormData(current.form ?? undefined);
  expect([...fields.keys()]).toEqual(['current_password', 'new_password']);
  expect(current.form?.querySelector<HTMLInputElement>('[autocomplete=username]')?.value).toBe(ADA.email);
  expect(screen.getByLabelText<HTMLInputElement>('New password').autocomplete).toBe('new-password');
});

const EXPORT = 'GET /api/user/export';

test('all data is saved as a file, once it is whole', async () => {
  const saved: { name: string; file: Blob }[] = [];
  const files = new Map<string, Blob>();
  vi.stubGlobal('URL', class extends URL {});
  URL.createObjectURL = (file: Blob) => {
    files.set('blob:1', file);
    return 'blob:1';
  };
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, file: files.get(this.getAttribute('href') ?? '') as Blob });
  });
  await openAccount({ [EXPORT]: ok({ user: ADA }) });
  fireEvent.click(screen.getByRole('button', { name: 'Download my data' }));
  await screen.findByText('Your file is downloaded.');
  expect(saved.map(({ name }) => name)).toEqual([expect.stringMatching(/^vestibule-export-\d{4}-\d\d-\d\d\.json$/)]);
  expect(JSON.parse(await (saved[0]?.file.text() ?? ''))).toEqual({ user: ADA });
});

test('a file that was asked for too often is told with its wait, and nothing is saved', async () => {
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click');
  await openAccount({ [EXPORT]: refused(429, 'rate_limited', {}, { 'retry-after': '840' }) });
  fireEvent.click(screen.getByRole('button', { name: 'Download my data' }));
  await screen.findByText(/wait 14 minutes/);
  expect(screen.queryByText('Your file is downloaded.')).toBeNull();
  expect(click).not.toHaveBeenCalled();
});
