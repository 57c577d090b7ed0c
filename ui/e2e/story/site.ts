/**
 * An operator's installation: a server's file, a data folder that begins empty, and `tonewall serve`.
 * Owns: its process, its folder, what the start prints.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base } from '@playwright/test';
import { PROGRAM, ended } from './demo';
import { Simulator } from './simulator';

/** The server is up after this long, or it never will be. */
const START_MS_MAX = 30_000;
/** Some port below the system's own range, on which two installations rarely meet. */
const somePort = () => 10_000 + 200 * Math.floor(Math.random() * 100);

type LogLine = { level: string; fields: Record<string, string> };
export type SiteOptions = { web?: Record<string, string>; gateway?: Gateway };
/** What the server's file needs before the sandbox gateway may take a payment. */
export type Gateway = { url: string; host: string; authority: string };
export type Phones = { simulator: Simulator; gateway: Gateway };

export class Site {
  /** The page's address. */
  page = '';
  /** What the start printed for the operator. */
  printed: string[] = [];
  /** What the server logged since it was started last. */
  logged: LogLine[] = [];
  readonly #folder: string;
  readonly #log: string;
  readonly #sip = somePort() + 150;
  readonly #sandbox = somePort() + 151;
  #process: ChildProcess | undefined;
  #simulator: ChildProcess | undefined;

  private constructor(folder: string, log: string) {
    this.#folder = folder;
    this.#log = log;
  }

  /** An empty installation, not started yet; `log` is the file for what it says. */
  static async empty(log: string): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'tonewall-site-')), log);
    await site.#write({});
    return site;
  }

  /** Starts the server over the data that is there. */
  async start(options: SiteOptions = {}): Promise<void> {
    await this.#write(options);
    this.printed = [];
    this.logged = [];
    const child = spawn(PROGRAM, ['serve', '--config', this.#file], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.pipe(createWriteStream(this.#log, { flags: 'a' }));
    createInterface({ input: child.stdout }).on('line', (line) => this.printed.push(line));
    this.page = await new Promise<string>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${PROGRAM} did not serve in time; its words are in ${this.#log}`)), START_MS_MAX);
      child.once('exit', (code) => fail(new Error(`${PROGRAM} ended with ${code}; its words are in ${this.#log}`)));
      createInterface({ input: child.stderr }).on('line', (text) => {
        if (!text.startsWith('{')) return;
        const line = JSON.parse(text) as LogLine;
        this.logged.push(line);
        if (line.fields.message !== 'serving') return;
        clearTimeout(timer);
        done(`http://${line.fields.page}`);
      });
    });
  }

  /** Phones and a sandbox gateway, before the server starts: its file names the gateway. The agent's phone registers once its user is there. */
  async simulate(number: string, phone: string, password: string): Promise<Phones> {
    const told = ['--number', number, '--phone', phone, '--simulator-port', '0', '--gateway-port', String(this.#sandbox), '--answer-after-ms', '300'];
    const child = spawn(PROGRAM, ['simulate', '--config', this.#file, ...told], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TONEWALL_PHONE_PASSWORD: password } });
    this.#simulator = child;
    const text = await new Promise<string>((done, fail) => {
      let said = '';
      child.once('exit', (code) => fail(new Error(`the simulator ended with ${code}: ${said}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        said += `${line}\n`;
        if (line.includes('ca_file')) done(said);
      });
    });
    const [page, url, host, authority] = [/telephone: (\S+)\/simulator/, /gateway: (\S+)/, /hosts = \["(.+)"\]/, /ca_file = "(.+)"/].map((part) => part.exec(text)?.[1] ?? '');
    return { simulator: new Simulator(page!), gateway: { url: url!, host: host!, authority: authority! } };
  }

  /** Ends the server; its data stays. */
  async stop(): Promise<void> {
    if (this.#process) await ended(this.#process);
  }

  get #file(): string {
    return join(this.#folder, 'tonewall.toml');
  }

  async #write({ web = {}, gateway }: SiteOptions): Promise<void> {
    const rows = (of: Record<string, string>) => Object.entries(of).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join('');
    const first = somePort();
    const tables: Record<string, Record<string, string>> = {
      node: { data: join(this.#folder, 'data') },
      web: { listen: '127.0.0.1:0', ...web },
      health: { listen: '127.0.0.1:0' },
      sip: { listen: `127.0.0.1:${this.#sip}` },
      media: { ports: `${first}-${first + 149}` },
      gateway: gateway ? { allowed_hosts: gateway.host, ca_file: gateway.authority } : {},
      log: { format: 'json' },
    };
    const text = Object.entries(tables).map(([name, of]) => `[${name}]\n${rows(of)}`);
    await writeFile(this.#file, `${text.join('')}[[trunk]]\nname = "carrier"\naddresses = ["127.0.0.2"]\n`);
  }

  async remove(): Promise<void> {
    await this.stop();
    if (this.#simulator) await ended(this.#simulator);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export { expect } from '@playwright/test';
export const test = base.extend<{ site: Site }>({
  site: async ({ browserName: _ }, use, info) => {
    const site = await Site.empty(info.outputPath('site.log'));
    await use(site);
    await site.remove();
  },
});
