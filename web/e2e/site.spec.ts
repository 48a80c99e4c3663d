/**
 * The example site around the built-in pages: a script of its own, without a library, knows who is logged in.
 */

import { expect, logIn, register, test } from './visitor.ts';

test('pages of the site greet whoever is logged in, and log them out', async ({ page }) => {
  await page.goto('/');
  const account = page.getByRole('navigation', { name: 'Account' });
  await expect(account.getByRole('link', { name: 'Log in' })).toBeVisible();
  const { username } = await register(page);
  await expect(page).toHaveURL('/dashboard');

  for (const path of ['/', '/visit.html', '/members/']) {
    await page.goto(path);
    await expect(account).toContainText(`Hello, ${username}`);
    await expect(page.getByRole('link', { name: 'Register', exact: true })).toHaveCount(0);
  }
  await account.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login\?next=/);
  await logIn(page, username);
  await expect(account).toContainText(`Hello, ${username}`);
});

test('a name that looks like HTML is shown as it is', async ({ page }) => {
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  const answer = await page.request.patch('/api/user/profile', {
    data: { name: '<img src=x onerror=alert(1)>' },
    headers: { origin: new URL(page.url()).origin },
  });
  expect(answer.status()).toBe(200);
  await page.goto('/');
  await expect(page.getByRole('navigation', { name: 'Account' })).toContainText('Hello, <img src=x onerror=alert(1)>');
});

test('a log-out that does not arrive is told', async ({ page, context }) => {
  const { username } = await register(page);
  await expect(page).toHaveURL('/dashboard');
  await page.goto('/');
  await context.route('**/api/auth/logout', (route) => route.abort());
  const told = page.waitForEvent('dialog').then(async (dialog) => {
    await dialog.accept();
    return dialog.message();
  });
  await page.getByRole('button', { name: 'Log out' }).click();
  expect(await told).toContain('still logged in');
  await expect(page.getByText(`Hello, ${username}`)).toBeVisible();
});
