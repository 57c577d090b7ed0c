/** The agent's screen, recorded by a real browser: nothing of a Basic capture is in what is kept, and all of an Advanced one is; a part of it is removed. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import looks from '../../playwright.config';
import { cardUnlike } from './cards';
import { Configuration } from './configuration';
import { Demo } from './demo';
import { Desk, TITLES, elsewhere } from './desk';

const launch = looks.use?.launchOptions;
/** The browser shares its own tab, with its real pixels, without asking. */
const SHARES = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=display-media-type=browser'];
test.use({ launchOptions: { ...launch, args: [...(launch?.args ?? []), ...SHARES] } });

type Part = { number: number; begin_ms: number; length_ms: number };
type Span = { kind: string; from_ms: number; until_ms: number };
type File = { length_ms: number; parts: Part[]; spans: Span[] };
type Row = { id: string; began: number; end: { is_whole: boolean } | null };

/** A colour that nothing of the page has, over all of it, for a while that no chunk of a second can miss. */
const MARK_MS = 2_500;

let demo: Demo;

/** The only service has the screens of its agents recorded, and its calls if wanted. */
async function record(browser: Browser, calls: 'never' | 'always'): Promise<void> {
  const office = await open(browser);
  const { services } = await office.get<{ services: { id: string; [name: string]: unknown }[] }>('/services');
  const { id, name, numbers, route, desktop, protection, revision } = services[0]!;
  const screens = { when: 'always', surfaces: 'any', required: true, keep_days: 7 };
  await office.put(`/services/${id}`, { name, numbers, route, desktop, protection, revision, call_recording: { when: calls, keep_days: 7 }, screen_recording: screens });
  await office.close();
}

test.beforeAll(async ({ browser }, info) => {
  const output = info.project.outputDir;
  await mkdir(output, { recursive: true });
  demo = await Demo.start(join(output, `demo-screens-${info.workerIndex}.log`));
  await record(browser, 'never');
});
test.afterAll(() => demo.stop());

const open = (browser: Browser) => Configuration.open(browser, demo);

/** On a call, with a shared screen of which some is recorded. */
async function shared(page: Page): Promise<Desk> {
  await page.goto(demo.page);
  const desk = new Desk(page, demo);
  await desk.signIn('agent', demo.page);
  await desk.takeCall();
  await desk.button('Start screen sharing').click();
  await chip(page, 'on');
  await chunkKept(page);
  return desk;
}

const chip = (page: Page, state: 'on' | 'paused' | 'off') => expect(page.getByRole('region', { name: 'Screen recording' })).toContainText(`Screen: ${state}`);

/** The next chunk that the server has taken. */
const chunkKept = (page: Page) => page.waitForResponse((response) => response.url().includes('/screen/chunks') && response.status() === 204);

/** All that can be seen is magenta. */
async function paint(page: Page): Promise<void> {
  await page.evaluate(async (ms) => {
    const mark = document.createElement('div');
    mark.style.cssText = 'position:fixed;inset:0;z-index:99999;background:#ff00ff';
    document.body.append(mark);
    await new Promise((done) => setTimeout(done, ms));
    mark.remove();
  }, MARK_MS);
}

/** The newest recording of a screen, whole. */
async function recorded(browser: Browser): Promise<{ id: string; began: number; file: File; marked: boolean[]; close: () => Promise<void> }> {
  const office = await elsewhere(browser, demo);
  await office.signIn('supervisor', demo.page);
  const get = async <T>(path: string) => (await office.page.request.get(`${new URL(demo.page).origin}/api/v1/recordings${path}`)).json() as Promise<T>;
  const newest = async () => (await get<{ recordings: Row[] }>('?medium=screen')).recordings[0];
  await expect.poll(async () => (await newest())?.end?.is_whole, { timeout: 20_000 }).toBe(true);
  const row = (await newest())!;
  const { file } = await get<{ file: File }>(`/${row.id}`);
  // A page without a policy of its own, so that it may play what it is given.
  const blank = await office.page.context().newPage();
  const marked = [];
  for (const { number } of file.parts) {
    const video = await office.page.request.get(`${new URL(demo.page).origin}/api/v1/recordings/${row.id}/parts/${number}`);
    marked.push(await holdsMagenta(blank, await video.body()));
  }
  return { id: row.id, began: row.began, file, marked, close: () => office.page.context().close() };
}

/** Whether any picture of a video is mostly magenta; a video without pictures is a failure. */
function holdsMagenta(page: Page, bytes: Buffer): Promise<boolean> {
  return page.evaluate(async (base64) => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = `data:video/webm;base64,${base64}`;
    const canvas = new OffscreenCanvas(16, 16);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    let pictures = 0;
    let found = false;
    const look = () => {
      pictures += 1;
      context.drawImage(video, 0, 0, 16, 16);
      const { data } = context.getImageData(0, 0, 16, 16);
      let magenta = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at]! > 200 && data[at + 1]! < 80 && data[at + 2]! > 200) magenta += 1;
      found ||= magenta > 128;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    const over = new Promise((done, fail) => {
      video.addEventListener('ended', done);
      video.addEventListener('error', () => fail(new Error(video.error?.message)));
    });
    await video.play();
    await over;
    if (pictures === 0) throw new Error('no picture was shown');
    return found;
  }, bytes.toString('base64'));
}

test('r2 r3 a Basic capture leaves nothing on the recorded screen, which goes on behind it', async ({ page, browser }) => {
  const desk = await shared(page);
  // The first chunk of a part may hold no picture yet.
  await chunkKept(page);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await chip(page, 'paused');
  await paint(page);
  await desk.capture('number', { keys: cardUnlike('').number });
  await desk.button('Done - clear and resume').click();
  await desk.button('Done anyway').click();
  await desk.button('Yes, resume').click();
  await chip(page, 'on');
  await chunkKept(page);
  await chunkKept(page);
  await demo.simulator.hangUp();
  await desk.putAway();
  const { file, marked, close } = await recorded(browser);
  expect(marked).toEqual([false, false]);
  const [paused] = file.spans.filter(({ kind }) => kind === 'paused');
  expect(paused!.until_ms - paused!.from_ms).toBeGreaterThan(MARK_MS);
  const [before, behind] = file.parts;
  expect(before!.begin_ms + before!.length_ms).toBeLessThanOrEqual(paused!.from_ms);
  expect(behind!.begin_ms).toBeGreaterThanOrEqual(paused!.until_ms);
  await close();
});

test('r3 a recorded screen goes on after Cancel, and nothing is kept of the capture in which its call ends', async ({ page, browser }) => {
  const desk = await shared(page);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await chip(page, 'paused');
  await desk.button('Cancel').click();
  await chip(page, 'on');
  await chunkKept(page);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await paint(page);
  await demo.simulator.hangUp();
  // The widget is still there, and the recording has ended with the call.
  const { file, marked, close } = await recorded(browser);
  expect(marked).toEqual([false, false]);
  const pauses = file.spans.filter(({ kind }) => kind === 'paused');
  expect(pauses).toHaveLength(2);
  expect(file.parts[1]!.begin_ms).toBeGreaterThanOrEqual(pauses[0]!.until_ms);
  expect(pauses[1]!.until_ms - pauses[1]!.from_ms).toBeGreaterThan(MARK_MS);
  await desk.putAway();
  await close();
});

test('c19 a recorded screen is as long as it was shared, and its pause stands in the player at its second', async ({ page, browser }) => {
  const desk = await shared(page);
  const pressed = Date.now();
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await chip(page, 'paused');
  const paused = Date.now();
  await paint(page);
  const cancelled = Date.now();
  await desk.button('Cancel').click();
  await chip(page, 'on');
  const resumed = Date.now();
  await chunkKept(page);
  const before = Date.now();
  await demo.simulator.hangUp();
  await expect(desk.callBar).toContainText('No call');
  const after = Date.now();
  const { id, began, file, marked, close } = await recorded(browser);
  expect(marked).toEqual([false, false]);
  /** Between two moments of the wall clock, with some slack. */
  const within = (ms: number, from: number, until: number, slack: number) => {
    expect(ms).toBeGreaterThanOrEqual(from - began - slack);
    expect(ms).toBeLessThanOrEqual(until - began + slack);
  };
  within(file.length_ms, before, after, 300);
  const pauses = file.spans.filter(({ kind }) => kind === 'paused');
  expect(pauses).toHaveLength(1);
  within(pauses[0]!.from_ms, pressed, paused, 500);
  within(pauses[0]!.until_ms, cancelled, resumed, 500);
  const listener = await elsewhere(browser, demo);
  await listener.signIn('supervisor', `/recordings/${id}`);
  const card = listener.page.getByRole('region', { name: 'Screen', exact: true }).getByRole('listitem').filter({ hasText: 'Screen recording paused' });
  await expect(card).toHaveCount(1);
  const clock = (ms: number) => `00:${String(Math.floor(ms / 1_000)).padStart(2, '0')}`;
  await expect(card).toContainText(`${clock(pauses[0]!.from_ms)} – ${clock(pauses[0]!.until_ms)}`);
  await listener.page.context().close();
  await close();
});

test('r6 an Advanced capture is recorded without a gap: what is painted meanwhile is there', async ({ page, browser }) => {
  const desk = await shared(page);
  await desk.press(TITLES.cardAdvanced);
  await desk.protected(TITLES.cardAdvanced);
  await chip(page, 'on');
  await paint(page);
  await chunkKept(page);
  await desk.button('Cancel').click();
  await demo.simulator.hangUp();
  const { file, marked, close } = await recorded(browser);
  expect([marked, file.spans]).toEqual([[true], []]);
  await close();
});

test('a part of a recorded screen is removed as a whole, and the other one stays', async ({ page, browser }) => {
  const desk = await shared(page);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await chip(page, 'paused');
  await desk.button('Cancel').click();
  await chip(page, 'on');
  await paint(page);
  await chunkKept(page);
  await demo.simulator.hangUp();
  await desk.putAway();
  const before = await recorded(browser);
  expect(before.marked).toEqual([false, true]);
  const [kept, gone] = before.file.parts;
  const admin = await elsewhere(browser, demo);
  await admin.signIn('admin', `/recordings/${before.id}`);
  await admin.button('Remove a part…').click();
  const dialog = admin.page.getByRole('alertdialog');
  const second = (ms: number) => (ms / 1_000).toFixed(3);
  await dialog.getByRole('textbox', { name: 'From' }).fill(second(gone!.begin_ms + 100));
  await dialog.getByRole('textbox', { name: 'Until' }).fill(second(gone!.begin_ms + 200));
  await expect(dialog).toContainText('This part goes as a whole:');
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('A number was on the screen.');
  await admin.button('Remove for good').click();
  await expect(admin.page.getByRole('listitem').filter({ hasText: 'Removed' })).toHaveCount(1);
  const after = await recorded(browser);
  expect([after.id, after.file.length_ms, after.file.parts, after.marked]).toEqual([before.id, before.file.length_ms, [kept], [false]]);
  const removed = after.file.spans.filter(({ kind }) => kind === 'removed');
  expect(removed).toEqual([expect.objectContaining({ from_ms: gone!.begin_ms, until_ms: gone!.begin_ms + gone!.length_ms })]);
  for (const one of [before, after]) await one.close();
  await admin.page.context().close();
});

test('the screen plays beside the sound of its call, in its place, and a pause is a card', async ({ page, browser }, info) => {
  await record(browser, 'always');
  const desk = await shared(page);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await chip(page, 'paused');
  await desk.capture('number', { keys: cardUnlike('').number });
  await desk.discard();
  await chip(page, 'on');
  for (let chunk = 0; chunk < 4; chunk += 1) await chunkKept(page);
  await demo.simulator.hangUp();
  await record(browser, 'never');
  const { file, close } = await recorded(browser);
  await close();
  const listener = await elsewhere(browser, demo);
  await listener.signIn('supervisor', '/recordings');
  const heardOf = async () => ((await (await listener.page.request.get('/api/v1/recordings?medium=call')).json()) as { recordings: Row[] }).recordings[0];
  await expect.poll(async () => (await heardOf())?.end?.is_whole).toBe(true);
  const asked: string[] = [];
  listener.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await listener.page.goto(`/recordings/${(await heardOf())!.id}`);
  const beside = listener.page.getByRole('region', { name: 'Screen at this place' });
  const position = listener.page.getByRole('slider', { name: 'Position' });
  await expect(beside).toBeVisible();
  const isVideo = (path: string) => path.includes('/parts/');
  const [pause] = file.spans.filter(({ kind }) => kind === 'paused');
  await listener.page.getByRole('checkbox', { name: /protected/i }).uncheck({ force: true });
  await position.fill(String((pause!.from_ms + pause!.until_ms) / 2_000));
  await expect(beside).toContainText('Screen recording paused');
  expect(asked.filter(isVideo)).toEqual([]);

  const last = file.parts.at(-1)!;
  await position.fill(String((last.begin_ms + 1_500) / 1_000));
  await expect(beside).toContainText('The screen plays along');
  await listener.page.getByRole('button', { name: 'Play', exact: true }).click();
  const video = beside.locator('video');
  const state = () => video.evaluate((element: HTMLVideoElement) => ({ at: element.currentTime, wide: element.videoWidth, rest: element.paused, muted: element.muted }));
  await expect.poll(async () => (await state()).wide).toBeGreaterThan(0);
  await expect.poll(async () => (await state()).at).toBeGreaterThan(2);
  const seen = await state();
  const heard = Number(await position.inputValue());
  expect([seen.rest, seen.muted]).toEqual([false, true]);
  // Both began within some tenths of a second of each other.
  expect(Math.abs(seen.at - (heard - last.begin_ms / 1_000))).toBeLessThan(1.5);
  if (process.env.SHOTS) await listener.page.screenshot({ path: info.outputPath('screen-beside.png'), fullPage: true });
  await listener.page.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect.poll(async () => (await state()).rest).toBe(true);
  await listener.page.context().close();
});

test('a required screen that is not shared blocks Basic, and says what to do', async ({ page }) => {
  const desk = new Desk(page, demo);
  await desk.signIn('agent', demo.page);
  await desk.takeCall();
  await expect(page.getByRole('region', { name: 'Screen recording' })).toContainText('Without it no Basic widget is protected.');
  await desk.press(TITLES.cardBasic);
  await expect(desk.widget(TITLES.cardBasic)).toContainText('the screen is not shared');
  await desk.button('Start screen sharing').click();
  await chip(page, 'on');
  await desk.widget(TITLES.cardBasic).getByRole('button', { name: 'Try again' }).click();
  await desk.protected(TITLES.cardBasic);
  await desk.button('Cancel').click();
  await demo.simulator.hangUp();
});
