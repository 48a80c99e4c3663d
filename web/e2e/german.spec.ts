/**
 * The pages for a browser that asks for German, on the narrowest screen: the ways through the account, end to end.
 */

import type { Page } from '@playwright/test';
import { expect, PASSWORD, someone, test } from './visitor.ts';

test.use({ locale: 'de-DE', viewport: { width: 320, height: 640 } });

async function seeNoSidewaysScrolling(page: Page) {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}

test('a German browser is spoken to in German, from registration to deletion', async ({ page, request }) => {
  const { email, username } = someone();
  await page.goto('/register');
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.getByLabel('E-Mail').fill(email);
  await page.getByLabel('Benutzername').fill(username);
  await page.getByLabel('Passwort', { exact: true }).fill('kurz');
  await page.getByRole('button', { name: 'Konto anlegen' }).click();
  await expect(page.getByText('Nimm mindestens 8 Zeichen')).toBeVisible();
  await seeNoSidewaysScrolling(page);
  await page.getByLabel('Passwort', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Konto anlegen' }).click();
  await expect(page.getByRole('heading', { name: `Willkommen, ${username}` })).toBeFocused();
  await seeNoSidewaysScrolling(page);

  const elsewhere = { data: { login: username, password: PASSWORD }, headers: { 'user-agent': 'curl/8.5.0' } };
  expect((await request.post('/api/auth/login', elsewhere)).status()).toBe(200);
  await page.getByRole('link', { name: 'Konto', exact: true }).click();
  await page.getByRole('button', { name: 'curl abmelden' }).click();
  await expect(page.getByText('curl ist abgemeldet.')).toBeVisible();

  await page.getByLabel('E-Mail').fill('keine Adresse');
  await page.getByLabel('Dein Passwort').fill(PASSWORD);
  await page.getByRole('button', { name: 'Änderungen speichern' }).click();
  await expect(page.getByText('Eine E-Mail-Adresse sieht aus wie ada@example.org.')).toBeVisible();
  await seeNoSidewaysScrolling(page);
  await page.getByLabel('E-Mail').fill(`neu-${email}`);
  await page.getByRole('button', { name: 'Änderungen speichern' }).click();
  await expect(page.getByText('Dein Profil ist gespeichert.')).toBeVisible();

  await page.getByRole('button', { name: 'Konto löschen …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Dein Konto löschen?' });
  await dialog.getByLabel('Dein Passwort').fill(PASSWORD);
  await seeNoSidewaysScrolling(page);
  await dialog.getByRole('button', { name: 'Mein Konto löschen' }).click();
  await expect(page.getByText('Dein Konto ist gelöscht')).toBeVisible();
});

test('without JavaScript the page says what is missing, in German alone', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'de-DE' });
  const page = await context.newPage();
  await page.goto('/login');
  await expect(page.getByRole('heading', { name: 'Diese Seite braucht JavaScript' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'This page needs JavaScript' })).toBeHidden();
  await context.close();
});
