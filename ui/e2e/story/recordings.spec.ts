/** A call that was really recorded: found, heard, taken out, a part of it removed, deleted. */
import { execFileSync } from 'node:child_process';
import { link, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { post, send } from './api';
import { expect, test } from './demo';
import { TITLES, elsewhere } from './desk';
import { keysHeard } from './ear';

test.use({ story: 'recordings' });

/** Both sides, a byte a sample. */
const SECOND_BYTES = 16_000;

/** Bytes of all files of recordings. */
async function kept(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = await Promise.all(names.filter((name) => name.endsWith('.twrec')).map((name) => stat(join(folder, name))));
  return files.reduce((bytes, { size }) => bytes + size, 0);
}

/** So many seconds more are in a file. */
async function spoken(folder: string, seconds: number): Promise<void> {
  const before = await kept(folder);
  await expect.poll(() => kept(folder), { timeout: 30_000 }).toBeGreaterThan(before + seconds * SECOND_BYTES);
}

/** The only service has its calls recorded from now on. */
async function recordCalls(page: Page): Promise<void> {
  const listed = (await (await page.request.get(`${new URL(page.url()).origin}/api/v1/services`)).json()) as { services: Record<string, unknown>[] };
  const { id, name, numbers, route, desktop, protection, after_call_s, revision } = listed.services[0]!;
  await send(page, [{ ...post(`/services/${id as string}`)({ name, numbers, route, desktop, protection, after_call_s, revision, call_recording: { when: 'always', keep_days: 30 } }), method: 'PUT' }]);
}

/** "0:07" or "00:07" as seconds. */
const secondsOf = (text: string) => text.split(':').reduce((seconds, part) => 60 * seconds + Number(part), 0);

test('a recorded call is found, drawn and heard without the pause of its capture, taken out as a file with a reason, and deleted', async ({ desk, demo, simulator, browser, shot }, info) => {
  test.slow();
  const admin = await elsewhere(browser, demo);
  await admin.signIn('admin', '/configure/calls/services');
  await recordCalls(admin.page);
  await desk.signIn('agent');
  await desk.takeCall();
  await spoken(demo.recordings, 3);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await desk.capture('number');
  await desk.discard();
  await spoken(demo.recordings, 3);
  await simulator.hangUp();

  const listener = await elsewhere(browser, demo);
  await listener.signIn('supervisor', '/recordings');
  const { page } = listener;
  const row = page.getByRole('row').filter({ hasText: 'Whole' });
  await expect(async () => {
    await page.reload();
    await expect(row).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await shot('recordings', page);
  await row.click();
  const parts = page.getByRole('region', { name: 'Parts without plain audio' });
  const paused = parts.getByRole('listitem').filter({ hasText: 'Recording paused' });
  await expect(paused).toHaveCount(1);
  const [from = 0, until = 0] = ((await paused.textContent())?.match(/\d+:\d\d(?::\d\d)?/g) ?? []).map(secondsOf);
  expect(until - from).toBeGreaterThanOrEqual(2);
  const position = page.getByRole('slider', { name: 'Position' });
  const length = Number(await position.getAttribute('max'));
  const heard = watched(page);
  await heard.begin();
  await paused.getByRole('button', { name: /^Go to: Recording paused/ }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => Number(await position.inputValue())).toBeGreaterThan(until);
  await shot('recording-plays', page);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const places = await heard.end();
  expect(places.some((place) => place < from), places.join()).toBe(true);
  // The list says whole seconds: the pause begins within that one.
  expect(places.filter((place) => place >= from + 1 && place < until)).toEqual([]);

  await page.getByRole('button', { name: 'Back 10 seconds' }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const auditor = await elsewhere(browser, demo);
  await auditor.signIn('auditor', '/audit?action=recording_played');
  const played = auditor.page.getByRole('row', { name: /Recording played/ });
  await expect(played).toHaveCount(1);
  await expect(played).toContainText('supervisor');

  const address = new URL(page.url()).pathname;
  await admin.page.goto(address);
  await admin.button('Download').click();
  await expect(admin.button('Download file')).toBeDisabled();
  await admin.page.getByRole('textbox', { name: 'Reason' }).fill('The customer asked for a copy.');
  const download = admin.page.waitForEvent('download');
  await admin.button('Download file').click();
  const file = info.outputPath('recording.wav');
  await (await download).saveAs(file);
  const told = (flag: string) => Number(execFileSync('soxi', [flag, file], { encoding: 'utf8' }));
  expect([told('-c'), told('-r'), told('-b')]).toEqual([2, 8_000, 16]);
  expect(told('-D')).toBeCloseTo(length, 2);
  const consumer = execFileSync('sox', [file, '-t', 'wav', '-', 'remix', '1']);
  await writeFile(info.outputPath('consumer.wav'), consumer);
  expect(await keysHeard(consumer)).toBe('');

  await admin.button('Delete').click();
  await admin.page.getByRole('textbox', { name: 'Reason' }).fill('The customer withdrew consent.');
  await admin.button('Delete for good').click();
  await expect(admin.page.getByText('No recording fits.')).toBeVisible();
  expect(await kept(demo.recordings)).toBe(0);
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('not there');
  for (const one of [admin, listener, auditor]) await one.page.context().close();
});

/** Bytes of a WAV: of its head, of both tracks' samples in a millisecond. */
const WAV_HEAD = 44;
const WAV_MS = 32;
/** Both key slots of a file (docs/decisions/0011-recordings.md): where they stand, and how long they are. */
const SLOTS = [4_096, 8_192];
const SLOT_BYTES = 68;

/** The newest file of a recording. */
async function newest(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.twrec'));
  const aged = await Promise.all(names.map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })));
  return aged.sort((one, other) => other.at - one.at)[0]!.path;
}

/** Whether there is a sound in some milliseconds of a WAV: more than A-law's smallest step. */
function isHeard(wav: Buffer, from: number, until: number): boolean {
  const bytes = wav.subarray(WAV_HEAD + from * WAV_MS, WAV_HEAD + until * WAV_MS);
  return Array.from({ length: bytes.length / 2 }, (_, at) => Math.abs(bytes.readInt16LE(2 * at))).some((sample) => sample > 8);
}

test('a part of a recorded call is removed for good: silent in its file, which is another one, with the reason in the trail, and by nobody without the right', async ({ desk, demo, simulator, browser, shot }) => {
  test.slow();
  const [from, until] = [1_500, 3_000];
  const admin = await elsewhere(browser, demo);
  await admin.signIn('admin', '/configure/calls/services');
  await recordCalls(admin.page);
  await desk.signIn('agent');
  await desk.takeCall();
  await spoken(demo.recordings, 5);
  await simulator.hangUp();
  const listener = await elsewhere(browser, demo);
  await listener.signIn('supervisor', '/recordings');
  const row = listener.page.getByRole('row').filter({ hasText: 'Whole' });
  await expect(async () => {
    await listener.page.reload();
    await expect(row).toHaveCount(1, { timeout: 2_000 });
  }).toPass();
  await row.click();
  await expect(listener.page.getByRole('region', { name: 'Player' })).toBeVisible();
  await expect(listener.button('Remove a part…')).toHaveCount(0);
  const address = new URL(listener.page.url()).pathname;
  const { csrf } = (await (await listener.page.request.get('/api/v1/login')).json()) as { csrf: string };
  const origin = new URL(listener.page.url()).origin;
  const asked = { from_ms: from, until_ms: until, reason: 'The customer said the number aloud.' };
  const refused = await listener.page.request.post(`/api/v1${address}/redactions`, { data: asked, headers: { Origin: origin, 'X-Tonewall-CSRF': csrf } });
  expect(refused.status()).toBe(403);

  const wav = async () => {
    const login = (await (await admin.page.request.get('/api/v1/login')).json()) as { csrf: string };
    const taken = await admin.page.request.post(`/api/v1${address}/download`, { data: { format: 'wav', reason: 'The customer asked for a copy.' }, headers: { Origin: origin, 'X-Tonewall-CSRF': login.csrf } });
    expect(taken.status()).toBe(200);
    return taken.body();
  };
  const before = await wav();
  expect(isHeard(before, from, until)).toBe(true);
  const path = await newest(demo.recordings);
  const old = join(demo.recordings, 'old');
  await link(path, old);

  await admin.page.goto(address);
  await admin.button('Remove a part…').click();
  const dialog = admin.page.getByRole('alertdialog', { name: 'Remove a part of this recording?' });
  await dialog.getByRole('textbox', { name: 'From' }).fill('0:01.5');
  await dialog.getByRole('textbox', { name: 'Until' }).fill('0:03');
  await expect(dialog).toContainText('1.5 s of both sides become silence.');
  await expect(admin.button('Remove for good')).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill(asked.reason);
  await shot('recording-remove-part', admin.page);
  await admin.button('Remove for good').click();
  // Without a reload.
  await expect(admin.page.getByRole('listitem').filter({ hasText: 'Removed' })).toContainText('00:01 – 00:03');
  await expect(dialog).toBeHidden();

  const after = await wav();
  expect(after.length).toBe(before.length);
  const [begin, end] = [WAV_HEAD + from * WAV_MS, WAV_HEAD + until * WAV_MS];
  expect(isHeard(after, from, until)).toBe(false);
  expect(after.subarray(0, begin).equals(before.subarray(0, begin))).toBe(true);
  expect(after.subarray(end).equals(before.subarray(end))).toBe(true);

  // The file from before has lost its key, and no name of it is left but the one of this test.
  const [{ ino }, was] = [await stat(path), await stat(old)];
  expect([ino === was.ino, was.nlink]).toEqual([false, 1]);
  const bytes = await readFile(old);
  for (const slot of SLOTS) expect(bytes.subarray(slot, slot + SLOT_BYTES).every((byte) => byte === 0), `slot at ${slot}`).toBe(true);
  expect(await readdir(join(demo.recordings, 'redacting'))).toEqual([]);

  await listener.page.reload();
  await expect(listener.page.getByRole('button', { name: 'Go to: Removed 00:01 – 00:03' })).toBeVisible();
  await shot('recording-part-removed', listener.page);
  const auditor = await elsewhere(browser, demo);
  await auditor.signIn('auditor', '/audit?action=recording_redacted');
  const entry = auditor.page.getByRole('row', { name: /Part of a recording removed/ });
  await expect(entry).toHaveCount(1);
  await expect(entry).toContainText('admin');
  const { entries } = (await (await auditor.page.request.get('/api/v1/audit?action=recording_redacted')).json()) as { entries: { detail: object }[] };
  expect(entries.map(({ detail }) => detail)).toEqual([expect.objectContaining(asked)]);
  for (const one of [admin, listener, auditor]) await one.page.context().close();
});

/** Every position that the slider shows, as a person who looks at it all the time would see it. */
function watched(page: Page) {
  type Watched = Window & { seen?: Set<number>; look?: number };
  return {
    begin: () =>
      page.evaluate(() => {
        const page = window as Watched;
        page.seen = new Set();
        page.look = window.setInterval(() => page.seen?.add(Number(document.querySelector<HTMLInputElement>('input[type="range"]')?.value)), 20);
      }),
    end: () =>
      page.evaluate(() => {
        const page = window as Watched;
        window.clearInterval(page.look);
        return [...(page.seen ?? [])];
      }),
  };
}
