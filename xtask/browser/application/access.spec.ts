/**
 * The pages of the application for everybody: axe in both themes at two widths, and no sideways scrolling.
 */

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { add, expect, register, test } from '../support/shopper.ts';

const WIDTHS = [320, 1280];
const THEMES = ['light', 'dark'] as const;

test('no page has a barrier, in either theme at either width', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await inEveryDress(page, 'welcome');
  await page.goto('/register');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await inEveryDress(page, 'register, with problems');
  await register(page);
  await add(page, 'Six lemons');
  await add(page, `A title without a place to break: ${'plum'.repeat(40)}`);
  await page.getByRole('checkbox', { name: 'Six lemons' }).click();
  await inEveryDress(page, 'list');
});

async function inEveryDress(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    for (const colorScheme of THEMES) {
      await page.setViewportSize({ width, height: 720 });
      await page.emulateMedia({ colorScheme });
      const dress = `${name}, ${width} px, ${colorScheme}`;
      const { violations } = await new AxeBuilder({ page })
        .options({ rules: { 'target-size': { enabled: true } } })
        .analyze();
      expect(violations, dress).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, dress).toBeLessThanOrEqual(0);
      if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${dress}.png` });
    }
  }
}
