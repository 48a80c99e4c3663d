/**
 * What becomes of a session that is kept in `localStorage`: renewed, shared by tabs, ended here and elsewhere.
 */

import type { Page } from '@playwright/test';
import { add, endSessionsOf, expect, logIn, register, test } from '../support/shopper.ts';

const ENDED = 'your session has ended';

test('the token is renewed while the application goes on', async ({ page, shop }) => {
  await register(page);
  const before = await storedSession(page);
  const { succeeded } = await shop.server.refreshes();
  await add(page, 'Butter');
  await page.reload();
  await expect(page.getByRole('checkbox', { name: 'Butter' })).toBeVisible();
  expect(await storedSession(page)).not.toBe(before);
  const after = await shop.server.refreshes();
  expect(after.succeeded).toBeGreaterThan(succeeded);
  expect(after).toMatchObject({ refused: 0, reused: 0 });
});

test('two tabs have one session: a login and a log-out are seen in both', async ({ page, context }) => {
  const email = await register(page);
  const other = await context.newPage();
  await other.goto('/list');
  await add(other, 'Plums');
  await page.getByRole('button', { name: 'Log out' }).click();
  for (const tab of [page, other]) {
    await expect(tab).toHaveURL('/login?next=%2Flist');
    await expect(tab.getByText(ENDED)).toHaveCount(0);
  }
  await logIn(other, email);
  for (const tab of [page, other]) await expect(tab.getByRole('checkbox', { name: 'Plums' })).toBeVisible();
});

test('a session that was ended elsewhere leads to the login page, which says why, and back', async ({ page, shop }) => {
  const email = await register(page);
  await endSessionsOf(email, shop);
  await page.getByLabel('Something to buy').fill('Flour');
  await page.getByRole('button', { name: 'Add' }).click();
  await expect(page).toHaveURL('/login?next=%2Flist');
  await expect(page.getByRole('status')).toContainText(ENDED);
  expect(await storedSession(page)).toBeNull();
  await logIn(page, email);
  await expect(page).toHaveURL('/list');
});

test('a session that was ended while nobody looked is noticed at the next visit', async ({ page, shop }) => {
  const email = await register(page);
  await page.goto('about:blank');
  await endSessionsOf(email, shop);
  await page.goto(`${shop.origin}/list`);
  await expect(page).toHaveURL('/login?next=%2Flist');
  await expect(page.getByRole('status')).toContainText(ENDED);
});

test('a server out of reach logs nobody out', async ({ page, context }) => {
  await register(page);
  await add(page, 'Salt');
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Remove Salt' }).click();
  await expect(page.getByRole('alert')).toContainText('not saved');
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Remove Salt' }).click();
  await expect(page.getByText('Nothing to buy')).toBeVisible();
});

/** What the tabs share: everything that the client keeps. */
function storedSession(page: Page): Promise<string | null> {
  return page.evaluate(() => {
    const key = Object.keys(localStorage).find((key) => key.startsWith('vestibule:'));
    return key ? localStorage.getItem(key) : null;
  });
}
