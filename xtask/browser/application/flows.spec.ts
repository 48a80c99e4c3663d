/**
 * What a shopper does with the application, from the first visit to the locked door.
 */

import { add, expect, logIn, register, test } from '../support/shopper.ts';

test('a shopper registers, keeps a list over a reload, and logs out', async ({ page }) => {
  const email = await register(page);
  await expect(page).toHaveURL('/list');
  await add(page, 'Six lemons');
  await add(page, 'Bread');
  await page.getByRole('checkbox', { name: 'Six lemons' }).click();
  await expect(page.getByText('One thing to go.')).toBeVisible();
  await page.getByRole('button', { name: 'Remove Bread' }).click();
  await expect(page.getByText('Everything is in the basket.')).toBeVisible();

  await page.reload();
  await expect(page.getByRole('checkbox', { name: 'Six lemons' })).toBeChecked();
  await expect(page.getByRole('checkbox')).toHaveCount(1);

  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL('/login?next=%2Flist');
  await expect(page.getByText('your session has ended')).toHaveCount(0);
  await logIn(page, email);
  await expect(page.getByRole('checkbox', { name: 'Six lemons' })).toBeChecked();
});

test('the list is for signed-in people, and a login leads back to it', async ({ page }) => {
  const email = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto('/list?from=kitchen');
  await expect(page).toHaveURL('/login?next=%2Flist%3Ffrom%3Dkitchen');
  await logIn(page, email);
  await expect(page).toHaveURL('/list?from=kitchen');
});

test('a next that leads to another origin is not followed', async ({ page }) => {
  const email = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto('/login?next=https%3A%2F%2Felsewhere.test%2F');
  await logIn(page, email);
  await expect(page).toHaveURL('/list');
});

test('what the server refuses is told where it belongs', async ({ page }) => {
  await page.goto('/login');
  await logIn(page, 'nobody@example.org', 'not the password');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('E-mail').fill('nonsense');
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByLabel('E-mail')).toBeFocused();
  for (const label of ['E-mail', 'Password']) {
    await expect(page.getByLabel(label)).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel(label)).toHaveAccessibleDescription(/\w/);
  }
});
