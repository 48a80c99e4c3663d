/**
 * Ten requests at once when the token has expired: one refresh and ten answers, whatever the clock of the device says.
 */

import type { Page } from '@playwright/test';
import { type Asker, expect, type Racer, test } from '../support/racer.ts';

const ASKERS: readonly Asker[] = ['fetch', 'axios'];
const DAY = 24 * 60 * 60 * 1000;
const TEN_ANSWERS = Array(10).fill(200);

/** The clocks of devices, each with what it does to a page. */
const CLOCKS: readonly [name: string, wear: (page: Page) => Promise<unknown>][] = [
  ['on a right clock', async () => {}],
  // As after a sleep that the monotonic clock has not counted: the page takes the token for a fresh one.
  ['after a sleep that was not noticed', (page) => page.addInitScript(() => (performance.now = () => 1_000))],
  ['on a clock that is a day ahead', (page) => page.addInitScript(setClock, DAY)],
  ['on a clock that is a day behind', (page) => page.addInitScript(setClock, -DAY)],
];

test('ten requests at an expired token are one refresh and ten answers, on every clock', async ({
  newRacer,
  server,
}) => {
  const dresses = CLOCKS.flatMap(([clock, wear]) => ASKERS.map((by) => ({ name: `by ${by}, ${clock}`, by, wear })));
  const tabs = await Promise.all(
    dresses.map(async (dress) => {
      const racer = await newRacer();
      return { ...dress, racer, page: await signedUp(racer, dress.wear) };
    }),
  );
  for (const { name, by, racer, page } of tabs) {
    await racer.expiry(page);
    const { succeeded } = await server.refreshes();
    expect(await page.evaluate((by) => tab.ask(by, 10), by), name).toEqual(TEN_ANSWERS);
    expect(await server.refreshes(), name).toEqual({ succeeded: succeeded + 1, refused: 0, reused: 0 });
    expect(racer.signOuts, name).toEqual([]);
  }
});

test('a session outlives a clock that is put right by a day, also in the tab from before', async ({ newRacer }) => {
  const tabs = await Promise.all(
    [DAY, -DAY].map(async (wrong) => {
      const racer = await newRacer();
      return { racer, before: await signedUp(racer, (page) => page.addInitScript(setClock, wrong)) };
    }),
  );
  for (const { racer, before } of tabs) {
    await racer.expiry(before);
    for (const page of [await racer.tab(), before])
      expect(await page.evaluate(() => tab.ask('fetch', 10))).toEqual(TEN_ANSWERS);
    expect(racer.signOuts).toEqual([]);
  }
});

async function signedUp(racer: Racer, wear: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await racer.tab(wear);
  await racer.signUp(page);
  return page;
}

/** Runs in the page, before everything else there. */
function setClock(wrong: number): void {
  const { now } = Date;
  Date.now = () => now() + wrong;
  globalThis.Date = new Proxy(Date, {
    construct: (Right, given, newTarget) => Reflect.construct(Right, given.length ? given : [Date.now()], newTarget),
  });
}
