/**
 * The pages of administration: what admins do to users, and what becomes of those.
 */

import type { Page } from '@playwright/test';
import { inEveryDress, open, tabTo } from './dress.ts';
import { expect, logIn, logInAsAdmin, lookAgain, PASSWORD, someone, test } from './visitor.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';

/** Adds users without touching the page. Answers their ids. */
async function addUsers(page: Page, users: object[]): Promise<string[]> {
  return page.evaluate(
    async ({ users, password }) => {
      const ids: string[] = [];
      for (const user of users) {
        const answer = await fetch('/api/admin/users', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ password, ...user }),
        });
        ids.push((await answer.json()).id);
      }
      return ids;
    },
    { users, password: PASSWORD },
  );
}

async function addUser(page: Page, fields: object = {}) {
  const user = { ...someone(), name: 'Alan Turing' };
  const [id = ''] = await addUsers(page, [{ ...user, ...fields }]);
  return { ...user, id };
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 });

test('a user is found, renamed, given a role and a role taken, which logs them out', async ({ page, elsewhere }) => {
  await logInAsAdmin(page);
  const { username, id } = await addUser(page, { roles: ['press'] });
  const theirs = await elsewhere(username, FIREFOX);
  await page.getByRole('link', { name: 'Admin' }).click();
  await expect(heading(page, 'Figures')).toBeFocused();
  await page.getByRole('link', { name: 'Users' }).click();
  await expect(heading(page, 'Users')).toBeFocused();
  await page.getByLabel('Search').fill(username.toUpperCase());
  await expect(page).toHaveURL(`/admin/users?q=${username.toUpperCase()}`);
  await expect(page.getByText('1 user.')).toBeVisible();
  await page.getByRole('link', { name: 'Alan Turing' }).click();
  await expect(heading(page, 'Alan Turing')).toBeFocused();
  await expect(page).toHaveURL(`/admin/users/${id}`);

  await page.getByLabel('Name (optional)', { exact: true }).fill('Alan M. Turing');
  await page.getByLabel('Other roles').fill('press staff');
  await page.keyboard.press('Enter');
  await expect(page.getByText('The changes are saved.')).toBeVisible();
  await expect(heading(page, 'Alan M. Turing')).toBeVisible();
  await expect(page.getByText('Added: staff.')).toBeVisible();
  await lookAgain(theirs);
  await expect(theirs.getByRole('heading', { name: 'Welcome, Alan M. Turing' })).toBeVisible();

  await page.getByLabel('Other roles').fill('staff');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Take press from Alan M. Turing?' })).toBeVisible();
  await page.getByRole('button', { name: 'Take away' }).click();
  await expect(page.getByText('The changes are saved.')).toBeVisible();
  await lookAgain(theirs);
  await expect(theirs.getByText('Your session has ended')).toBeVisible();

  await page.goBack();
  await expect(page.getByLabel('Search')).toHaveValue(username.toUpperCase());
});

test('a user is logged out, disabled, enabled, deleted and restored', async ({ page, elsewhere }) => {
  await logInAsAdmin(page);
  const { username, id } = await addUser(page);
  const theirs = await elsewhere(username, FIREFOX);
  await open(page, `/admin/users/${id}`, 'Alan Turing');
  const access = page.getByRole('heading', { name: 'Access' });

  await page.getByRole('button', { name: 'Log out everywhere…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Log out everywhere' }).click();
  await expect(page.getByText('The user is logged out everywhere.')).toBeVisible();
  await expect(access).toBeFocused();
  await lookAgain(theirs);
  await expect(theirs.getByText('Your session has ended')).toBeVisible();

  await page.getByRole('button', { name: 'Disable…' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Disable…' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await expect(page.getByText('The account is disabled.')).toBeVisible();
  await logIn(theirs, username);
  await expect(theirs.getByRole('alert')).toContainText('did not match');
  await page.getByRole('button', { name: 'Enable' }).click();
  await expect(page.getByText('The account is enabled.')).toBeVisible();
  await logIn(theirs, username);
  await expect(theirs).toHaveURL('/dashboard');

  await page.getByRole('button', { name: 'Delete account…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete account' }).click();
  await expect(page.getByText('The account is deleted.')).toBeVisible();
  await lookAgain(theirs);
  await expect(theirs.getByText('Your session has ended')).toBeVisible();
  await open(page, `/admin/users?q=${username}`, 'Users');
  await expect(page.getByText('Nobody matches')).toBeVisible();
  await page.getByLabel('Status').selectOption('Deleted');
  await page.getByRole('link', { name: 'Alan Turing' }).click();

  const [taken] = await addUsers(page, [{ email: someone().email, username }]);
  await page.getByRole('button', { name: 'Restore account' }).click();
  await expect(page.getByText('taken the username of this account since')).toBeVisible();
  await page.evaluate((id) => fetch(`/api/admin/users/${id}`, { method: 'DELETE' }), taken);
  await page.getByRole('button', { name: 'Restore account' }).click();
  await expect(page.getByText('The account is back.')).toBeVisible();
  await expect(access).toBeFocused();
  await logIn(theirs, username);
  await expect(theirs).toHaveURL('/dashboard');
});

test('the keyboard alone is enough to add a user, who then logs in', async ({ page, elsewhere }) => {
  await logInAsAdmin(page);
  const { email, username } = someone();
  await expect(heading(page, /Welcome/)).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('link', { name: 'Admin' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Figures')).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Users')).toBeFocused();
  await tabTo(page, 'Add user');
  await page.keyboard.press('Enter');

  const form = page.getByRole('dialog', { name: 'Add a user' });
  await expect(form.getByLabel('E-mail')).toBeFocused();
  await page.keyboard.type(email);
  await page.keyboard.press('Tab');
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  await expect(form.getByLabel('Password', { exact: true })).toBeFocused();
  await expect(form.getByLabel('Password', { exact: true })).toHaveAccessibleDescription(/at least 8/);
  await page.keyboard.type(PASSWORD);
  await tabTo(page, form.getByLabel('Username'));
  await page.keyboard.type(username);
  await tabTo(page, form.getByLabel('Other roles'));
  await page.keyboard.type('staff');
  await page.keyboard.press('Enter');

  await expect(heading(page, username)).toBeFocused();
  const theirs = await elsewhere(username, FIREFOX);
  await expect(theirs.getByText('staff', { exact: true })).toBeVisible();
});

test('of a long list more is shown where it ends, and again after a reload and on the way back', async ({ page }) => {
  await logInAsAdmin(page);
  const mark = `x${crypto.randomUUID().slice(0, 8)}`;
  const users = Array.from({ length: 23 }, (_, place) => ({ email: `${mark}-${place}@example.org` }));
  await addUsers(page, users);
  await open(page, `/admin/users?q=${mark}`, 'Users');
  await expect(page.getByText('The first 20 users.')).toBeVisible();
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(page.getByText('23 users.')).toBeVisible();
  await expect(page.getByRole('link', { name: `${mark}-2@example.org` })).toBeFocused();
  await page.reload();
  await expect(page.getByText('23 users.')).toBeVisible();
  await page.getByRole('link', { name: `${mark}-0@example.org` }).click();
  await expect(heading(page, `${mark}-0@example.org`)).toBeFocused();
  await page.goBack();
  await expect(page.getByText('23 users.')).toBeVisible();
});

test('the audit log tells of a user in sentences, and of what happens meanwhile', async ({ page, elsewhere }) => {
  const admin = await logInAsAdmin(page);
  const { username, id } = await addUser(page);
  await open(page, `/admin/audit?user=${id}`, 'Audit log');
  await expect(page.getByText(`${admin.username} added Alan Turing.`)).toBeVisible();
  await elsewhere(username, FIREFOX);
  await page.getByRole('button', { name: 'Show 1 newer event' }).click();
  const newest = page.getByRole('list').getByRole('listitem').first();
  await expect(newest).toContainText('Alan Turing logged in.');
  await expect(newest).toContainText('with Firefox on Linux');
  await expect(newest).toBeFocused();
  await newest.getByText('Details').click();
  await expect(newest.getByText(FIREFOX)).toBeVisible();
  await page.getByLabel('Event').selectOption('Registration');
  await expect(page.getByText('1 event.')).toBeVisible();
  await expect(page).toHaveURL(`/admin/audit?user=${id}&event=registered`);
  await page.getByRole('link', { name: 'Alan Turing' }).first().click();
  await expect(heading(page, 'Alan Turing')).toBeFocused();
});

test('an admin steps down knowingly, and the pages are closed from then on', async ({ page }) => {
  const { username } = await logInAsAdmin(page);
  await open(page, `/admin/users?q=${username}`, 'Users');
  await page.getByRole('link', { name: username }).click();
  await page.getByLabel('Administrator').uncheck();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByRole('dialog', { name: 'Stop being an administrator?' })).toBeVisible();
  await page.getByRole('button', { name: 'Take away' }).click();
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await logIn(page, username);
  await expect(heading(page, 'This page is for administrators')).toBeFocused();
  await expect(page.getByRole('link', { name: 'Admin', exact: true })).toHaveCount(0);
  await open(page, '/admin', 'This page is for administrators');
  await inEveryDress(page);
});

/** Every state of these pages that looks different, about a user of this id. */
const STATES: [name: string, path: (id: string) => string, show: (page: Page) => Promise<void>][] = [
  ['figures', () => '/admin', (page) => expect(page.getByText('Counted')).toBeVisible()],
  ['users', () => '/admin/users', (page) => expect(page.getByText(/^The first|users\.$/)).toBeVisible()],
  ['users, none', () => '/admin/users?q=zzzz', (page) => expect(page.getByText('Nobody matches')).toBeVisible()],
  ['users, refused', () => '/admin/users?role=A%20B', (page) => expect(page.getByText(/^A role has/)).toBeVisible()],
  [
    'adding a user, refused',
    () => '/admin/users',
    async (page) => {
      await page.getByRole('button', { name: 'Add user' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Add user' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'marked below' })).toBeVisible();
    },
  ],
  ['a user', (id) => `/admin/users/${id}`, (page) => expect(page.getByText('added Alan Turing.')).toBeVisible()],
  [
    'a question about a user',
    (id) => `/admin/users/${id}`,
    async (page) => {
      await page.getByRole('button', { name: 'Disable…' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  ],
  [
    'no such user',
    () => '/admin/users/0198f000-0000-7000-8000-000000000001',
    (page) => expect(page.getByText('The account never was')).toBeVisible(),
  ],
  ['the audit log', (id) => `/admin/audit?user=${id}`, (page) => page.getByText('Details').click()],
];

for (const [name, path, show] of STATES) {
  test(`${name}: no barrier in either theme at any width`, async ({ page }) => {
    await logInAsAdmin(page);
    const { id } = await addUser(page, { roles: ['press', 'staff'] });
    await page.goto(path(id));
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await show(page);
    await inEveryDress(page);
  });
}

test('a deleted user: no barrier in either theme at any width', async ({ page }) => {
  await logInAsAdmin(page);
  const { id } = await addUser(page);
  await page.evaluate((id) => fetch(`/api/admin/users/${id}`, { method: 'DELETE' }), id);
  await open(page, `/admin/users/${id}`, 'Alan Turing');
  await expect(page.getByText('deleted the account of')).toBeVisible();
  await inEveryDress(page);
});
