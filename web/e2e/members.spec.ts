/**
 * The main job: a part of the site for registered users alone, from the first visit to the locked door.
 */

import { expect, fillRegistration, logIn, register, someone, test } from './visitor.ts';

test('a visitor registers on the way to the members’ area, comes back, and is locked out after logging out', async ({
  page,
}) => {
  await page.goto('/members/');
  await expect(page).toHaveURL(isLoginForMembers);
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page).toHaveURL('/register?next=%2Fmembers%2F');
  await fillRegistration(page, someone());
  await page.getByRole('button', { name: 'Create account' }).click();

  const membersArea = page.getByRole('heading', { name: 'Members’ area', level: 1 });
  await expect(membersArea).toBeVisible();
  await expect(page).toHaveURL('/members/');
  await page.reload();
  await expect(membersArea).toBeVisible();

  await page.goto('/dashboard');
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByText('You are logged out')).toBeVisible();
  await page.goto('/members/');
  await expect(page).toHaveURL(isLoginForMembers);
});

test('Back from the members’ area does not lead into a circle', async ({ page }) => {
  await page.goto('/');
  const before = page.url();
  await register(page, someone(), '/register?next=%2Fmembers%2F');
  await expect(page).toHaveURL('/members/');
  await page.goBack();
  expect(page.url()).toBe(before);
});

test('a member logs in by e-mail and by username, in whatever case', async ({ page, context }) => {
  const { email, username } = await register(page);
  for (const login of [email, username.toUpperCase()]) {
    await expect(page.getByRole('heading', { name: `Welcome, ${username}` })).toBeVisible();
    await context.clearCookies();
    await page.goto('/login');
    await logIn(page, login);
  }
  await expect(page).toHaveURL('/dashboard');
});

test('a login in one tab is known in the other', async ({ page, context }) => {
  const account = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password', { exact: true }).waitFor();

  const other = await context.newPage();
  await other.goto('/login?next=%2Fmembers%2F');
  await other.getByLabel('Password', { exact: true }).waitFor();
  await logIn(page, account.email);
  await expect(page).toHaveURL('/dashboard');
  await expect(other).toHaveURL('/members/');
});

test('a second login form that was not told of the first still works', async ({ page, context }) => {
  await page.addInitScript(() => {
    BroadcastChannel.prototype.postMessage = () => {};
  });
  const account = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  const other = await context.newPage();
  await other.goto('/login');
  await logIn(page, account.email);
  await expect(page).toHaveURL('/dashboard');
  await logIn(other, account.email);
  await expect(other).toHaveURL('/dashboard');
});

test('a next that leads off the site is not followed', async ({ page }) => {
  await register(page, someone(), `/register?next=${encodeURIComponent('//elsewhere.test/')}`);
  await expect(page).toHaveURL('/dashboard');
});

/** However the server chose to encode it. */
function isLoginForMembers(url: URL): boolean {
  return url.pathname === '/login' && url.searchParams.get('next') === '/members/';
}
