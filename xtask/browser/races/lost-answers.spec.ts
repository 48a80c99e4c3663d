/**
 * Refreshes that reach the server and whose answer the network loses: nobody is signed out, and the page goes on.
 */

import { Network } from '../support/network.ts';
import { expect, howMany, test } from '../support/racer.ts';

const LOST_ANSWERS = howMany('RACE_LOST_ANSWERS', 6);

test(`${LOST_ANSWERS} lost answers to refreshes sign nobody out`, async ({ newRacer, server }) => {
  test.setTimeout(120_000 + LOST_ANSWERS * 10_000);
  let loses = false;
  const network = await Network.before(server.url, ({ method, url }) => {
    if (!loses || method !== 'POST' || url !== '/api/auth/refresh') return null;
    loses = false;
    return network.lost % 2 ? 'all' : 'all but its head';
  });
  const racer = await newRacer();
  const page = await racer.tab(undefined, network.url);
  await racer.signUp(page);
  for (let lost = 1; lost <= LOST_ANSWERS; lost += 1) {
    loses = true;
    const refresh = async () => {
      await page.evaluate(() => tab.auth.refresh().catch(() => {}));
      return network.lost;
    };
    // After a lost answer the library waits a little before it asks again.
    await expect.poll(refresh, { intervals: [100] }).toBe(lost);
    // Every second time the next answer is lost as well.
    const renewed = () =>
      page.evaluate(() =>
        tab.auth.refresh().then(
          () => true,
          () => false,
        ),
      );
    if (lost % 2 === 0) await expect.poll(renewed, { intervals: [100] }).toBe(true);
    // Every third page is left in the middle of it.
    if (lost % 3 === 0) await page.reload();
    expect(await page.evaluate(async () => (await tab.auth.ready()).status)).toBe('signed-in');
    expect(await page.evaluate(() => tab.ask('fetch', 2))).toEqual([200, 200]);
  }
  expect(network.lost).toBe(LOST_ANSWERS);
  expect(racer.signOuts).toEqual([]);
  const { succeeded, ...failed } = await server.refreshes();
  expect(failed).toEqual({ refused: 0, reused: 0 });
  console.log(`${network.lost} answers lost: ${succeeded} refreshes, 0 sign-outs`);
  await network.stop();
});
