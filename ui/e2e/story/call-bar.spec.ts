/** The call bar: what each side hears when the agent mutes, holds and keys. */
import { expect, test } from './demo';
import { TITLES } from './desk';
import type { Simulator } from './simulator';

test.use({ story: 'call-bar' });

/** What was said before a button was pressed is out by then: packets under way, the hold's first beep of 200 ms. */
const SETTLED_MS = 700;
/** Long enough to hear somebody who speaks. */
const LISTENED_MS = 1_200;

/** Milliseconds of sound that each side hears from now on. */
async function hears(simulator: Simulator) {
  const loud = async () => [await simulator.heardByConsumer(), await simulator.heard()].map(({ loud_ms }) => loud_ms) as [number, number];
  await pause(SETTLED_MS);
  const before = await loud();
  await pause(LISTENED_MS);
  const after = await loud();
  return { consumer: after[0] - before[0], agent: after[1] - before[1] };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

test('a muted agent is not heard by the consumer and hears on, also after a reload', async ({ page, desk, simulator, shot }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  const talking = await hears(simulator);
  expect(talking.consumer).toBeGreaterThan(0);
  expect(talking.agent).toBeGreaterThan(0);

  await desk.button('Mute').click();
  await expect(desk.callBar.getByText('Muted: the customer does not hear you')).toBeVisible();
  const muted = await hears(simulator);
  expect(muted.consumer).toBe(0);
  expect(muted.agent).toBeGreaterThan(0);
  await shot('call-muted');

  await page.reload();
  await expect(desk.button('Mute')).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Control+Shift+M');
  await expect(desk.button('Mute')).toHaveAttribute('aria-pressed', 'false');
  expect((await hears(simulator)).consumer).toBeGreaterThan(0);
  await simulator.hangUp();
});

test('on hold neither hears the other, the line lives, and a capture waits', async ({ page, desk, simulator, shot }) => {
  await desk.open(TITLES.cardAdvanced);
  await desk.fill('10.00');
  await desk.ask('number');
  await simulator.keys('4111');
  await expect(desk.row('number')).toContainText('4 digits keyed');

  await page.keyboard.press('Control+Shift+H');
  await expect(desk.button('Hold')).toHaveAttribute('aria-pressed', 'true');
  await expect(desk.callBar.getByText('On hold', { exact: true })).toBeVisible();
  await expect(desk.row('number')).toContainText('On hold. Capture resumes when you resume the call');
  const packets = (await simulator.heardByConsumer()).packets;
  expect(await hears(simulator)).toEqual({ consumer: 0, agent: 0 });
  expect((await simulator.heardByConsumer()).packets).toBeGreaterThan(packets + 50);
  await simulator.keys('22');
  await simulator.keyed();
  await shot('call-held');

  await desk.button('Hold').click();
  await expect(desk.button('Hold')).toHaveAttribute('aria-pressed', 'false');
  await expect(desk.row('number')).toContainText('4 digits keyed');
  const resumed = await hears(simulator);
  expect(resumed.consumer).toBeGreaterThan(0);
  expect(resumed.agent).toBeGreaterThan(0);
  await simulator.keys('111111111111');
  await desk.obtained('number');
  await simulator.hangUp();
  const heard = await simulator.heard();
  expect([heard.recoverable_digits, heard.event_packets]).toEqual([0, 0]);
  await desk.putAway();
});

test('a call on hold opens no widget, and says so', async ({ page, desk, simulator }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  await desk.button('Hold').click();
  await expect(page.getByText('The call is on hold.').first()).toBeVisible();
  await expect(desk.button('Credit card')).toBeDisabled();
  await simulator.hangUp();
});

test('s31 the keypad sends keys to the consumer’s side, and none while a payment is open', async ({ page, desk, simulator, shot }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  await page.keyboard.press('Control+Shift+K');
  const keypad = page.getByRole('dialog', { name: 'Keypad' });
  await expect(keypad).toBeVisible();
  await page.keyboard.type('15');
  await keypad.getByRole('button', { name: 'Key #' }).click();
  await expect(keypad.getByText('3 keys sent')).toBeVisible();
  await shot('keypad');
  // Two updates and three ends of each.
  await expect.poll(async () => (await simulator.heardByConsumer()).event_packets).toBe(15);
  await page.keyboard.press('Escape');
  await expect(desk.button('Keypad')).toBeVisible();

  await desk.press(TITLES.cardAdvanced);
  await desk.protected(TITLES.cardAdvanced);
  await desk.button('Keypad').click();
  await expect(keypad.getByText('A payment is open: keys belong to the customer.')).toBeVisible();
  await page.keyboard.type('9');
  await page.keyboard.press('Escape');
  await simulator.hangUp();
  expect((await simulator.heardByConsumer()).event_packets).toBe(15);
  await desk.putAway();
});
