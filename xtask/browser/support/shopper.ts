/**
 * The actors of the tests of `examples/react-app`: the application on an origin of its own, its server, and shoppers
 * whose browser must have nothing to complain about.
 */

import { test as base, expect, type Page } from '@playwright/test';
import { build, builtUnder } from './application.ts';
import { Program } from './program.ts';
import { Site } from './site.ts';

export { expect };

const PASSWORD = 'a quiet hall of seven arches';

interface Shop {
  origin: string;
  server: Program;
}

export const test = base.extend<object, { shop: Shop }>({
  shop: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from a pattern.
    async ({}, use, { workerIndex }) => {
      const name = `worker-${workerIndex}`;
      const site = await Site.serve({ '/': builtUnder(name) }, `${builtUnder(name)}/index.html`);
      // So short that the client renews the token before every request.
      const server = await Program.start([`--cors-origins=${site.origin}`, '--token-access-ttl=10s']);
      await build(name, server.url);
      await use({ origin: site.origin, server });
      await server.stop();
      await site.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: ({ shop }, use) => use(shop.origin),
  context: async ({ context, shop }, use) => {
    const complaints: string[] = [];
    context.on('console', (message) => {
      // Chromium reports every refused request; that the server refuses some is what the tests are about.
      const expected = message.location().url.startsWith(`${shop.server.url}/api/`);
      if (/error|warning/.test(message.type()) && !expected) complaints.push(message.text());
    });
    context.on('weberror', (error) => complaints.push(String(error.error())));
    await use(context);
    expect(complaints, 'the console of the browser').toEqual([]);
  },
});

/** Registers somebody new, who is shown their empty list. */
export async function register(page: Page): Promise<string> {
  const email = `ada${crypto.randomUUID().slice(0, 8)}@example.org`;
  await page.goto('/register');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByText('Nothing to buy')).toBeVisible();
  return email;
}

export async function logIn(page: Page, login: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail or username').fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

export async function add(page: Page, title: string): Promise<void> {
  await page.getByLabel('Something to buy').fill(title);
  await page.getByRole('button', { name: 'Add' }).click();
  await expect(page.getByRole('checkbox', { name: title })).toBeVisible();
}

/** Ends every session of somebody, as from another device. */
export async function endSessionsOf(email: string, { server }: Shop): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const login = { method: 'POST', headers: json, body: JSON.stringify({ login: email, password: PASSWORD }) };
  const { access_token } = await (await fetch(`${server.url}/api/auth/login`, login)).json();
  const headers = { authorization: `Bearer ${access_token}` };
  const ended = await fetch(`${server.url}/api/auth/sessions`, { method: 'DELETE', headers });
  expect(ended.status).toBe(204);
}
