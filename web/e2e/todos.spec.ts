/**
 * The todos of the dashboard, against the real server: everything that can be done with them, alone, in two tabs, out
 * of reach of the server, and with the keyboard alone.
 */

import type { Page } from '@playwright/test';
import { inEveryDress, tabTo } from './dress.ts';
import { addTodo, addTodos, expect, logIn, lookAgain, register, test } from './visitor.ts';

const DAY = 24 * 60 * 60 * 1000;

/** Registers somebody and adds `todos` for them, the last one first in the list. */
async function openTodos(page: Page, ...todos: object[]) {
  const account = await register(page);
  await expect(page.getByRole('heading', { name: 'A clear desk' })).toBeVisible();
  if (todos.length > 0) {
    await addTodo(page, ...todos);
    await page.reload();
    await expect(titles(page)).toHaveCount(Math.min(todos.length, 20));
  }
  return account;
}

const titles = (page: Page) => page.getByRole('button', { name: /^Edit / });
const titleOf = (page: Page, title: string) => page.getByRole('button', { name: `Edit ${title}`, exact: true });
const checkOf = (page: Page, title: string) => page.getByRole('checkbox', { name: title, exact: true });
const deleteOf = (page: Page, title: string) => page.getByRole('button', { name: `Delete “${title}”` });
const shown = (page: Page, ...names: string[]) => expect(titles(page)).toHaveText(names.map((name) => `Edit ${name}`));

async function write(page: Page, title: string) {
  await page.getByLabel('New todo').fill(title);
  await page.keyboard.press('Enter');
}

/** A change is shown before the server has it: waits until it does. */
const answered = (page: Page, method: string) =>
  page.waitForResponse((response) => response.request().method() === method);

test('todos are added, checked off, edited and found again after a reload', async ({ page }) => {
  await openTodos(page);
  await write(page, 'Buy lamp oil');
  await write(page, 'Water the fig tree');
  await shown(page, 'Water the fig tree', 'Buy lamp oil');
  await expect(page.getByLabel('New todo')).toBeFocused();
  await expect(page.getByText('2 todos')).toBeVisible();

  await checkOf(page, 'Water the fig tree').click();
  await expect(checkOf(page, 'Water the fig tree')).toBeChecked();
  await titleOf(page, 'Buy lamp oil').click();
  const dialog = page.getByRole('dialog', { name: 'Edit todo' });
  await expect(dialog.getByLabel('Title')).toBeFocused();
  await dialog.getByLabel('Title').fill('Buy two litres of lamp oil');
  await dialog.getByLabel('Details').fill('At the harbour.\nNot the cheap one.');
  await dialog.getByLabel('Due').fill('2035-05-01T09:30');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  await expect(titleOf(page, 'Buy two litres of lamp oil')).toBeFocused();

  await page.reload();
  await shown(page, 'Water the fig tree', 'Buy two litres of lamp oil');
  await expect(checkOf(page, 'Water the fig tree')).toBeChecked();
  await expect(page.getByText('At the harbour.')).toBeVisible();
  await expect(page.getByText('Due May 1, 2035, 9:30')).toBeVisible();
});

test('a filter, a search and a sort stand in the address, and Back undoes each', async ({ page }) => {
  await openTodos(
    page,
    { title: 'Answer 100 % of the letters' },
    { title: 'Buy oil', completed: true },
    { title: 'Clean the arch', description: 'With 1000 brushes' },
  );
  await page.getByRole('link', { name: 'Open' }).click();
  await expect(page).toHaveURL('/dashboard?filter=open');
  await shown(page, 'Clean the arch', 'Answer 100 % of the letters');
  await expect(page.getByText('2 open')).toBeVisible();

  await page.getByLabel('Sort by').selectOption('Title');
  await shown(page, 'Answer 100 % of the letters', 'Clean the arch');

  await page.getByLabel('Search your todos').pressSequentially('100 %');
  await shown(page, 'Answer 100 % of the letters');
  await expect(page).toHaveURL('/dashboard?filter=open&sort=title&q=100+%25');
  await page.reload();
  await shown(page, 'Answer 100 % of the letters');
  await expect(page.getByLabel('Search your todos')).toHaveValue('100 %');

  await page.goBack();
  await shown(page, 'Answer 100 % of the letters', 'Clean the arch');
  await page.goBack();
  await shown(page, 'Clean the arch', 'Answer 100 % of the letters');
  await page.goBack();
  await expect(page).toHaveURL('/dashboard');
  await expect(titles(page)).toHaveCount(3);
});

test('many todos come in pages, each read from its beginning', async ({ page }) => {
  await openTodos(page);
  await addTodos(page, 45);
  await page.reload();
  await expect(page.getByText('45 todos')).toBeVisible();
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(page).toHaveURL('/dashboard?page=2');
  await expect(page.getByRole('heading', { name: 'Your todos' })).toBeFocused();
  await expect(titles(page).first()).toHaveText('Edit Todo 25');
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(titles(page)).toHaveCount(5);
  await expect(page.getByText('Page 3 of 3')).toBeVisible();
  await page.goBack();
  await expect(titles(page).first()).toHaveText('Edit Todo 25');
  await page.getByRole('link', { name: 'Previous' }).click();
  await expect(page).toHaveURL('/dashboard');
});

test('a deletion can be undone, and is done when the page is left', async ({ page }) => {
  await openTodos(page, { title: 'Third' }, { title: 'Second' }, { title: 'First' });
  await deleteOf(page, 'First').click();
  await deleteOf(page, 'Second').click();
  await shown(page, 'Third');
  await page.getByRole('button', { name: 'Undo' }).click();
  await shown(page, 'First', 'Second', 'Third');

  await deleteOf(page, 'Second').click();
  await page.reload();
  await shown(page, 'First', 'Third');

  await deleteOf(page, 'Third').click();
  await page.getByRole('link', { name: 'Account', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Your account', level: 1 })).toBeVisible();
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await shown(page, 'First');
});

test('logging out sends a deletion first, and nothing is left for whoever logs in next', async ({ page }) => {
  const { username } = await openTodos(page, { title: 'Keep' }, { title: 'A secret' });
  await deleteOf(page, 'A secret').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL('/login');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await register(page);
  await expect(page.getByRole('heading', { name: 'A clear desk' })).toBeVisible();
  await page.getByRole('button', { name: 'Log out' }).click();
  await logIn(page, username);
  await shown(page, 'Keep');
});

test('out of reach of the server nothing is lost: it is taken back, told, and tried again', async ({ page }) => {
  await openTodos(page, { title: 'Buy oil' });
  await page.route('**/api/todos**', (route) =>
    route.request().method() === 'GET' ? route.continue() : route.abort(),
  );
  await checkOf(page, 'Buy oil').click();
  await write(page, 'Light the lamps');
  await expect(page.getByText('“Buy oil” could not be changed.')).toBeVisible();
  await expect(page.getByText('“Light the lamps” could not be added.')).toBeVisible();
  await expect(checkOf(page, 'Buy oil')).not.toBeChecked();
  await shown(page, 'Buy oil');
  await page.unroute('**/api/todos**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await shown(page, 'Light the lamps', 'Buy oil');
  await expect(checkOf(page, 'Buy oil')).toBeChecked();
  await page.reload();
  await shown(page, 'Light the lamps', 'Buy oil');
  await expect(checkOf(page, 'Buy oil')).toBeChecked();
});

test('a title that is too long goes back into the field with the reason', async ({ page }) => {
  await openTodos(page);
  await write(page, 'x'.repeat(201));
  await expect(page.getByLabel('New todo')).toHaveAccessibleDescription(/200/);
  await expect(page.getByLabel('New todo')).toHaveValue('x'.repeat(201));
});

test('two tabs: one sees what the other did, and overwrites nothing unseen', async ({ page, context }) => {
  await openTodos(page, { title: 'Buy oil' });
  const other = await context.newPage();
  await other.goto('/dashboard');
  await titleOf(other, 'Buy oil').click();
  await other.getByLabel('Details').fill('By hand');

  await titleOf(page, 'Buy oil').click();
  await page.getByLabel('Title').fill('Buy lamp oil');
  await page.getByRole('button', { name: 'Save' }).click();
  await shown(page, 'Buy lamp oil');

  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByRole('alert').filter({ hasText: 'changed elsewhere' })).toBeFocused();
  await other.getByRole('button', { name: 'Keep what I wrote' }).click();
  await expect(other.getByLabel('Title')).toHaveValue('Buy oil');
  await other.getByLabel('Title').fill('Buy lamp oil by hand');
  const saved = answered(other, 'PATCH');
  await other.getByRole('button', { name: 'Save' }).click();
  await shown(other, 'Buy lamp oil by hand');
  await saved;

  await lookAgain(page);
  await shown(page, 'Buy lamp oil by hand');
  await deleteOf(page, 'Buy lamp oil by hand').click();
  const deleted = answered(page, 'DELETE');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await deleted;
  await titleOf(other, 'Buy lamp oil by hand').click();
  await other.getByLabel('Title').fill('Too late');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByRole('alert').filter({ hasText: 'deleted elsewhere' })).toBeFocused();
  await expect(other.getByLabel('Title')).toHaveValue('Too late');
});

test.describe('in New York', () => {
  test.use({ timezoneId: 'America/New_York' });

  test('a due time is that of where one is', async ({ page, browser }) => {
    const { username } = await openTodos(page, { title: 'Call the mason' });
    await titleOf(page, 'Call the mason').click();
    await page.getByLabel('Due').fill('2035-07-01T09:30');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(page.getByText('Due Jul 1, 2035, 9:30')).toBeVisible();
    const kept = await page.evaluate(async () => (await (await fetch('/api/todos')).json()).items[0].due_at);
    expect(Date.parse(kept)).toBe(Date.parse('2035-07-01T13:30:00Z'));

    const inTokyo = await browser.newContext({ timezoneId: 'Asia/Tokyo' });
    const other = await inTokyo.newPage();
    await other.goto('/login');
    await logIn(other, username);
    await expect(other.getByText('Due Jul 1, 2035, 10:30')).toBeVisible();
    await titleOf(other, 'Call the mason').click();
    await expect(other.getByLabel('Due')).toHaveValue('2035-07-01T22:30');
    await inTokyo.close();
  });
});

test('the keyboard alone is enough for everything', async ({ page }) => {
  await openTodos(page);
  await tabTo(page, page.getByLabel('New todo'));
  for (const title of ['Buy oil', 'Water the tree', 'Light the lamps']) {
    await page.keyboard.type(title);
    await page.keyboard.press('Enter');
    await expect(titleOf(page, title)).toBeEnabled();
  }
  await tabTo(page, checkOf(page, 'Light the lamps'));
  await page.keyboard.press('Space');
  await expect(checkOf(page, 'Light the lamps')).toBeChecked();
  await expect(checkOf(page, 'Light the lamps')).toBeFocused();

  await tabTo(page, titleOf(page, 'Water the tree'));
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Title')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(titleOf(page, 'Water the tree')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByLabel('Title').press('ControlOrMeta+a');
  await page.keyboard.type('Water the fig tree');
  await page.keyboard.press('Escape');
  await expect(page.getByText('not saved yet')).toBeVisible();
  await tabTo(page, page.getByLabel('Title'));
  await expect(page.getByLabel('Title')).toHaveValue('Water the fig tree');
  await page.keyboard.press('Enter');
  await expect(titleOf(page, 'Water the fig tree')).toBeFocused();

  await tabTo(page, deleteOf(page, 'Water the fig tree'));
  await page.keyboard.press('Enter');
  await expect(deleteOf(page, 'Buy oil')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(deleteOf(page, 'Light the lamps')).toBeFocused();
  await page.keyboard.press('ControlOrMeta+z');
  await shown(page, 'Light the lamps', 'Water the fig tree', 'Buy oil');
  await expect(titleOf(page, 'Water the fig tree')).toBeFocused();
  await tabTo(page, deleteOf(page, 'Buy oil'));
  await page.keyboard.press('Enter');
  await expect(deleteOf(page, 'Water the fig tree')).toBeFocused();
  await tabTo(page, page.getByRole('button', { name: 'Dismiss' }));
  await page.keyboard.press('Enter');
  await expect(page.getByText('is deleted')).toBeHidden();
});

test('completing the todos of a filter keeps the keyboard in the list', async ({ page }) => {
  await openTodos(page, { title: 'Buy oil' }, { title: 'Water the tree' });
  await page.goto('/dashboard?filter=open');
  await checkOf(page, 'Water the tree').focus();
  await page.keyboard.press('Space');
  await shown(page, 'Buy oil');
  await expect(checkOf(page, 'Buy oil')).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.getByRole('heading', { name: 'Everything is done' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Your todos' })).toBeFocused();
});

/** Every state of the todos that looks different; each begins at the dashboard of somebody with some of every kind. */
const STATES: [name: string, show: (page: Page) => Promise<void>][] = [
  [
    'one that is edited',
    async (page) => {
      await titleOf(page, 'Repair the arch').click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  ],
  [
    'one that is left unsaved',
    async (page) => {
      await titleOf(page, 'Repair the arch').click();
      await page.getByLabel('Title').fill('Repair all arches');
      await page.keyboard.press('Escape');
      await expect(page.getByRole('button', { name: 'Throw it away' })).toBeVisible();
    },
  ],
  [
    'one that was changed elsewhere',
    async (page) => {
      await titleOf(page, 'Repair the arch').click();
      await page.getByLabel('Details').fill('Before the rain.');
      await page.evaluate(async () => {
        const [{ id }] = (await (await fetch('/api/todos?q=arch')).json()).items;
        const body = JSON.stringify({ description: 'Before the spring.' });
        await fetch(`/api/todos/${id}`, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body });
      });
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByText('changed elsewhere')).toBeVisible();
    },
  ],
  [
    'a notice',
    async (page) => {
      await deleteOf(page, 'Repair the arch').click();
      // There for as long as it has the focus.
      await page.getByRole('button', { name: 'Undo' }).focus();
    },
  ],
  [
    'changes that failed',
    async (page) => {
      await page.route('**/api/todos', (route) =>
        route.request().method() === 'POST' ? route.abort() : route.continue(),
      );
      await write(page, 'Light the lamps');
      await expect(page.getByText('could not be added')).toBeVisible();
    },
  ],
  [
    'a title that is missing',
    async (page) => {
      await page.getByRole('button', { name: 'Add' }).click();
      await expect(page.getByText('Write what there is to do.')).toBeVisible();
    },
  ],
  [
    'a search without a match',
    async (page) => {
      await page.goto('/dashboard?filter=open&q=nothing+like+it');
      await expect(page.getByRole('link', { name: 'Search in all todos' })).toBeVisible();
    },
  ],
  [
    'todos that cannot be loaded',
    async (page) => {
      await page.route('**/api/todos?**', (route) => route.fulfill({ status: 500, json: { code: 'internal_error' } }));
      await page.reload();
      await expect(page.getByText('could not be loaded')).toBeVisible();
      await page.unroute('**/api/todos?**');
    },
  ],
];

test('no todos yet: no barrier in either theme at any width', async ({ page }) => {
  await openTodos(page);
  await inEveryDress(page);
});

test('a page of many todos: no barrier in either theme at any width', async ({ page }) => {
  await openTodos(page);
  await addTodos(page, 41);
  await page.goto('/dashboard?page=2');
  await expect(page.getByText('Page 2 of 3')).toBeVisible();
  await inEveryDress(page);
});

for (const [name, show] of STATES) {
  test(`${name}: no barrier in either theme at any width`, async ({ page }) => {
    await openTodos(
      page,
      { title: `Antidisestablishmentarianism${'m'.repeat(60)}` },
      { title: 'Water the fig tree', completed: true },
      { title: 'Pay the carpenter', due_at: new Date(Date.now() + DAY).toISOString() },
      { title: 'Repair the arch', description: 'Before the winter.', due_at: new Date(Date.now() - DAY).toISOString() },
    );
    await page.goto('/dashboard');
    await expect(titleOf(page, 'Repair the arch')).toBeVisible();
    await show(page);
    await inEveryDress(page);
  });
}
