/**
 * The actors of the race tests: a server whose tokens live for ten seconds, and a user with tabs on another origin.
 * What has to become of the user is said by the tests.
 */

import { join } from 'node:path';
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import { clientPackage } from './client-package.ts';
import { Program } from './program.ts';
import { Site } from './site.ts';

export { expect };

/** The shortest that the server allows. */
const TOKEN_LIFETIME = '10s';

/** What support/tab.js offers to these tests. */
declare global {
  var tab: {
    auth: {
      ready(): Promise<{ status: string }>;
      signUp(account: { email: string; password: string }): Promise<unknown>;
      refresh(): Promise<void>;
      getState(): { status: string; token: string | null };
    };
    ask(by: Asker, times: number): Promise<number[]>;
  };
}

export type Asker = 'fetch' | 'axios';

interface Actors {
  site: Site;
  server: Program;
  /** Another user, with a browser of their own. */
  newRacer(): Promise<Racer>;
}

export const test = base.extend<Actors>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from a pattern.
  site: async ({}, use) => {
    const folders = { '/client/': clientPackage().folder, '/': join(import.meta.dirname, '..') };
    const site = await Site.serve(folders, join(import.meta.dirname, 'tab.html'));
    await use(site);
    await site.stop();
  },
  server: async ({ site }, use) => {
    const server = await Program.start([`--cors-origins=${site.origin}`, `--token-access-ttl=${TOKEN_LIFETIME}`]);
    await use(server);
    await server.stop();
  },
  newRacer: async ({ browser, site, server }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      const racer = new Racer(context, site, server);
      await context.exposeFunction('tellSignOut', (event: string) => racer.signOuts.push(event));
      return racer;
    });
    for (const context of contexts) await context.close();
  },
});

/** One user with one browser. */
export class Racer {
  readonly #context: BrowserContext;
  readonly #site: Site;
  readonly #server: Program;
  /** Every end of the session that a tab was told of. */
  readonly signOuts: string[] = [];

  constructor(context: BrowserContext, site: Site, server: Program) {
    this.#context = context;
    this.#site = site;
    this.#server = server;
  }

  /** A tab in which the library has looked for a session. */
  async tab(prepare: (page: Page) => Promise<unknown> = async () => {}, url = this.#server.url): Promise<Page> {
    const page = await this.#context.newPage();
    await prepare(page);
    await page.goto(`${this.#site.origin}/?server=${encodeURIComponent(url)}`);
    await page.evaluate(() => tab.auth.ready());
    return page;
  }

  async signUp(page: Page): Promise<void> {
    const email = `ada${crypto.randomUUID().slice(0, 8)}@example.org`;
    await page.evaluate((email) => tab.auth.signUp({ email, password: 'a quiet hall of seven arches' }), email);
  }

  /** Waits until the server no longer takes the access token that the tab holds. */
  async expiry(page: Page): Promise<void> {
    await this.refusalOf(await page.evaluate(() => tab.auth.getState().token));
  }

  /** Waits until the server no longer takes the access token. */
  async refusalOf(token: string | null): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    const status = async () => (await fetch(`${this.#server.url}/api/auth/me`, { headers })).status;
    await expect.poll(status, { intervals: [250] }).toBe(401);
  }
}

/** The number of a race that was asked for, or a small one. */
export function howMany(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}
