/**
 * The pages for everybody: axe in both themes and two widths, no sideways scrolling, and the keyboard alone.
 */

import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, PASSWORD, register, someone, test } from './visitor.ts';

const THEMES = ['light', 'dark'] as const;
const VIEWPORTS = [
  { width: 320, height: 640 },
  { width: 1280, height: 800 },
];

/** Every page and every state of it that looks different, with what to wait for. */
const SIGNED_OUT: [name: string, show: (page: Page) => Promise<void>][] = [
  ['log in', (page) => open(page, '/login', 'Log in')],
  ['register', (page) => open(page, '/register', 'Create an account')],
  [
    'register with errors',
    async (page) => {
      await open(page, '/register', 'Create an account');
      await page.getByRole('button', { name: 'Create account' }).click();
      await expect(page.getByRole('alert')).toContainText('marked below');
    },
  ],
  [
    'registration closed',
    async (page) => {
      await page.route('**/api/auth/register', (route) =>
        route.fulfill({ status: 403, json: { status: 403, code: 'registration_closed' } }),
      );
      await register(page);
      await expect(page.getByRole('heading', { name: 'Registration is closed' })).toBeVisible();
    },
  ],
  [
    'server out of reach',
    async (page) => {
      await page.route('**/api/auth/me', (route) => route.abort());
      await open(page, '/login', 'Nobody answers');
    },
  ],
];

for (const [name, show] of SIGNED_OUT) {
  test(`${name}: no barrier in either theme at either width`, async ({ page }) => {
    await inEveryDress(page, () => show(page));
  });
}

test('dashboard and missing page: no barrier in either theme at either width', async ({ page }) => {
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  await inEveryDress(page, async () => {
    await open(page, '/dashboard', /Welcome/);
    await page.getByText('For support').click();
  });
  await inEveryDress(page, async () => {
    await open(page, '/dashboard', /Welcome/);
    await page.evaluate(() => {
      history.pushState(null, '', '/dashboard/nothing');
    });
    await expect(page.getByRole('heading', { name: 'There is no door here' })).toBeVisible();
  });
});

test('without JavaScript the page says what is missing', async ({ browser }) => {
  const context: BrowserContext = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('/login');
  await expect(page.getByRole('heading', { name: 'This page needs JavaScript' })).toBeVisible();
  await context.close();
});

test('the keyboard alone is enough to register, log out and log in', async ({ page }) => {
  const { email, username } = someone();
  await page.goto('/login');
  await expect(page.getByLabel('E-mail or username')).toBeFocused();
  await tabTo(page, 'Create an account');
  await page.keyboard.press('Enter');

  await expect(page.getByLabel('E-mail')).toBeFocused();
  await page.keyboard.type(email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await tabTo(page, 'Show password');
  await page.keyboard.press('Space');
  await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute('type', 'text');
  await tabTo(page, 'Create account');
  await page.keyboard.press('Enter');

  await expect(page.getByRole('heading', { name: `Welcome, ${username}` })).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Log out' })).toBeFocused();
  await page.keyboard.press('Enter');

  await expect(page.getByLabel('E-mail or username')).toBeFocused();
  await page.keyboard.type(username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/dashboard');
});

async function open(page: Page, path: string, heading: string | RegExp) {
  await page.goto(path);
  await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
}

async function inEveryDress(page: Page, show: () => Promise<void>) {
  for (const viewport of VIEWPORTS) {
    for (const colorScheme of THEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await show();
      // Of the rules of WCAG 2.2 AA, axe leaves the size of targets off unless asked.
      const { violations } = await new AxeBuilder({ page })
        .options({ rules: { 'target-size': { enabled: true } } })
        .analyze();
      expect(violations, `axe at ${viewport.width} px, ${colorScheme}`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `sideways scrolling at ${viewport.width} px`).toBeLessThanOrEqual(0);
    }
  }
}

/** Presses Tab until the control named `name` has the focus, and sees that the focus shows. */
async function tabTo(page: Page, name: string) {
  const control = page.getByRole('button', { name }).or(page.getByRole('link', { name }));
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab');
    if (await control.evaluate((element) => element === document.activeElement)) {
      await expect(control).toHaveCSS('outline-style', 'solid');
      return;
    }
  }
  throw new Error(`Tab never reaches ${name}`);
}
