/**
 * The pages for everybody: axe in both themes and three widths, no sideways scrolling, and the keyboard alone.
 */

import type { BrowserContext, Locator, Page } from '@playwright/test';
import { inEveryDress, open, tabTo, VIEWPORTS } from './dress.ts';
import { addTodos, expect, PASSWORD, register, someone, test } from './visitor.ts';

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
  ['set-up without its link', (page) => open(page, '/setup', 'The set-up needs its link')],
  [
    'set-up with an old link',
    async (page) => {
      await page.goto('about:blank');
      await open(page, '/setup#code=old', 'Set up Vestibule');
      await page.getByLabel('E-mail').fill('ada@example.org');
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Create administrator' }).click();
      await expect(page.getByRole('heading', { name: /does not open the set-up/ })).toBeVisible();
    },
  ],
  [
    'set-up',
    async (page) => {
      await page.goto('about:blank');
      await open(page, '/setup#code=any', 'Set up Vestibule');
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
  test(`${name}: no barrier in either theme at any width`, async ({ page }) => {
    await show(page);
    await inEveryDress(page);
  });
}

test('dashboard and missing page: no barrier in either theme at any width', async ({ page }) => {
  await register(page);
  await expect(page).toHaveURL('/dashboard');
  await expect(page.getByRole('heading', { name: /Welcome/ })).toBeVisible();
  await page.getByText('For support').click();
  await inEveryDress(page);
  await page.evaluate(() => {
    history.pushState(null, '', '/dashboard/nothing');
  });
  await expect(page.getByRole('heading', { name: 'There is no door here' })).toBeVisible();
  await inEveryDress(page);
});

/** Every state of the account page that looks different. */
const ACCOUNT: [name: string, show: (page: Page) => Promise<void>][] = [
  ['account', async () => {}],
  [
    'account with errors',
    async (page) => {
      await page.getByLabel('Username').fill('a');
      await page.getByLabel('Your password').fill('wrong');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.getByRole('button', { name: 'Change password' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'marked below' })).toHaveCount(2);
    },
  ],
  [
    'account after a change',
    async (page) => {
      await page.getByRole('button', { name: 'Save changes' }).click();
      await expect(page.getByText('Your profile is saved.')).toBeVisible();
    },
  ],
  [
    'question before every other device is logged out',
    async (page) => {
      await page.getByRole('button', { name: 'Log out all other devices' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  ],
  [
    'question before the account is deleted',
    async (page) => {
      await page.getByRole('button', { name: 'Delete account…' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  ],
];

for (const [name, show] of ACCOUNT) {
  test(`${name}: no barrier in either theme at any width`, async ({ page, elsewhere }) => {
    const { username } = await register(page);
    await expect(page).toHaveURL('/dashboard');
    await elsewhere(username, 'curl/8.5.0');
    await open(page, '/account', 'Your account');
    await expect(page.getByRole('heading', { name: 'Delete your account' })).toBeVisible();
    await show(page);
    await inEveryDress(page);
  });
}

/** Pages that are put together from several answers, and what each ends with. */
const ASSEMBLED: [path: string, heading: string | RegExp, end: (page: Page) => Locator][] = [
  ['/account', 'Your account', (page) => page.getByRole('heading', { name: 'Delete your account' })],
  ['/dashboard', /Welcome/, (page) => page.getByRole('link', { name: 'Next' })],
];

for (const [path, heading, end] of ASSEMBLED)
  test(`nothing moves while ${path} appears`, async ({ page }) => {
    await register(page);
    await expect(page).toHaveURL('/dashboard');
    await addTodos(page, 21);
    const shifts: number[] = [];
    await page.exposeFunction('tellShift', (value: number) => shifts.push(value));
    await page.addInitScript(() => {
      const tell = (list: PerformanceObserverEntryList) => {
        for (const entry of list.getEntries())
          (window as unknown as { tellShift(value: number): void }).tellShift((entry as unknown as LayoutShift).value);
      };
      new PerformanceObserver(tell).observe({ type: 'layout-shift', buffered: true });
    });
    for (const viewport of VIEWPORTS) {
      await page.setViewportSize(viewport);
      shifts.length = 0;
      await open(page, path, heading);
      await expect(end(page)).toBeVisible();
      // The first shift that is told is one made here: there was none before, and such a thing would have been noticed.
      await page.evaluate(() => document.querySelector('main')?.prepend('Something new above the rest. '.repeat(20)));
      await expect.poll(() => shifts.length).toBeGreaterThan(0);
      expect(shifts, `at ${viewport.width} px`).toHaveLength(1);
    }
  });

test('nothing moves for whoever asks for that', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.addInitScript(() => {
    const moving: string[] = [];
    for (const kind of ['transitionrun', 'animationstart'] as const)
      document.addEventListener(kind, (event) => {
        const what = 'animationName' in event ? event.animationName : event.propertyName;
        // Nothing is moved by what comes out of nothing where it stands.
        if (what !== 'appear') moving.push(`${what} of ${(event.target as Element).outerHTML.slice(0, 100)}`);
      });
    Object.assign(window, { moving });
  });
  await register(page);
  await expect(page.getByRole('heading', { name: 'A clear desk' })).toBeVisible();
  await addTodos(page, 1);
  await page.reload();
  await page.getByRole('button', { name: 'Edit Todo 1' }).hover();
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Delete “Todo 1”' }).click();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  const moving = () => page.evaluate(() => (window as unknown as { moving: string[] }).moving);
  expect(await moving()).toEqual([]);
  // It would have been noticed.
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await page.getByRole('button', { name: 'Undo' }).hover();
  await expect.poll(moving).not.toEqual([]);
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

/** What TypeScript's library does not describe yet. */
interface LayoutShift {
  value: number;
}
