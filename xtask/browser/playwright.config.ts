/**
 * Pages of another origin than the server's, in the system's Chromium. Each test starts servers of its own, of the
 * program at `VESTIBULE_BINARY`; `CHROMIUM` names another browser binary.
 */

import { defineConfig } from '@playwright/test';
import { chromium } from '../../web/chromium.ts';

export default defineConfig({
  globalSetup: './support/client-package.ts',
  fullyParallel: true,
  workers: '100%',
  // A busy machine is no failure.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  reporter: 'list',
  projects: [
    { name: 'installation', testDir: 'installation' },
    { name: 'application', testDir: 'application', dependencies: ['installation'] },
    { name: 'races', testDir: 'races' },
    { name: 'comparison', testDir: 'comparison' },
  ],
  use: {
    browserName: 'chromium',
    screenshot: 'only-on-failure',
    launchOptions: chromium,
  },
});
