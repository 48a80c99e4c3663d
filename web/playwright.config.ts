/**
 * The browser tests. They drive the system's Chromium against a running server, which whoever calls them has started:
 * `VESTIBULE_URL` is its address, `VESTIBULE_DATA` its data folder, `CHROMIUM` another browser binary.
 */

import { defineConfig } from '@playwright/test';

const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: 'e2e',
  // One server and one address share its limits, so the tests take turns.
  workers: 1,
  // A busy machine is no failure: the longest test looks at one page in four dresses.
  timeout: 90_000,
  forbidOnly: true,
  reporter: 'list',
  use: {
    baseURL: process.env.VESTIBULE_URL ?? 'http://localhost:8080',
    browserName: 'chromium',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Chromium's sandbox refuses to start for root.
        ...(isRoot ? ['--no-sandbox'] : []),
      ],
    },
  },
});
