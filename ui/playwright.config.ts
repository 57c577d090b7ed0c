import { defineConfig } from '@playwright/test';

const PORT = 4173;
const isRoot = process.getuid?.() === 0;

/** A real browser over the built page. `CHROMIUM` names another one than Debian's. */
export default defineConfig({
  testDir: 'e2e',
  testIgnore: 'story/**',
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  outputDir: 'test-results',
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
