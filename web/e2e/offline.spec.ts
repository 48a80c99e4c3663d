/**
 * A page whose server is out of reach says so, and goes on when it is back.
 */

import { expect, register, test } from './visitor.ts';

test('whoever goes offline is told above the page, until the network is back', async ({ page, context }) => {
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  const notice = page.getByRole('status').filter({ hasText: 'You are offline.' });
  await expect(notice).toHaveCount(0);
  await page.getByRole('link', { name: 'Account', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Delete your account' })).toBeVisible();
  await context.setOffline(true);
  await expect(notice).toBeVisible();
  await page.getByRole('link', { name: 'Dashboard', exact: true }).click();
  await expect(page.getByRole('heading', { name: /Welcome/ })).toBeVisible();
  await expect(notice).toBeVisible();
  await context.setOffline(false);
  await expect(notice).toHaveCount(0);
});

test('a server that does not answer is told of, and so is its return', async ({ page }) => {
  await page.clock.install();
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  await page.route('**/livez', (route) => route.fulfill({ status: 502, body: 'Bad gateway' }));
  const notice = page.getByText('The server does not answer.');
  await page.clock.runFor('00:30');
  await expect(notice).toHaveCount(0);
  await expect(async () => {
    await page.clock.runFor('00:05');
    await expect(notice).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.unroute('**/livez');
  await expect(async () => {
    await page.clock.runFor('00:05');
    await expect(notice).toHaveCount(0, { timeout: 1_000 });
  }).toPass();
});
