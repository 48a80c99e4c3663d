/**
 * The browser tests. They drive the system's Chromium against a running server, which whoever calls them has started:
 * `VESTIBULE_URL` is its address, `VESTIBULE_DATA` its data folder, `VESTIBULE_BINARY` the program, `CHROMIUM` another
 * browser binary.
 */

import { defineConfig } from '@playwright/test';
import { chromium } from './chromium.ts';

export default defineConfig({
  testDir: 'e2e',
  // Each test has accounts of its own. All of them come from one address, whose limits the server has to do without.
  fullyParallel: true,
  workers: '100%',
  // A busy machine is no failure: the longest test looks at one page in six dresses.
  timeout: 90_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  // There is a set-up as long as there is no administrator, and other tests make some.
  projects: [
    { name: 'set-up', testMatch: 'setup.spec.ts' },
    { name: 'pages', testIgnore: 'setup.spec.ts', dependencies: ['set-up'] },
  ],
  reporter: 'list',
  use: {
    baseURL: process.env.VESTIBULE_URL ?? 'http://localhost:8080',
    browserName: 'chromium',
    // Of every test the last thing seen, and of every state of a page what dress.ts saw: under test-results/.
    screenshot: 'on',
    video: 'off',
    launchOptions: chromium,
  },
});
