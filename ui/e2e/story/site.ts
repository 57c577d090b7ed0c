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
import { PROGRAM, ended } from './demo';

/** The server is up after this long, or it never will be. */
const START_MS_MAX = 30_000;
/** Media ports below the system's own range; a taken one is passed over. */
const mediaPorts = () => {
  const first = 10_000 + 200 * Math.floor(Math.random() * 100);
  return `${first}-${first + 199}`;
};

type LogLine = { level: string; fields: Record<string, string> };
export type SiteOptions = { web?: Record<string, string>; more?: string };

export class Site {
  /** The page's address. */
  page = '';
  /** What the start printed for the operator. */
  printed: string[] = [];
  /** What the server logged since it was started last. */
  logged: LogLine[] = [];
  readonly #folder: string;
  readonly #log: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, log: string) {
    this.#folder = folder;
    this.#log = log;
  }

  /** An empty installation that serves; `log` is the file for what it says. */
  static async open(log: string, options: SiteOptions = {}): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'tonewall-site-')), log);
    await site.start(options);
    return site;
  }

  /** Starts the server over the data that is there. */
  async start({ web = {}, more = '' }: SiteOptions = {}): Promise<void> {
    const file = join(this.#folder, 'tonewall.toml');
    const rows = Object.entries({ listen: '127.0.0.1:0', ...web }).map(([name, value]) => `${name} = "${value}"`);
    const data = JSON.stringify(join(this.#folder, 'data'));
    await writeFile(
      file,
      `[node]\ndata = ${data}\n[web]\n${rows.join('\n')}\n[health]\nlisten = "127.0.0.1:0"\n[sip]\nlisten = "127.0.0.1:0"\n[media]\nports = "${mediaPorts()}"\n[log]\nformat = "json"\n${more}`,
    );
    this.printed = [];
    this.logged = [];
    const child = spawn(PROGRAM, ['serve', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.pipe(createWriteStream(this.#log, { flags: 'a' }));
    createInterface({ input: child.stdout }).on('line', (line) => this.printed.push(line));
    this.page = await new Promise<string>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${PROGRAM} did not serve in time; its words are in ${this.#log}`)), START_MS_MAX);
      child.once('exit', (code) => fail(new Error(`${PROGRAM} ended with ${code}; its words are in ${this.#log}`)));
      createInterface({ input: child.stderr }).on('line', (text) => {
        const line = JSON.parse(text) as LogLine;
        this.logged.push(line);
        if (line.fields.message !== 'serving') return;
        clearTimeout(timer);
        done(`http://${line.fields.page}`);
      });
    });
  }

  /** Ends the server; its data stays. */
  async stop(): Promise<void> {
    if (this.#process) await ended(this.#process);
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
