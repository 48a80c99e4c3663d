/**
 * What the library costs the visitor of a page that uses all of it.
 */

import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, test } from 'vitest';

test('the whole core is at most 4.0 kB gzipped', async () => {
  const output = (await build({
    configFile: false,
    logLevel: 'silent',
    root: new URL('..', import.meta.url).pathname,
    build: { write: false, lib: { entry: 'src/index.ts', formats: ['es'] } },
  })) as Rollup.RollupOutput[];
  const code = output[0]?.output[0].code ?? '';
  expect(code).toContain('createAuth');
  expect(gzipSync(code).length).toBeLessThanOrEqual(4000);
});
