/** A supervisor listens to a call at their page while a card is keyed, whispers to its agent and joins, with Chromium's own WebRTC and a microphone that beeps. */
import type { Page } from '@playwright/test';
import looks from '../../playwright.config';
import { expect, test } from './demo';
import { Desk, TITLES } from './desk';
import { keysHeard } from './ear';

const { executablePath, args = [] } = looks.use?.launchOptions ?? {};
test.use({
  story: 'listening',
  launchOptions: { ...(executablePath ? { executablePath } : {}), args: [...args, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] },
  permissions: ['microphone'],
});

/** Long enough for a microphone that beeps once a second. */
const LISTENED_MS = 2_500;
const RATE_HZ = 48_000;
/** Silences the customer towards the agent while they say a number (S13). */
const SPEAKS = 'Customer is speaking the number';

declare global {
  interface Window {
    heard: Float32Array[];
  }
}

/** Keeps what the page hears: every sample that the browser has decoded for it. */
async function tapSound(page: Page): Promise<void> {
  await page.addInitScript((rate) => {
    window.heard = [];
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...given: ConstructorParameters<typeof Real>) {
        super(...given);
        this.addEventListener('track', ({ track }) => {
          const context = new AudioContext({ sampleRate: rate });
          const tap = context.createScriptProcessor(4_096, 1, 1);
          tap.addEventListener('audioprocess', ({ inputBuffer }) => window.heard.push(inputBuffer.getChannelData(0).slice()));
          context.createMediaStreamSource(new MediaStream([track])).connect(tap);
          tap.connect(context.destination);
          void context.resume();
        });
      }
    };
  }, RATE_HZ);
}

/** What it heard since it was asked last, as a file; its loudest sample beside. */
async function takeSound(page: Page): Promise<{ wav: Buffer; loudest: number; seconds: number }> {
  const heard = await page.evaluate(() => window.heard.splice(0).flatMap((block) => [...block].map((value) => Math.round(Math.max(-1, Math.min(1, value)) * 32_767))));
  const data = Buffer.alloc(heard.length * 2);
  let loudest = 0;
  for (const [at, value] of heard.entries()) {
    data.writeInt16LE(value, at * 2);
    loudest = Math.max(loudest, Math.abs(value));
  }
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  for (const [at, value] of [[16, 16], [24, RATE_HZ], [28, RATE_HZ * 2]] as const) head.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]] as const) head.writeUInt16LE(value, at);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return { wav: Buffer.concat([head, data]), loudest, seconds: heard.length / RATE_HZ };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

test('a supervisor listens while a card is keyed and hears no digit, whispers to the agent alone, and joins once the payment is over', async ({ desk, demo, simulator, browser, shot }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  const page = await browser.newPage({ baseURL: demo.page, permissions: ['microphone'] });
  await tapSound(page);
  const office = new Desk(page, demo);
  await office.signIn('supervisor', '/calls');
  await office.button('Turn on the phone').click();
  const listen = page.getByRole('button', { name: /^Listen to / });
  await expect(listen).toBeEnabled();
  await listen.click();
  await expect(page.getByText(/Nobody hears you/)).toBeVisible();
  await expect.poll(async () => (await takeSound(page)).loudest, { timeout: 10_000 }).toBeGreaterThan(300);
  const grows = async (heard: () => Promise<{ loud_ms: number }>) => {
    const before = (await heard()).loud_ms;
    await pause(LISTENED_MS);
    return (await heard()).loud_ms - before;
  };
  const consumer = () => simulator.heardByConsumer();
  // The agent falls silent, so that whatever the customer hears is somebody else.
  await desk.button('Mute').click();
  await expect(desk.button('Mute')).toHaveAttribute('aria-pressed', 'true');
  await pause(500);
  expect(await grows(consumer), 'whoever listens is heard by nobody').toBe(0);

  // Nothing was asked for, so nothing is to be discarded.
  const putAway = async () => {
    await desk.button('Cancel').click();
    await expect(desk.callBar).toContainText('Line: normal');
  };
  await desk.press(TITLES.cardAdvanced);
  await desk.protected(TITLES.cardAdvanced);
  await expect(office.button('Join')).toBeDisabled();
  await takeSound(page);
  for (const mode of ['inband', 'rfc4733'] as const) {
    await simulator.mode(mode);
    await simulator.keyCard('visa', 'number');
    await simulator.keyed();
    await pause(1_000);
    const { wav, loudest, seconds } = await takeSound(page);
    expect(seconds).toBeGreaterThan(3);
    expect(loudest, 'the flat tone in the place of the keys').toBeGreaterThan(300);
    expect(await keysHeard(wav), mode).toBe('');
    if (mode === 'inband') await putAway();
    if (mode === 'inband') await desk.press(TITLES.cardAdvanced);
    if (mode === 'inband') await desk.protected(TITLES.cardAdvanced);
  }

  await office.button('Whisper').click();
  await expect(page.getByText(/Only .* hears you/)).toBeVisible();
  await shot('listening-whisper', page);
  expect(await grows(consumer), 'a whisper is the agent’s alone').toBe(0);
  // The customer is silenced towards the agent, who hears the whisper all the same.
  await desk.button(SPEAKS).click();
  await pause(500);
  expect(await grows(() => simulator.heard()), 'the agent hears the whisper').toBeGreaterThan(0);
  await desk.button(SPEAKS).click();
  await putAway();
  await expect(office.button('Join')).toBeEnabled();
  await office.button('Join').click();
  await expect(page.getByText(/and the customer hear you/)).toBeVisible();
  expect(await grows(consumer), 'the supervisor has joined').toBeGreaterThan(0);
  await office.button('Leave').click();
  await expect(page.getByText(/and the customer hear you/)).toHaveCount(0);
  await simulator.hangUp();
  await page.close();
});
