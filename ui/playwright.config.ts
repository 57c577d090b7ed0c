import { join } from 'node:path';
import type { ReporterDescription } from '@playwright/test';
import { defineConfig } from '@playwright/test';

// Chosen once by the first process; its workers inherit it.
process.env.PREVIEW_PORT ??= String(20_000 + (process.pid % 20_000));
const PORT = Number(process.env.PREVIEW_PORT);
const isRoot = process.getuid?.() === 0;

/** A line for each test, and a JUnit file that the acceptance table is judged by. */
export const reporters = (suite: string): ReporterDescription[] => [['list'], ['junit', { outputFile: join(process.env.TONEWALL_RESULTS ?? 'test-results', `${suite}.xml`) }]];

/** A real browser over the built page. `CHROMIUM` names another one than Debian's. */
export default defineConfig({
  testDir: 'e2e',
  testIgnore: 'story/**',
  workers: 2,
  fullyParallel: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  outputDir: 'test-results/looks',
  reporter: reporters('looks'),
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: isRoot ? ['--no-sandbox'] : [],
    },
  },
  webServer: {
    command: `npx vite preview --host 127.0.0.1 --port ${PORT} --strictPort`,
    url: `http://127.0.0.1:${PORT}/`,
    reuseExistingServer: false,
  },
});
