/**
 * The description of the API as a page: Swagger UI under the policy of all our pages, whose breach would stand in the
 * console, which must stay clean.
 */

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, PASSWORD, register, someone, test } from './visitor.ts';

/** The operation of this id, opened. */
async function opened(page: Page, id: string) {
  const operation = page.locator(`[id^="operations-"][id$="-${id}"]`);
  await operation.locator('.opblock-summary-control').click();
  return operation;
}

test('somebody authorizes with name and password and calls the API from the page', async ({ page, context }) => {
  const account = await register(page, someone());
  await expect(page).toHaveURL('/dashboard');
  // Without the cookie, so that it is the token of the page that counts.
  await context.clearCookies();
  await page.goto('/api/docs');
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.dialog-ux');
  await dialog.locator('#oauth_username').fill(account.username);
  await dialog.locator('#oauth_password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await expect(dialog.getByRole('button', { name: 'Remove authorization' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).first().click();
  const me = await opened(page, 'me');
  await me.getByRole('button', { name: 'Execute' }).click();
  const answer = me.locator('.live-responses-table .response');
  await expect(answer.locator('.response-col_status')).toContainText('200');
  await expect(answer).toContainText(account.email);
});

test('a token of one’s own does as well', async ({ page, request }) => {
  const account = someone();
  const registered = await request.post('/api/auth/register', { data: { ...account, password: PASSWORD } });
  const { access_token: token } = await registered.json();
  await page.goto('/api/docs');
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.dialog-ux');
  const bearer = dialog.locator('.auth-container', { hasText: 'bearer' }).first();
  await bearer.locator('input').fill(token);
  await bearer.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Close' }).first().click();
  const sessions = await opened(page, 'list_sessions');
  await sessions.getByRole('button', { name: 'Execute' }).click();
  const answer = sessions.locator('.live-responses-table .response');
  await expect(answer.locator('.response-col_status')).toContainText('200');
  await expect(answer).toContainText('"current": true');
});

test('every operation is on the page, which asks nobody but this server', async ({ page, request, baseURL }) => {
  const elsewhere: string[] = [];
  page.on('request', (asked) => {
    const { protocol, origin } = new URL(asked.url());
    if (protocol !== 'data:' && origin !== new URL(baseURL ?? '').origin) elsewhere.push(asked.url());
  });
  await page.goto('/api/docs');
  const description = await (await request.get('/api/openapi.json')).json();
  const operations = Object.values(description.paths).flatMap((methods) => Object.keys(methods as object));
  await expect(page.locator('.opblock')).toHaveCount(operations.length);
  expect(elsewhere).toEqual([]);
});

test('in the dark every header is legible, and no word in code lies over the lines beside it', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/api/docs');
  await expect((await opened(page, 'get_todo')).locator('table.headers').first()).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).include('table.headers').withRules('color-contrast').analyze();
  expect(violations).toEqual([]);
  const words = page.locator('.info .renderedMarkdown code');
  const heights = await words.evaluateAll((all) =>
    all.map((word) => (word.getClientRects()[0]?.height ?? 0) / Number.parseFloat(getComputedStyle(word).fontSize)),
  );
  expect(heights.length).toBeGreaterThan(0);
  expect(Math.max(...heights)).toBeLessThan(1.5);
});
