/**
 * How the popular helper for axios fares with the ten requests of races/expiry.spec.ts. Its figures are printed and not
 * judged: they are not ours to promise.
 */

import { expect, test } from '../support/racer.ts';

const VARIANTS = [
  ['as its README begins', false],
  ['with the request interceptor that its README recommends', true],
] as const;

interface Helped {
  token(): string;
  failures(times: number): Promise<number>;
}

declare global {
  var helper: { signUp(email: string, withInterceptor: boolean): Promise<Helped> };
}

for (const [variant, withInterceptor] of VARIANTS) {
  test(`axios-auth-refresh 5.0.2 at an expired token, ${variant}`, async ({ newRacer, server }) => {
    const racer = await newRacer();
    const page = await racer.tab();
    await page.addScriptTag({ type: 'module', url: '/comparison/refresh-helper.js' });
    const helped = await page.evaluateHandle((chosen) => helper.signUp('ada@example.org', chosen), withInterceptor);
    await racer.refusalOf(await helped.evaluate((helped) => helped.token()));
    const failures = await helped.evaluate((helped) => helped.failures(10));
    const { succeeded } = await server.refreshes();
    console.log(`axios-auth-refresh ${variant}: ${failures} of 10 requests failed, ${succeeded} refreshes`);
    expect(succeeded).toBeGreaterThan(0);
  });
}
