/**
 * The account page: what people change about their account, and what that does to their other devices.
 */

import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { tabTo } from './dress.ts';
import { expect, logIn, lookAgain, PASSWORD, register, test } from './visitor.ts';

const NEW_PASSWORD = 'another hall of nine arches';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';

/** Registers somebody and opens the page by the link of the dashboard. */
async function openAccount(page: Page) {
  const account = await register(page);
  await page.getByRole('link', { name: 'Change your profile, password or devices' }).click();
  await expect(page.getByRole('heading', { name: 'Your account', level: 1 })).toBeFocused();
  await expect(page.getByRole('heading', { name: 'Delete your account' })).toBeVisible();
  return account;
}

test('a name is changed at will, an e-mail address with the password alone', async ({ page }) => {
  const { email } = await openAccount(page);
  await page.getByLabel('Name (optional)', { exact: true }).fill('Ada Lovelace');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Your profile is saved.')).toBeVisible();

  await page.getByLabel('E-mail').fill(`new-${email}`);
  await page.getByLabel('Your password').fill('not the password');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Your password')).toBeFocused();
  await expect(page.getByLabel('Your password')).toHaveAccessibleDescription(/not your password/);
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your profile is saved.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save changes' })).toBeFocused();

  await page.getByRole('link', { name: 'Dashboard' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Ada Lovelace' })).toBeFocused();
  await expect(page.getByText(`new-${email}`)).toBeVisible();
});

test('a new password logs out every other device and not this one', async ({ page, elsewhere }) => {
  const { username } = await openAccount(page);
  const other = await elsewhere(username, FIREFOX);
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByLabel('New password').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await expect(page.getByRole('listitem')).toHaveCount(1);
  await lookAgain(other);
  await expect(other.getByText('Your session has ended')).toBeVisible();
  await logIn(other, username, NEW_PASSWORD);
  await expect(other).toHaveURL('/dashboard');
  await page.reload();
  await expect(page.getByRole('listitem')).toHaveCount(2);
});

test('a device is known again and logged out; who was there is led back after logging in', async ({
  page,
  elsewhere,
}) => {
  const { username } = await openAccount(page);
  const other = await elsewhere(username, FIREFOX);
  await other.goto('/account');
  await page.reload();
  const row = page.getByRole('listitem').filter({ hasText: 'Firefox on Linux' });
  await expect(row).toContainText('Last used just now');
  await row.getByRole('button', { name: 'Log out Firefox on Linux' }).click();
  await expect(page.getByText('Firefox on Linux is logged out.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Devices' })).toBeFocused();

  await other.getByRole('button', { name: 'Save changes' }).click();
  await expect(other.getByText('Your session has ended')).toBeVisible();
  await logIn(other, username);
  await expect(other).toHaveURL('/account');
});

test('all other devices are logged out after a question', async ({ page, elsewhere }) => {
  const { username } = await openAccount(page);
  await elsewhere(username, FIREFOX);
  await elsewhere(username, 'curl/8.5.0');
  await page.reload();
  const ask = page.getByRole('button', { name: 'Log out all other devices' });
  await ask.click();
  await page.keyboard.press('Escape');
  await expect(ask).toBeFocused();
  await expect(page.getByRole('listitem')).toHaveCount(3);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Log out all others' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Every other device is logged out.', { exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Devices' })).toBeFocused();
  await expect(page.getByRole('listitem')).toHaveCount(1);
});

test('everything that is held is downloaded as one file', async ({ page }) => {
  const { email } = await openAccount(page);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download my data' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^vestibule-export-\d{4}-\d\d-\d\d\.json$/);
  const held = JSON.parse(readFileSync(await download.path(), 'utf8'));
  expect(held.user.email).toBe(email);
  expect(held.sessions).toHaveLength(1);
  await expect(page.getByText('Your file is downloaded.')).toBeVisible();
});

test('a file that was asked for too often is told with its wait', async ({ page }) => {
  await openAccount(page);
  const ask = page.getByRole('button', { name: 'Download my data' });
  for (let times = 0; times < 5; times += 1) {
    const [download] = await Promise.all([page.waitForEvent('download'), ask.click()]);
    await download.path();
    await expect(page.getByText('Your file is downloaded.')).toBeVisible();
  }
  await ask.click();
  await expect(page.getByRole('alert').filter({ hasText: /wait \d+ minutes?/ })).toBeVisible();
});

test('an account is deleted with the password alone, and nobody logs in to it again', async ({ page }) => {
  const { email } = await openAccount(page);
  const ask = page.getByRole('button', { name: 'Delete account…' });
  await ask.click();
  const dialog = page.getByRole('dialog', { name: 'Delete your account?' });
  await expect(dialog.getByLabel('Your password')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(ask).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  await expect(dialog.getByLabel('Your password')).toHaveAccessibleDescription(/not your password/);
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your account is deleted')).toBeVisible();
  await expect(page).toHaveURL('/login');
  await logIn(page, email);
  await expect(page.getByRole('alert')).toContainText('did not match');
});

test('the keyboard alone is enough for everything', async ({ page, elsewhere }) => {
  const { username } = await openAccount(page);
  await elsewhere(username, FIREFOX);
  await page.reload();
  await expect(page.getByRole('listitem')).toHaveCount(2);
  const write = async (label: string, text: string) => {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await page.keyboard.type(text);
  };

  await write('Name (optional)', 'Ada Lovelace');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your profile is saved.')).toBeVisible();

  await write('Current password', PASSWORD);
  await write('New password', NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await expect(page.getByRole('listitem')).toHaveCount(1);

  await tabTo(page, page.getByRole('radio', { checked: true }));
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('html')).toHaveAttribute('data-theme', /light|dark/);

  const download = page.waitForEvent('download');
  await tabTo(page, 'Download my data');
  await page.keyboard.press('Enter');
  await download;

  await tabTo(page, 'Delete account…');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Your password').last()).toBeFocused();
  await page.keyboard.type(NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your account is deleted')).toBeVisible();
});
