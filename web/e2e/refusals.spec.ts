/**
 * What people see when the server says no, and what password managers see.
 */

import { expect, fillRegistration, logIn, register, test } from './visitor.ts';

test('a wrong password is told without saying which part was wrong', async ({ page }) => {
  await page.goto('/login');
  await logIn(page, 'nobody@example.org', 'not the password');
  await expect(page.getByRole('alert')).toContainText('did not match');
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused();
});

test('a weak password and a bad name are told at their fields', async ({ page }) => {
  await page.goto('/register');
  await page.getByLabel('E-mail').fill('nonsense');
  await page.getByLabel('Username').fill('a');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('E-mail')).toBeFocused();
  for (const name of ['email', 'username', 'password']) {
    const field = page.locator(`input[name=${name}]`);
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/\w/);
  }
});

test('a taken e-mail address is told at its field', async ({ page, context }) => {
  const account = await register(page);
  await expect(page).toHaveURL('/dashboard');
  await context.clearCookies();
  await page.goto('/register');
  await fillRegistration(page, { ...account, email: account.email.toUpperCase() });
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('E-mail')).toBeFocused();
  await expect(page.getByLabel('E-mail')).toHaveAccessibleDescription(/already has an account/);
});

test('password managers find the fields they look for, and paste is never blocked', async ({ page }) => {
  await page.goto('/login');
  await expect(page.locator('form input#login[name=login]')).toHaveAttribute('autocomplete', 'username');
  const current = page.locator('form input#password[name=password]');
  await expect(current).toHaveAttribute('autocomplete', 'current-password');
  await current.evaluate((input) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text', 'from a manager');
    const allowed = input.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    );
    if (!allowed) throw new Error('paste was prevented');
  });
  await page.goto('/register');
  await expect(page.locator('form input#email[name=email]')).toHaveAttribute('autocomplete', 'username');
  await expect(page.locator('form input#password[name=password]')).toHaveAttribute('autocomplete', 'new-password');
});

test('a lost connection is told, and what was typed stays', async ({ page, context }) => {
  await page.goto('/login');
  await page.getByLabel('E-mail or username').waitFor();
  await context.route('**/api/auth/login', (route) => route.abort());
  await logIn(page, 'ada@example.org');
  await expect(page.getByRole('alert')).toContainText('could not be reached');
  await expect(page.getByLabel('E-mail or username')).toHaveValue('ada@example.org');
});
