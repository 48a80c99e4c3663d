/**
 * How every page is looked at: by axe in both themes at three widths, without sideways scrolling, with no control beyond
 * its form, and with the keyboard alone. A picture of each is kept beside the test's results. Which pages and states
 * there are is for the tests of each to say.
 */

import { existsSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page, test } from '@playwright/test';

const NARROW = { width: 320, height: 640 };
const PHONE = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 800 };
export const VIEWPORTS = [NARROW, WIDE];

/** Each theme at each width; in a short run each theme once, at the narrowest and the widest. */
const DRESSES = [
  { viewport: NARROW, colorScheme: 'light' },
  { viewport: WIDE, colorScheme: 'dark' },
  { viewport: NARROW, colorScheme: 'dark' },
  { viewport: WIDE, colorScheme: 'light' },
  { viewport: PHONE, colorScheme: 'light' },
  { viewport: PHONE, colorScheme: 'dark' },
] as const;
const WORN = process.env.DRESSES === 'all' ? DRESSES : DRESSES.slice(0, 2);

export async function open(page: Page, path: string, heading: string | RegExp) {
  await page.goto(path);
  await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
}

/** Looks at what `page` shows. Nothing is loaded anew: themes and widths are for the style sheets alone to know. */
export async function inEveryDress(page: Page) {
  for (const { viewport, colorScheme } of WORN) {
    const dress = `${viewport.width}-${colorScheme}`;
    await page.setViewportSize(viewport);
    // A colour on its way from one theme to the other is of neither.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Of the rules of WCAG 2.2 AA, axe leaves the size of targets off unless asked.
    const { violations } = await new AxeBuilder({ page })
      .options({ rules: { 'target-size': { enabled: true } } })
      .analyze();
    expect(violations, `axe in ${dress}`).toEqual([]);
    await expectNoSidewaysScrolling(page, dress);
    await expectNoControlBeyondItsForm(page, dress);
    await page.screenshot({ path: picture(dress), fullPage: true });
  }
}

export async function expectNoSidewaysScrolling(page: Page, when: string) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow, `sideways scrolling in ${when}`).toBeLessThanOrEqual(0);
}

/** A dialog does not scroll sideways for a control that is too wide: it shows it over its margin, or cuts it off. */
async function expectNoControlBeyondItsForm(page: Page, when: string) {
  const beyond = await page.locator('form').evaluateAll((forms) =>
    forms.flatMap((form) => {
      const { left, right } = form.getBoundingClientRect();
      const controls = [...form.querySelectorAll('input, textarea, select, button')];
      const shown = controls.filter((control) => control.checkVisibility());
      return shown.flatMap((control) => {
        const box = control.getBoundingClientRect();
        return box.left < left - 0.5 || box.right > right + 0.5 ? [control.outerHTML] : [];
      });
    }),
  );
  expect(beyond, `controls beyond their form in ${when}`).toEqual([]);
}

/** A file among the test's results that is not there yet: one test may look at several pages. */
function picture(dress: string): string {
  const path = test.info().outputPath(`${dress}.png`);
  return existsSync(path) ? picture(`${dress}-next`) : path;
}

/** Presses Tab until the control, or the one button or link of that name, has the focus, and sees that the focus shows. */
export async function tabTo(page: Page, target: string | Locator) {
  const control =
    typeof target === 'string'
      ? page.getByRole('button', { name: target }).or(page.getByRole('link', { name: target }))
      : target;
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab');
    if (await control.evaluate((element) => element === document.activeElement)) {
      await expect(control).toHaveCSS('outline-style', 'solid');
      return;
    }
  }
  throw new Error(`Tab never reaches ${target}`);
}
