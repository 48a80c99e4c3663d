/**
 * Five tabs that share one stored session, over many expiries: none of them is signed out.
 */

import { expect, howMany, test } from '../support/racer.ts';

const TABS = 5;
const EXPIRIES = howMany('RACE_EXPIRIES', 1);

test(`${TABS} tabs stay signed in over ${EXPIRIES} expiries`, async ({ newRacer, server }) => {
  test.setTimeout(120_000 + EXPIRIES * 20_000);
  const racer = await newRacer();
  const first = await racer.tab();
  await racer.signUp(first);
  const others = await Promise.all(Array.from({ length: TABS - 1 }, () => racer.tab()));
  const tabs = [first, ...others];
  for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
    await racer.expiry(first);
    const answers = await Promise.all(tabs.map((page) => page.evaluate(() => tab.ask('fetch', 10))));
    expect(answers.flat(), `expiry ${expiry}`).toEqual(Array(TABS * 10).fill(200));
  }
  const states = await Promise.all(tabs.map((page) => page.evaluate(() => tab.auth.getState().status)));
  expect(states).toEqual(Array(TABS).fill('signed-in'));
  expect(racer.signOuts).toEqual([]);
  const { succeeded, ...failed } = await server.refreshes();
  expect(failed).toEqual({ refused: 0, reused: 0 });
  console.log(`${EXPIRIES} expiries in ${TABS} tabs: ${succeeded} refreshes, 0 sign-outs`);
});
