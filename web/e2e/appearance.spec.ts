/**
 * How the pages look: light or dark as chosen, from the first frame on, and a style sheet of the operator's.
 */

import type { Page } from '@playwright/test';
import { expect, register, test } from './visitor.ts';

const LIGHT = 'rgb(250, 247, 241)';
const DARK = 'rgb(16, 25, 28)';

/** The colour of the page in each of its first frames, and what the bar of the browser would have. */
async function firstFrames(page: Page): Promise<string[]> {
  await page.waitForFunction(() => (window as unknown as { frames: string[] }).frames.length >= 10);
  return page.evaluate(() => [...new Set((window as unknown as { frames: string[] }).frames)]);
}

async function recordFrames(page: Page) {
  await page.addInitScript(() => {
    const frames: string[] = [];
    Object.assign(window, { frames });
    const look = () => {
      frames.push(getComputedStyle(document.documentElement).backgroundColor);
      if (frames.length < 10) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** The colour of the bar that this browser would show. */
function barOf(page: Page) {
  return page.evaluate(() => {
    const bars = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
    return bars.filter(({ media }) => matchMedia(media).matches).map(({ content }) => content);
  });
}

async function choose(page: Page, theme: string) {
  await page.getByRole('radio', { name: theme }).check();
}

test('a chosen theme is there in the first frame, whatever the system is set to', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  await page.goto('/account');
  await choose(page, 'Dark');
  await expect(page.locator('html')).toHaveCSS('background-color', DARK);
  await recordFrames(page);
  await page.reload();
  expect(await firstFrames(page)).toEqual([DARK]);
  expect(await barOf(page)).toEqual([DARK]);

  await page.emulateMedia({ colorScheme: 'dark' });
  await choose(page, 'Light');
  await page.reload();
  expect(await firstFrames(page)).toEqual([LIGHT]);
  expect(await barOf(page)).toEqual([LIGHT]);

  await choose(page, 'System');
  await page.reload();
  expect(await firstFrames(page)).toEqual([DARK]);
});

test('the theme needs nothing of the app', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/login');
  await page.evaluate(() => localStorage.setItem('vestibule-theme', 'dark'));
  await page.route('**/api/ui/app.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.reload();
  await expect(page.locator('html')).toHaveCSS('background-color', DARK);
  await expect.poll(() => barOf(page)).toEqual([DARK]);
});

test('a choice is followed by every open tab', async ({ page, context }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  const other = await context.newPage();
  await other.emulateMedia({ colorScheme: 'light' });
  await other.goto('/account');
  await page.goto('/account');
  await choose(page, 'Dark');
  await expect(other.locator('html')).toHaveCSS('background-color', DARK);
  await expect(other.getByRole('radio', { name: 'Dark' })).toBeChecked();
});

test('a style sheet of the operator has the last word, in both themes', async ({ page }) => {
  await page.route('**/api/ui/brand.css', (route) =>
    route.fulfill({ contentType: 'text/css', body: ':root { --paper: light-dark(#fff0ff, #200020) }' }),
  );
  await page.route('**/login', async (route) => {
    const answer = await route.fetch();
    const link = '<link rel="stylesheet" href="/api/ui/brand.css"></head>';
    await route.fulfill({ response: answer, body: (await answer.text()).replace('</head>', link) });
  });
  for (const [colorScheme, paper] of [
    ['light', 'rgb(255, 240, 255)'],
    ['dark', 'rgb(32, 0, 32)'],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/login');
    await expect(page.locator('html')).toHaveCSS('background-color', paper);
    await expect.poll(() => barOf(page)).toEqual([paper]);
  }
});
