/**
 * The actors of the browser tests: a visitor with a browser whose console must stay clean, and accounts of their own.
 * Admins are made by the command line: `VESTIBULE_BINARY` is the program, `VESTIBULE_DATA` the data folder of the
 * running server.
 */

import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';

export { expect };

export const PASSWORD = 'a quiet hall of seven arches';

/** A new account's names, like no other's, so that the tests need no empty database. */
export function someone() {
  const username = `ada${crypto.randomUUID().slice(0, 8)}`;
  return { username, email: `${username}@example.org` };
}

/** Logs the same person in with a browser of its own, which calls itself `userAgent`, and shows the dashboard there. */
type Elsewhere = (login: string, userAgent: string) => Promise<Page>;

export const test = base.extend<{ context: BrowserContext; elsewhere: Elsewhere }>({
  context: async ({ context }, use) => {
    const complaints: string[] = [];
    context.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      // Chromium reports every refused request; that the server refuses some is what the tests are about. So it does when
      // a test takes the network away, also of what it would have fetched by itself.
      const isRefusal = message.text().startsWith('Failed to load resource') && isAboutAccounts(message.location().url);
      const expected = isRefusal || message.text().endsWith('net::ERR_INTERNET_DISCONNECTED');
      if (!expected) complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(String(error.error())));
    await use(context);
    expect(complaints, 'the console of the browser').toEqual([]);
  },
  elsewhere: async ({ browser }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (login, userAgent) => {
      const context = await browser.newContext({ userAgent });
      opened.push(context);
      const page = await context.newPage();
      await page.goto('/login');
      await logIn(page, login);
      await expect(page).toHaveURL('/dashboard');
      return page;
    });
    for (const context of opened) await context.close();
  },
});

function isAboutAccounts(url: string): boolean {
  return /^\/(api\/(auth|user|todos|admin)(\/|$)|livez$)/.test(new URL(url).pathname);
}

export async function register(page: Page, account = someone(), path = '/register') {
  await page.goto(path);
  await fillRegistration(page, account);
  await page.getByRole('button', { name: 'Create account' }).click();
  return account;
}

export async function fillRegistration(page: Page, { email, username }: { email: string; username: string }) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
}

export async function logIn(page: Page, login: string, password = PASSWORD) {
  await page.getByLabel('E-mail or username').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Adds `count` todos, named Todo 1, Todo 2 and so on, for whoever is signed in on `page`. */
export async function addTodos(page: Page, count: number) {
  await addTodo(page, ...Array.from({ length: count }, (_, index) => ({ title: `Todo ${index + 1}` })));
}

/** Adds todos, one after the other, without touching the page. */
export async function addTodo(page: Page, ...todos: object[]) {
  await page.evaluate(async (todos) => {
    const headers = { 'content-type': 'application/json' };
    for (const todo of todos) await fetch('/api/todos', { method: 'POST', headers, body: JSON.stringify(todo) });
  }, todos);
}

/** Makes an admin beside the running server, and logs them in. */
export async function logInAsAdmin(page: Page) {
  const { VESTIBULE_BINARY, VESTIBULE_DATA } = process.env;
  if (!VESTIBULE_BINARY || !VESTIBULE_DATA) throw new Error('VESTIBULE_BINARY and VESTIBULE_DATA must be set');
  const admin = someone();
  const command = ['user', 'add', admin.email, '--username', admin.username, '--role', 'admin', '--password-stdin'];
  // Settings of whoever runs the tests are not for this program.
  execFileSync(VESTIBULE_BINARY, [...command, '--data-dir', VESTIBULE_DATA], {
    input: PASSWORD,
    env: {},
    cwd: tmpdir(),
  });
  await page.goto('/login');
  await logIn(page, admin.username);
  await expect(page).toHaveURL('/dashboard');
  return admin;
}

/** Headless tabs are never hidden, so the return to one is announced here. */
export async function lookAgain(page: Page) {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
}
