/**
 * The pages of administration, in front of a server that keeps some users.
 */

// Else the first test would wait for it as long as a slow machine takes to load it.
import '../src/admin-routes.tsx';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { administering, CLIENT, happened, idOf, person, REFUSED, ROOT } from './admin-server.ts';
import { ADA, address, ok, openApp, refused } from './app.tsx';

afterEach(() => {
  document.documentElement.lang = '';
});

const BOB = idOf(2);

function openAdmin(path: string, users = [person(2)], events = [happened(1)]) {
  const server = administering(users, events);
  return { ...openApp(path, server.answers), ...server };
}

/** Opens the page of Bob, whom `fields` tell more about. */
async function openBob(fields: Parameters<typeof person>[1] = {}, extra: Parameters<typeof openApp>[1] = {}) {
  const { answers, ...server } = administering([person(2, fields)], [happened(1)]);
  const app = openApp(`/admin/users/${BOB}`, { ...answers, ...extra });
  await screen.findByRole('heading', { name: 'Person 2' });
  return { ...app, ...server };
}

function type(field: HTMLElement, value: string) {
  fireEvent.change(field, { target: { value } });
  fireEvent.input(field);
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const dialog = async () => within(await screen.findByRole('dialog'));
const region = (name: string) => within(screen.getByRole('region', { name }));
const rows = () => screen.getAllByRole('row').slice(1);
const isSent = (request: string) => (sent: { request: string }) => sent.request === request;

test('the way to these pages is shown to admins alone', async () => {
  const { script } = openAdmin('/dashboard');
  const nav = within(await screen.findByRole('navigation', { name: 'Your pages' }));
  fireEvent.click(nav.getByRole('link', { name: 'Admin' }));
  await screen.findByRole('heading', { name: 'Figures' });
  expect(screen.getByRole('link', { name: 'Admin' }).getAttribute('aria-current')).toBe('page');
  script['GET /api/auth/me'] = ok(ADA);
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  await waitFor(() => expect(screen.queryByRole('link', { name: 'Admin' })).toBeNull());
});

test.each(['/admin', '/admin/users', `/admin/users/${BOB}`, '/admin/audit'])(
  'whoever the server refuses is told at %s whom the page is for, and led away',
  async (path) => {
    const { script } = openApp(path, { 'GET /api/auth/me': ok(ADA), ...REFUSED });
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'This page is for administrators' })),
    );
    fireEvent.click(screen.getByRole('link', { name: 'To your dashboard' }));
    await screen.findByRole('heading', { name: /Welcome/ });
    // Whoever is given the role meanwhile is let in.
    Object.assign(script, administering([person(2)]).answers);
    window.history.back();
    await screen.findByRole('navigation', { name: 'Administration' });
  },
);

test('without a session a list asks for a login, and leads back to what it was narrowed to', async () => {
  openApp('/admin/users?q=ada&status=deleted');
  await screen.findByRole('heading', { name: 'Log in' });
  expect(address()).toBe('/login?next=%2Fadmin%2Fusers%3Fq%3Dada%26status%3Ddeleted');
});

test('a page below that does not exist is said to be missing', async () => {
  openAdmin('/admin/nothing');
  await screen.findByRole('heading', { name: 'There is no door here' });
});

test('figures are shown, each leading to what it counts', async () => {
  openAdmin('/admin');
  const active = await screen.findByRole('link', { name: '1,234 Active' });
  expect(active.getAttribute('href')).toBe('/admin/users?status=active');
  screen.getByText('In browsers');
  const row = within(screen.getByRole('row', { name: /Failed logins/ }));
  expect(row.getAllByRole('cell').map((cell) => cell.textContent)).toEqual(['4', '31']);
  expect(row.getByRole('link').getAttribute('href')).toBe('/admin/audit?event=login_failed&since=7d');
  screen.getByText(/Counted March 2, 2026/);
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Figures' })));
});

test('figures that cannot be had can be asked for again', async () => {
  const { script } = openApp('/admin', {
    'GET /api/auth/me': ok(ROOT),
    'GET /api/admin/stats': refused(500, 'internal_error'),
  });
  await screen.findByText(/Something went wrong/);
  Object.assign(script, administering([]).answers);
  fireEvent.click(button('Try again'));
  await screen.findByText('1,234');
});

test.each([
  ['believed', CLIENT, /its word for your address is believed/],
  [
    'ignored',
    { ...CLIENT, address: '172.18.0.2', trusted: false, ignored: true },
    /trusted_proxies does not name 172\.18\.0\.2/,
  ],
  ['silent', { ...CLIENT, address: '172.18.0.2', headers: [] }, /Let it set X-Forwarded-For/],
  ['not there', { ...CLIENT, address: '172.18.0.2', trusted: false, headers: [] }, /No proxy says/],
])('an admin sees their own address, where a proxy is %s', async (_, client, verdict) => {
  openApp('/admin', { ...administering([]).answers, 'GET /api/admin/client': ok(client) });
  const section = within(await screen.findByRole('region', { name: 'Your address' }));
  section.getByText(verdict);
  const address = section.getAllByRole('definition')[0];
  expect(address?.textContent).toBe(client.address);
});

test('users are listed with what tells them apart', async () => {
  const users = [
    person(3, { username: 'king', roles: ['press', 'staff'] }),
    person(2, { name: null, status: 'disabled' }),
    person(1, ROOT),
  ];
  openAdmin('/admin/users', users);
  await screen.findByRole('link', { name: 'Person 3' });
  const [king, nameless, root] = rows().map((row) => row.textContent);
  expect(king).toMatch(/Person 3p3@example.orgkingpress, staffActiveMar 1, 2026/);
  expect(nameless).toMatch(/^p2@example.org–None–NoneDisabled/);
  expect(root).toMatch(/You/);
  screen.getByText('3 users.');
});

test('a search counts once typing pauses, stands in the address, and can be cleared', async () => {
  const { asked } = openAdmin('/admin/users', [person(3), person(2)]);
  await screen.findByRole('link', { name: 'Person 3' });
  const search = screen.getByLabelText('Search');
  for (const text of ['P', 'Pe', 'Person 2 ']) type(search, text);
  await waitFor(() => expect(rows()).toHaveLength(1));
  expect(asked).toEqual(['limit=20', 'q=Person+2&limit=20']);
  expect(address()).toBe('/admin/users?q=Person+2');
  type(search, 'nobody');
  await screen.findByText('Nobody matches');
  fireEvent.click(button('Clear filters'));
  await waitFor(() => expect(rows()).toHaveLength(2));
  expect(screen.getByLabelText<HTMLInputElement>('Search').value).toBe('');
  expect(address()).toBe('/admin/users');
});

test('deleted users are listed where they are asked for', async () => {
  openAdmin('/admin/users', [person(3), person(2, { status: 'deleted' })]);
  await screen.findByRole('link', { name: 'Person 3' });
  expect(rows()).toHaveLength(1);
  fireEvent.change(screen.getByLabelText('Status'), { target: { value: 'deleted' } });
  await screen.findByRole('link', { name: 'Person 2' });
  expect(address()).toBe('/admin/users?status=deleted');
});

test('a role that nobody can have is refused at its field', async () => {
  const errors = [{ field: 'role', code: 'invalid_role', message: 'A role has 1 to 32 characters.' }];
  const { script } = openAdmin('/admin/users');
  await screen.findByRole('link', { name: 'Person 2' });
  script['GET /api/admin/users'] = refused(422, 'validation_failed', { errors });
  type(screen.getByLabelText('Role'), 'A B');
  await screen.findByText('A role has 1 to 32 characters.');
  expect(screen.getByLabelText('Role').getAttribute('aria-invalid')).toBe('true');
});

test('more of a list comes up with the focus on it, and is there again after a reload', async () => {
  const users = Array.from({ length: 45 }, (_, place) => person(100 - place));
  const { asked } = openAdmin('/admin/users?pages=2', users);
  await waitFor(() => expect(rows()).toHaveLength(40));
  screen.getByText('The first 40 users.');
  fireEvent.click(button('Show more'));
  await waitFor(() => expect(rows()).toHaveLength(45));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('link', { name: 'Person 60' })));
  expect(address()).toBe('/admin/users?pages=3');
  expect(asked).toEqual(['limit=20', 'cursor=20&limit=20', 'cursor=40&limit=20']);
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});

test('more of a list that does not come is told of, and what is here stays', async () => {
  const users = Array.from({ length: 25 }, (_, place) => person(100 - place));
  const { script } = openAdmin('/admin/users', users);
  await waitFor(() => expect(rows()).toHaveLength(20));
  script['GET /api/admin/users'] = refused(500, 'internal_error');
  fireEvent.click(button('Show more'));
  await screen.findByText(/Something went wrong/);
  expect(rows()).toHaveLength(20);
  Object.assign(script, administering(users).answers);
  fireEvent.click(button('Show more'));
  await waitFor(() => expect(rows()).toHaveLength(25));
});

test('a user is added with roles, and the page of the user appears', async () => {
  const { requests, script } = openAdmin('/admin/users');
  script['POST /api/admin/users'] = refused(409, 'email_taken');
  fireEvent.click(await screen.findByRole('button', { name: 'Add user' }));
  const form = await dialog();
  await waitFor(() => expect(document.activeElement).toBe(form.getByLabelText('E-mail')));
  type(form.getByLabelText('E-mail'), 'new@example.org');
  type(form.getByLabelText('Password'), 'battery staple');
  fireEvent.click(form.getByLabelText('Administrator'));
  type(form.getByLabelText(/Other roles/), 'staff, press staff');
  fireEvent.click(form.getByRole('button', { name: 'Add user' }));
  await screen.findByText('Another account has this e-mail address.');
  const added = person(9, { name: null, email: 'new@example.org' });
  Object.assign(script, administering([added]).answers, {
    'POST /api/admin/users': () => Response.json(added, { status: 201 }),
  });
  fireEvent.click(form.getByRole('button', { name: 'Add user' }));
  await screen.findByRole('heading', { name: 'new@example.org' });
  expect(requests.filter(isSent('POST /api/admin/users')).at(-1)?.body).toEqual({
    email: 'new@example.org',
    password: 'battery staple',
    username: null,
    name: null,
    roles: ['admin', 'staff', 'press'],
  });
  expect(address()).toBe(`/admin/users/${idOf(9)}`);
});

test('a user is shown, and one who is not there is said not to be', async () => {
  await openBob({ email_verified: true, roles: ['staff'] });
  const facts = region('Account');
  for (const fact of ['p2@example.org (verified)', 'staff', BOB]) facts.getByText(fact);
  expect(screen.getByRole('link', { name: 'Users' }).getAttribute('aria-current')).toBe('true');
  await screen.findByRole('link', { name: 'All of it in the audit log' });
});

test('an unknown user is said to be none', async () => {
  openApp(`/admin/users/${BOB}`, {
    'GET /api/auth/me': ok(ROOT),
    [`GET /api/admin/users/${BOB}`]: refused(404, 'not_found'),
  });
  await screen.findByRole('heading', { name: 'There is no such user' });
});

test('of a user only what was edited is sent, and what the server makes of it is shown', async () => {
  const { requests } = await openBob({ roles: ['staff'] });
  type(region('Profile and roles').getByLabelText(/^Name/), 'Bob King');
  fireEvent.click(screen.getByLabelText('Administrator'));
  fireEvent.click(button('Save changes'));
  await screen.findByText('The changes are saved.');
  expect(requests.find(isSent(`PATCH /api/admin/users/${BOB}`))?.body).toEqual({
    name: 'Bob King',
    roles: ['admin', 'staff'],
  });
  await screen.findByRole('heading', { name: 'Bob King' });
  expect(screen.getByLabelText<HTMLInputElement>('Administrator').checked).toBe(true);
});

test('a taken name and a role that is none stand at their fields', async () => {
  const patch = `PATCH /api/admin/users/${BOB}`;
  const { script } = await openBob({}, { [patch]: refused(409, 'username_taken') });
  const form = region('Profile and roles');
  type(form.getByLabelText(/^Username/), 'king');
  fireEvent.click(button('Save changes'));
  await screen.findByText('Another account has this username.');
  await waitFor(() => expect(document.activeElement).toBe(form.getByLabelText(/^Username/)));
  const errors = [{ field: 'roles', code: 'invalid_role', message: 'A role has 1 to 32 characters.' }];
  script[patch] = refused(422, 'validation_failed', { errors });
  type(form.getByLabelText(/Other roles/), 'Ä');
  fireEvent.click(button('Save changes'));
  await screen.findByText('A role has 1 to 32 characters.');
  await waitFor(() => expect(document.activeElement).toBe(form.getByLabelText(/Other roles/)));
});

test('a role is taken after a question alone', async () => {
  const { requests } = await openBob({ roles: ['press', 'staff'] });
  const patch = isSent(`PATCH /api/admin/users/${BOB}`);
  type(screen.getByLabelText(/Other roles/), 'staff');
  fireEvent.click(button('Save changes'));
  const question = await dialog();
  question.getByRole('heading', { name: 'Take press from Person 2?' });
  question.getByText(/logged out everywhere/);
  fireEvent.click(question.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(requests.some(patch)).toBe(false);
  expect(screen.getByLabelText<HTMLInputElement>(/Other roles/).value).toBe('staff');
  expect(screen.queryAllByRole('alert').map((alert) => alert.textContent)).toEqual(['', '', '']);
  fireEvent.click(button('Save changes'));
  fireEvent.click((await dialog()).getByRole('button', { name: 'Take away' }));
  await screen.findByText('The changes are saved.');
  expect(requests.find(patch)?.body).toEqual({ roles: ['staff'] });
});

test('the last admin stays one, and it is said why', async () => {
  const { requests } = await openBob(
    { roles: ['admin'] },
    {
      [`PATCH /api/admin/users/${BOB}`]: refused(409, 'conflict'),
      [`DELETE /api/admin/users/${BOB}`]: refused(409, 'conflict'),
    },
  );
  fireEvent.click(screen.getByLabelText('Administrator'));
  fireEvent.click(button('Save changes'));
  const question = await dialog();
  fireEvent.click(question.getByRole('button', { name: 'Take away' }));
  await question.findByText(/this is the last one/);
  fireEvent.click(question.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  fireEvent.click(button('Delete account…'));
  fireEvent.click((await dialog()).getByRole('button', { name: 'Delete account' }));
  await screen.findByText(/this is the last one/);
  expect(requests.filter(isSent(`GET /api/admin/users/${BOB}`)).length).toBeGreaterThan(0);
});

test('whoever stops being an admin is told what that means, and is logged out', async () => {
  const me = person(1, { ...ROOT, roles: ['admin', 'staff'] });
  const { script } = openAdmin(`/admin/users/${me.id}`, [me, person(2)]);
  await screen.findByRole('heading', { name: 'Ada Lovelace' });
  fireEvent.click(await screen.findByLabelText('Administrator'));
  fireEvent.click(button('Save changes'));
  const question = await dialog();
  question.getByRole('heading', { name: 'Stop being an administrator?' });
  script['GET /api/auth/me'] = refused(401, 'revoked_token');
  fireEvent.click(question.getByRole('button', { name: 'Take away' }));
  await screen.findByText(/session has ended/);
  expect(address()).toBe(`/login?next=%2Fadmin%2Fusers%2F${me.id}`);
});

test('a user is disabled after a question, and enabled without one', async () => {
  const { requests } = await openBob();
  fireEvent.click(button('Disable…'));
  fireEvent.click((await dialog()).getByRole('button', { name: 'Disable' }));
  await screen.findByText('The account is disabled.');
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Access' })));
  expect(screen.queryByRole('button', { name: /Log out everywhere/ })).toBeNull();
  fireEvent.click(button('Enable'));
  await screen.findByText('The account is enabled.');
  const sent = requests.filter(isSent(`PATCH /api/admin/users/${BOB}`)).map(({ body }) => body);
  expect(sent).toEqual([{ disabled: true }, { disabled: false }]);
});

test('a user is logged out everywhere after a question', async () => {
  const { requests } = await openBob();
  fireEvent.click(button('Log out everywhere…'));
  fireEvent.click((await dialog()).getByRole('button', { name: 'Log out everywhere' }));
  await screen.findByText('The user is logged out everywhere.');
  expect(requests.some(isSent(`DELETE /api/admin/users/${BOB}/sessions`))).toBe(true);
});

test('a user is deleted after a question, and restored unless a name was taken since', async () => {
  const { script } = await openBob();
  const restore = `POST /api/admin/users/${BOB}/restore`;
  const restoring = script[restore];
  fireEvent.click(button('Delete account…'));
  const question = await dialog();
  question.getByText(/names are free for others/);
  fireEvent.click(question.getByRole('button', { name: 'Delete account' }));
  await screen.findByText('The account is deleted.');
  expect(screen.queryByRole('region', { name: 'Profile and roles' })).toBeNull();
  script[restore] = refused(409, 'email_taken');
  fireEvent.click(button('Restore account'));
  await screen.findByText(/registered with the e-mail address of this account since/);
  script[restore] = refused(409, 'conflict');
  fireEvent.click(button('Restore account'));
  await screen.findByText(/removed for good already/);
  if (restoring) script[restore] = restoring;
  fireEvent.click(button('Restore account'));
  await screen.findByText(/The account is back/);
  await screen.findByRole('region', { name: 'Profile and roles' });
});

test('an admin whose role has gone meanwhile changes nothing, and is told', async () => {
  const { script } = await openBob({ status: 'disabled' });
  script[`PATCH /api/admin/users/${BOB}`] = refused(403, 'forbidden');
  fireEvent.click(button('Enable'));
  await screen.findByText('You are no administrator any more. Nothing was changed.');
});

test('the pages speak German', async () => {
  document.documentElement.lang = 'de';
  openAdmin('/admin/users');
  await screen.findByRole('heading', { name: 'Benutzer' });
  screen.getByRole('button', { name: 'Konto anlegen' });
  await screen.findByText('Ein Konto.');
});
