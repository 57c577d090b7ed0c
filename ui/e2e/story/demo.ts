/**
 * `tonewall demo` around the tests of one file.
 * Owns: its process, its data folder, the fixtures that tests start from.
 * `TONEWALL_BIN` names another program than the debug build's.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from '@playwright/test';
import { test as base } from '@playwright/test';
import { Desk } from './desk';
import { Simulator } from './simulator';

export { expect } from '@playwright/test';

export type UserName = 'agent' | 'admin' | 'supervisor' | 'supervisor2' | 'auditor';
type Announcement = { page: string; web: string; simulator: string; passwords: Record<UserName, string> };

/** The demonstration is up after this long, or it never will be. */
const START_MS_MAX = 60_000;
/** Long enough for the call to ring, not as long as a person needs to see it. */
const ANSWER_AFTER_MS = '300';
/** It ends by itself within this after SIGTERM. */
const STOP_MS_MAX = 10_000;

/** The program under test. */
export const PROGRAM = resolve(process.env.TONEWALL_BIN ?? join(process.env.CARGO_TARGET_DIR ?? '../target', 'debug', 'tonewall'));

/** Asks a process to end, and sees to it that it does. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const end = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await end;
  clearTimeout(timer);
}

export class Demo {
  readonly page: string;
  /** Where it listens, as `address:port`. */
  readonly address: string;
  readonly passwords: Record<UserName, string>;
  readonly simulator: Simulator;
  readonly #process: ChildProcess;
  readonly #data: string;

  private constructor(process: ChildProcess, data: string, { page, web, simulator, passwords }: Announcement) {
    this.page = page;
    this.address = web;
    this.passwords = passwords;
    this.simulator = new Simulator(simulator);
    this.#process = process;
    this.#data = data;
  }

  static async start(log: string, more: readonly string[] = []): Promise<Demo> {
    const data = await mkdtemp(join(tmpdir(), 'tonewall-e2e-'));
    const child = spawn(PROGRAM, ['demo', '--port', '0', '--json', '--data', data, '--keep-audio', '--answer-after-ms', ANSWER_AFTER_MS, '--log-level', 'info', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.pipe(createWriteStream(log));
    const announcement = await new Promise<Announcement>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${PROGRAM} did not start in time; its words are in ${log}`)), START_MS_MAX);
      child.once('error', (error) => fail(new Error(`${PROGRAM} cannot be started: ${error.message}. Build it with: cargo build -p tonewall-server`)));
      child.once('exit', (code) => fail(new Error(`${PROGRAM} ended with ${code}; its words are in ${log}`)));
      createInterface({ input: child.stdout }).once('line', (line) => {
        clearTimeout(timer);
        done(JSON.parse(line) as Announcement);
      });
    });
    return new Demo(child, data, announcement);
  }

  /** The masked audio of ended calls: what agent and recorder were given to hear, a file for each side. */
  get keptAudio(): string {
    return join(this.#data, 'masked-audio');
  }

  /** Recordings of calls, a folder for each day. */
  get recordings(): string {
    return join(this.#data, 'recordings');
  }

  /** The server's store, for what somebody might do behind its back. */
  get database(): string {
    return join(this.#data, 'tonewall.db');
  }

  async stop(): Promise<void> {
    await ended(this.#process);
    await rm(this.#data, { recursive: true, force: true });
  }
}

/** Where the pictures of states are kept. */
const states = (output: string) => join(output, '..', 'states');

type WorkerFixtures = {
  /** Each file names its story, and so gets a demonstration of its own. */
  story: string;
  demo: Demo;
};
type Fixtures = { simulator: Simulator; desk: Desk; shot: (name: string, of?: Page) => Promise<void>; quiet: void };

export const test = base.extend<Fixtures, WorkerFixtures>({
  story: ['', { option: true, scope: 'worker' }],
  demo: [
    async ({ story }, use, worker) => {
      const output = worker.project.outputDir;
      await mkdir(states(output), { recursive: true });
      const demo = await Demo.start(join(output, `demo-${story}-${worker.workerIndex}.log`));
      await use(demo);
      await demo.stop();
    },
    { scope: 'worker', timeout: START_MS_MAX + STOP_MS_MAX },
  ],
  baseURL: async ({ demo }, use) => use(demo.page),
  simulator: async ({ demo }, use) => use(demo.simulator),
  desk: async ({ page, demo }, use) => {
    const desk = new Desk(page, demo);
    await use(desk);
    await demo.simulator.hangUp();
    await desk.putAway();
  },
  shot: async ({ page }, use, info) => {
    await use(async (name, of = page) => {
      await of.screenshot({ path: join(states(info.project.outputDir), `${name}.png`), animations: 'disabled' });
    });
  },
  /** Whatever a test did to the call, the next one finds free phones that key by events. */
  quiet: [
    async ({ demo }, use) => {
      await use();
      await demo.simulator.hangUp();
      await demo.simulator.mode('rfc4733');
    },
    { auto: true },
  ],
});

/** The README's picture, when it is asked for. */
export async function keepForReadme(output: string, name: string, file: string): Promise<void> {
  if (process.env.README_SCREENSHOT !== '1') return;
  const images = resolve('../docs/images');
  await mkdir(images, { recursive: true });
  await copyFile(join(states(output), `${name}.png`), join(images, file));
}
