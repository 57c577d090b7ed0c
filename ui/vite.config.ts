import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { budget } from './budget.ts';
import { words } from './words.ts';

const entry = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What every page of the product begins with, in one piece: in as many as there are sets of pages that use it, it would be larger by some kB. */
const DESK = /src\/(lib\/(i18n\/(index|catalogue|say|format|locales)|api\/(client|queries)|events\/|capture\/shortcuts|preferences|kept)|agent\/use-now)/;

/** Two pages: the product's, and the practice telephone that the simulator's own process serves. */
export default defineConfig({
  plugins: [words(), react(), budget()],
  build: {
    outDir: 'dist',
    target: 'es2023',
    sourcemap: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: entry('index.html'), simulator: entry('simulator.html') },
      output: { codeSplitting: { groups: [{ name: 'desk', test: DESK }] } },
    },
  },
  server: {
    proxy: {
      '/api': process.env.TONEWALL_URL ?? 'http://127.0.0.1:8080',
      '/control': process.env.TONEWALL_SIMULATOR_URL ?? 'http://127.0.0.1:8090',
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
    reporters: ['default', ['junit', { outputFile: join(process.env.TONEWALL_RESULTS ?? 'test-results', 'ui.xml') }]],
    restoreMocks: true,
    testTimeout: 60_000,
    // As many as there are cores, where vitest leaves one of two idle.
    maxWorkers: '100%',
  },
});
