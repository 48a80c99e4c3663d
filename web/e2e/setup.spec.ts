/**
 * The first administrator, by the link of a server that has none yet: its data folder is at `VESTIBULE_DATA`.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, PASSWORD, someone, test } from './visitor.ts';

test('the link makes one administrator, leaves no trace in the browser, and is of no use again', async ({ page }) => {
  const data = process.env.VESTIBULE_DATA;
  if (!data) throw new Error('VESTIBULE_DATA must be the data folder of the running server');
  const link = readFileSync(join(data, 'setup-link'), 'utf8').trim();
  const { email } = someone();

  await page.goto(link);
  await expect(page.getByLabel('E-mail')).toBeFocused();
  expect(page.url()).not.toContain('code');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'The set-up needs its link' })).toBeVisible();

  await page.goto(link);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Password', { exact: true })).toHaveAccessibleDescription(/at least 8/);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `Welcome, ${email}` })).toBeFocused();
  await expect(page.getByText('admin', { exact: true })).toBeVisible();

  await page.goto(link);
  await page.getByLabel('E-mail').fill(someone().email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /does not open the set-up any more/ })).toBeFocused();
});
