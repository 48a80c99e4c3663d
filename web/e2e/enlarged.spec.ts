/**
 * Every page at twice its size, in both ways that browsers have: all of it, as by Ctrl and plus, or its text alone, as
 * by the browser's settings. Nothing is cut off, and whatever has the focus can be seen.
 */

import type { Page } from '@playwright/test';
import { expectNoSidewaysScrolling, open } from './dress.ts';
import { addTodos, expect, logInAsAdmin, register, test } from './visitor.ts';

const WINDOW = { width: 1280, height: 900 };

const WAYS: [name: string, enlarge: (page: Page) => Promise<void>][] = [
  [
    'the page',
    async (page) => {
      const size = { width: WINDOW.width / 2, height: WINDOW.height / 2 };
      const browser = await page.context().newCDPSession(page);
      await browser.send('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 2, mobile: false });
    },
  ],
  [
    'the text',
    async (page) => {
      await page.setViewportSize(WINDOW);
      const browser = await page.context().newCDPSession(page);
      await browser.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
    },
  ],
];

/** Goes through all that can have the focus, from the beginning of the page to its end. */
async function expectNothingHidden(page: Page) {
  await expectNoSidewaysScrolling(page, 'twice the size');
  expect(await page.evaluate(cutOff), 'text that is cut off').toEqual([]);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const seen = new Set<string>();
  for (;;) {
    await page.keyboard.press('Tab');
    const { place, visible } = await page.evaluate(whereTheFocusIs);
    if (place === null || seen.has(place)) break;
    seen.add(place);
    expect(visible, `${place} can be seen when it has the focus`).toBe(true);
  }
  expect(seen.size).toBeGreaterThan(0);
}

/** Runs in the page: what the boxes that hide their overflow do not show, but for what is meant to end in dots. */
function cutOff(): string[] {
  const hides = (element: Element) => {
    const { overflowX, overflowY, clipPath, webkitLineClamp } = getComputedStyle(element);
    return (
      [overflowX, overflowY].some((o) => o === 'hidden' || o === 'clip') &&
      clipPath === 'none' &&
      webkitLineClamp === 'none'
    );
  };
  const tooSmall = (element: Element) =>
    element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.textContent?.trim() && hides(element) && tooSmall(element))
    .map((element) => element.outerHTML.slice(0, 200));
}

/** Runs in the page: what has the focus, and whether it is what one sees in its middle. */
function whereTheFocusIs(): { place: string | null; visible: boolean } {
  const element = document.activeElement;
  if (!element || element === document.body) return { place: null, visible: false };
  const { left, top, width, height } = element.getBoundingClientRect();
  const onTop = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2);
  const visible = onTop !== null && (element.contains(onTop) || onTop.contains(element));
  const all = [...document.querySelectorAll('*')];
  return { place: `${all.indexOf(element)}: ${element.outerHTML.slice(0, 120)}`, visible };
}

for (const [name, enlarge] of WAYS) {
  test(`${name} at twice the size: the way in`, async ({ page }) => {
    await enlarge(page);
    await open(page, '/login', 'Log in');
    await expectNothingHidden(page);
    await open(page, '/setup', 'The set-up needs its link');
    await expectNothingHidden(page);
    await open(page, '/register', 'Create an account');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('alert')).toContainText('marked below');
    await expectNothingHidden(page);
  });

  test(`${name} at twice the size: dashboard and account`, async ({ page }) => {
    await enlarge(page);
    await register(page);
    await expect(page).toHaveURL('/dashboard');
    await addTodos(page, 21);
    await page.reload();
    await expect(page.getByText('Page 1 of 2')).toBeVisible();
    await expectNothingHidden(page);
    await page.getByRole('button', { name: 'Edit Todo 21' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectNothingHidden(page);
    await open(page, '/account', 'Your account');
    await expect(page.getByRole('heading', { name: 'Delete your account' })).toBeVisible();
    await expectNothingHidden(page);
  });

  test(`${name} at twice the size: administration`, async ({ page }) => {
    await enlarge(page);
    await logInAsAdmin(page);
    for (const [path, heading] of [
      ['/admin', 'Figures'],
      ['/admin/users', 'Users'],
      ['/admin/audit', 'Audit log'],
    ] as const) {
      await open(page, path, heading);
      await expectNothingHidden(page);
    }
  });
}
