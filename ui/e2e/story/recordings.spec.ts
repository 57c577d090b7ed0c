/** A call that was really recorded: found, heard, taken out, deleted. */
import { execFileSync } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
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
