/**
 * What the library costs the visitor of a page: built as an application's bundler does, with nothing left out of the
 * core, and each further entry as what it adds to that.
 */

import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, test } from 'vitest';

test.each([
  ['the whole core', 'index', 'createAuth', 4000],
  ['axios', 'axios', 'attachAuth', 600],
  ['React', 'react', 'AuthProvider', 1000],
  ['the set-up', 'setup', '/api/auth/setup', 200],
])('%s is small enough, gzipped', async (_what, entry, name, limit) => {
  const code = await built(entry);
  expect(code).toContain(name);
  expect(gzipSync(code).length).toBeLessThanOrEqual(limit);
});

/** The code of `entry` beside the core, or of the core by itself. */
async function built(entry: string): Promise<string> {
  const entries = new Set(['index', entry]);
  const { output } = (await build({
    configFile: false,
    logLevel: 'silent',
    root: new URL('..', import.meta.url).pathname,
    build: {
      write: false,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: Object.fromEntries([...entries].map((name) => [name, `src/${name}.ts`])),
        preserveEntrySignatures: 'strict',
        external: ['react'],
      },
    },
  })) as Rollup.RollupOutput;
  const chunk = output.find((part) => part.type === 'chunk' && part.isEntry && part.name === entry);
  return chunk?.type === 'chunk' ? chunk.code : '';
}
