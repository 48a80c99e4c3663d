/**
 * What the library costs the visitor of a page that uses all of it.
 */

import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, test } from 'vitest';

test.each([
  ['the whole core', 'src/index.ts', 'createAuth', 4000],
  ['what users do with their account', 'src/account.ts', 'changePassword', 1000],
])('%s is small enough, gzipped', async (_what, entry, name, limit) => {
  const output = (await build({
    configFile: false,
    logLevel: 'silent',
    root: new URL('..', import.meta.url).pathname,
    build: { write: false, lib: { entry, formats: ['es'] } },
  })) as Rollup.RollupOutput[];
  const code = output[0]?.output[0].code ?? '';
  expect(code).toContain(name);
  expect(gzipSync(code).length).toBeLessThanOrEqual(limit);
});
