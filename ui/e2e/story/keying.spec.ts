/** Keys: what the agent's phone hears of them, and what wrong ones look like. */
import { readFile } from 'node:fs/promises';
import type { Demo } from './demo';
import { PROGRAM, expect, test } from './demo';
import { TITLES } from './desk';
import { keysHeard, newestRecording, scansClean } from './ear';
import { MODES } from './simulator';

test.use({ story: 'keying' });

const { cardAdvanced } = TITLES;
/** The card's sixteen digits, its date and its code. */
const KEYS_MIN = 16 + 4 + 3;

test('without protection the same ears hear every key', async ({ demo, desk, simulator }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  await simulator.mode('inband');
  await simulator.keys('1597530*#');
  await simulator.keyed();
  await simulator.hangUp();
  expect(await keysHeard(await simulator.heardAudio())).toBe('1597530*#');
  expect((await simulator.heard()).recoverable_digits).toBeGreaterThan(0);
  const recording = await recorded(demo, undefined);
  expect(await keysHeard(await readFile(recording))).toBe('1597530*#');
  expect(await scansClean(PROGRAM, recording)).toBe(false);
});

/** The recording of the call that has just ended, other than `before`. */
async function recorded(demo: Demo, before: string | undefined): Promise<string> {
  await expect.poll(async () => (await newestRecording(demo.keptAudio)) ?? before).not.toBe(before);
  return (await newestRecording(demo.keptAudio)) ?? '';
}

for (const mode of MODES) {
  test(`r7 r10 v28 a card keyed as ${mode} is obtained, and no ear finds a digit on the agent's phone or in the recording`, async ({ demo, desk, simulator, shot }) => {
    const before = await newestRecording(demo.keptAudio);
    await simulator.mode(mode);
    await desk.open(cardAdvanced);
    await desk.fill('10.00');
    await desk.ask('number');
    for (const part of ['number', 'expiry', 'code'] as const) await desk.captureOnBadLine(part, 'mastercard');
    await shot(`keyed-${mode}`);
    await desk.process();
    await expect(desk.outcome).toContainText('Approved 10.00 USD');
    await simulator.hangUp();

    const heard = await simulator.heard();
    expect(heard.recoverable_digits).toBe(0);
    expect(heard.event_packets).toBe(0);
    expect(await keysHeard(await simulator.heardAudio())).toBe('');
    // They listened to something: the call, its speech and its flat tones.
    expect(heard.audio_ms).toBeGreaterThan(KEYS_MIN * 200);
    expect(heard.loud_ms).toBeGreaterThan(1_000);

    const recording = await recorded(demo, before);
    expect(await keysHeard(await readFile(recording))).toBe('');
    expect(await scansClean(PROGRAM, recording)).toBe(true);
    expect((await readFile(recording)).length).toBeGreaterThan(KEYS_MIN * 200 * 16);
  });
}

test('v11 c9 c10 a wrong number says so and leaves the other rows alone; * clears; capture again takes the right one', async ({ page, desk, simulator, shot }) => {
  await desk.open(cardAdvanced);
  await desk.fill('10.00');
  await desk.ask('expiry');
  await simulator.keyCard('visa', 'expiry');
  await desk.obtained('expiry');
  // The next empty field listens by itself; the agent wants the number first.
  await desk.listens('code');
  await desk.ask('number');
  await page.getByRole('textbox', { name: 'Description' }).focus();
  await simulator.keyCard('wrong', 'number');
  await expect(desk.row('number')).toHaveAttribute('data-state', 'invalid', { timeout: 15_000 });
  await expect(desk.row('number')).toContainText('That card number is not valid. Ask the customer to key it again slowly.');
  await expect(page.locator('[aria-live="assertive"]').getByText('That card number is not valid.')).toBeAttached();
  await expect(page.getByRole('textbox', { name: 'Description' })).toBeFocused();
  await expect(desk.row('expiry')).toContainText('Obtained');
  await shot('advanced-luhn');

  await desk.again('number');
  await expect(desk.row('number')).toContainText('Attempt 2 of 3');
  await simulator.keys('41111');
  await expect(desk.row('number')).toContainText('5 digits keyed');
  await simulator.keys('*');
  await expect(desk.row('number')).not.toContainText('digits keyed');
  await shot('advanced-star');
  await simulator.keyCard('visa', 'number');
  await desk.obtained('number');
  await expect(desk.row('expiry')).toContainText('Obtained');
  await desk.capture('code', 'visa');
  await expect(desk.button('Process Payment')).toBeEnabled();

  await desk.again('expiry');
  for (const part of ['number', 'code'] as const) await expect(desk.row(part)).toContainText('Obtained');
  await expect(desk.button('Process Payment')).toHaveAccessibleDescription('Missing: Expiration date');
  await desk.capture('expiry', 'visa');
  await expect(desk.button('Process Payment')).toBeEnabled();
});

test('s8 keys that come before anything was asked are not taken, and the agent is told', async ({ page, desk, simulator, shot }) => {
  await desk.open(cardAdvanced);
  await simulator.keys('4111');
  await simulator.keyed();
  await expect(page.getByText('Keys arrived before you asked. Please ask again.').first()).toBeVisible();
  await shot('advanced-stray-keys');
  await desk.fill('10.00');
  await desk.ask('number');
  await expect(desk.row('number')).toContainText('Waiting for customer');
});

test('p5 the practice phone calls, is keyed by hand and keys a test card', async ({ desk, demo, browser, shot }) => {
  const context = await browser.newContext();
  const phone = await context.newPage();
  await phone.goto(`${demo.simulator.url}/simulator`);
  await desk.signIn('agent');
  await phone.getByRole('button', { name: 'Place a call' }).click();
  await expect(desk.callBar.getByText('Connected')).toBeVisible({ timeout: 15_000 });
  await desk.press(cardAdvanced);
  await desk.fill('10.00');
  await desk.ask('number');
  for (const key of ['5', '5', '5']) await phone.getByRole('button', { name: `Key ${key}`, exact: true }).click();
  await expect(desk.row('number')).toContainText('3 digits keyed');
  await shot('simulator', phone);
  await phone.getByRole('button', { name: 'Key *', exact: true }).click();
  await expect(desk.row('number')).not.toContainText('digits keyed');
  await phone.getByRole('button', { name: 'Key number', exact: true }).click();
  await desk.obtained('number');
  await phone.getByRole('button', { name: 'Hang up' }).click();
  await expect(desk.page.getByText('Call ended. Nothing was kept.').first()).toBeVisible();
  await shot('advanced-hung-up');
  await context.close();
});
