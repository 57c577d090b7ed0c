/** A tone decoder of other people's making: multimon-ng. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
