import { defineConfig } from '@playwright/test';

// Chosen once by the first process; its workers inherit it.
process.env.PREVIEW_PORT ??= String(20_000 + (process.pid % 20_000));
const PORT = Number(process.env.PREVIEW_PORT);
const isRoot = process.getuid?.() === 0;

/** A real browser over the built page. `CHROMIUM` names another one than Debian's. */
export default defineConfig({
  testDir: 'e2e',
  testIgnore: 'story/**',
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  outputDir: 'test-results/looks',
  reporter: [['list']],
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
