// @vitest-environment node
/**
 * The committed build: it is what the sources build, byte for byte; it is small; and it keeps to the strict CSP.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const WEB = new URL('..', import.meta.url).pathname;
const DIST = join(WEB, 'dist');
const read = (name: string) => readFileSync(join(DIST, name));
const gzipped = (name: string) => gzipSync(read(name)).length;

/** What is loaded before anything is shown: the scripts that index.html names, and whatever they import at once. */
function firstScripts(): string[] {
  const html = read('index.html').toString();
  const found = [...html.matchAll(/(?:src|href)="\/api\/ui\/([^"]+\.js)"/g)].map(([, name]) => name as string);
  for (const name of found)
    for (const [, imported] of read(name)
      .toString()
      .matchAll(/(?:^|[;}])(?:import|export)\b[^;'"`]*["']\.\/([^"']+\.js)["']/g))
      if (!found.includes(imported as string)) found.push(imported as string);
  return found;
}

test('dist is what the sources build', { timeout: 120_000 }, () => {
  const fresh = mkdtempSync(join(tmpdir(), 'vestibule-dist-'));
  try {
    const { VITEST: _, ...env } = process.env;
    execFileSync(process.execPath, [join(WEB, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', fresh], {
      cwd: WEB,
      env: { ...env, NODE_ENV: 'production' },
      stdio: 'pipe',
    });
    expect(readdirSync(DIST).sort()).toEqual(readdirSync(fresh).sort());
    for (const name of readdirSync(fresh))
      expect(read(name).equals(readFileSync(join(fresh, name))), `dist/${name} is stale: npm run build`).toBe(true);
  } finally {
    rmSync(fresh, { recursive: true });
  }
});

test('the first screen is at most 95 kB of script and 8 kB of style, gzipped', () => {
  const scripts = firstScripts();
  expect(scripts).toContain('app.js');
  expect(scripts.reduce((sum, name) => sum + gzipped(name), 0)).toBeLessThanOrEqual(95_000);
  expect(gzipped('app.css')).toBeLessThanOrEqual(8_000);
});

test('the build is well under a megabyte and holds no source map', () => {
  const names = readdirSync(DIST);
  expect(names.filter((name) => name.endsWith('.map'))).toEqual([]);
  expect(names.reduce((sum, name) => sum + read(name).length, 0)).toBeLessThan(700_000);
});

test('index.html holds no script or style of its own', () => {
  const html = read('index.html').toString();
  expect(html).toContain('src="/api/ui/app.js"');
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i);
});
