/** A tone decoder of other people's making: multimon-ng. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function program(name: string, ...args: string[]): Promise<string> {
  try {
    return (await run(name, args)).stdout;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw missing ? new Error(`${name} is not installed. Install it with: apt-get install ${name}`) : error;
  }
}

/** The keys that it reads from a recording, one character each. */
export async function keysHeard(wav: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tonewall-ear-'));
  try {
    const [told, fit] = [join(folder, 'heard.wav'), join(folder, 'fit.wav')];
    await writeFile(told, wav);
    // It listens at 22,050 Hz only.
    await program('sox', told, '-r', '22050', fit);
    const said = await program('multimon-ng', '-q', '-t', 'wav', '-a', 'DTMF', fit);
    return [...said.matchAll(/^DTMF: (.)$/gm)].map(([, key]) => key).join('');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The newest recording of a consumer's side in a folder, once it is whole: it is written when its call has ended. */
export async function newestRecording(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => name.endsWith('-consumer.wav')).map((name) => join(folder, name));
  const aged = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  return aged.sort((left, right) => right.at - left.at)[0]?.path;
}

/** Whether our own scanner finds nothing in a file. */
export async function scansClean(tonewall: string, path: string): Promise<boolean> {
  return run(tonewall, ['scan', path]).then(
    () => true,
    (error: { code?: number }) => {
      if (error.code === 1) return false;
      throw error;
    },
  );
}
