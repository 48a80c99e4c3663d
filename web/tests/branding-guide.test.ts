// @vitest-environment node
/**
 * The guide on branding promises the custom properties that there are.
 */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
/** How fast things move is left to the system's setting for motion. */
const KEPT_BACK = ['--quick'];

test('each property of the tokens stands in the tables of the guide, and no other', () => {
  const rows = read('../../docs/guides/branding.md')
    .split('\n')
    .filter((line) => line.startsWith('| `--'));
  const promised = rows.flatMap((row) => {
    const names = row.split('|')[1] ?? '';
    const [, first, last] = /--arch-(\d)` to `--arch-(\d)/.exec(names) ?? [];
    const between = Array.from({ length: Number(last ?? 0) - Number(first ?? 0) }, (_, step) => `--arch-${step}`);
    return [...(names.match(/--[a-z0-9-]+/g) ?? []), ...between];
  });
  const tokens = read('../src/styles/tokens.css').match(/^ {2}--[a-z0-9-]+(?=:)/gm) ?? [];
  const expected = tokens.map((name) => name.trim()).filter((name) => !KEPT_BACK.includes(name));
  expect([...new Set(promised)].sort()).toEqual([...new Set(expected)].sort());
});
