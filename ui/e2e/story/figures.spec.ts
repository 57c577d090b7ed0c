/** How long an agent waits, measured in the page and printed as JSON lines. */
import type { Page } from '@playwright/test';
import { expect, test } from './demo';
import { TITLES } from './desk';

test.use({ story: 'figures' });

const { cardBasic, cardAdvanced } = TITLES;
/** `make figures` has the machine and the optimised program to itself, and is judged; elsewhere the figures are printed. */
const IS_ALONE = process.env.FIGURES === 'alone';
const OPENINGS = IS_ALONE ? 20 : 6;
const KEYS = '411111111111111';
const KEY_ROUNDS = IS_ALONE ? 3 : 1;
/** The practice phone holds a key for so long. */
const PRESS_MS = 100;

const PROTECTED_P95_MS = 150;
const DOT_P95_MS = 100;

declare global {
  interface Window {
    /** Times by the wall clock. */
    figures?: { pressed: number; shown: number; dots: number[] };
  }
}

/** Runs in the page: when a button or an entry of a menu was let go last, when the line was shown as protected, and when each dot was filled. */
function keepTimes(): void {
  const figures = { pressed: 0, shown: 0, dots: [] as number[] };
  window.figures = figures;
  const now = () => performance.timeOrigin + performance.now();
  let filled = 0;
  document.addEventListener(
    'pointerup',
    () => {
      figures.pressed = now();
      figures.shown = 0;
    },
    true,
  );
  new MutationObserver(() => {
    if (figures.shown === 0 && document.body?.textContent?.includes('Protected capture')) figures.shown = now();
    const dots = document.querySelectorAll('i[data-filled]').length;
    for (; filled < dots; filled += 1) figures.dots.push(now());
    filled = dots;
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-filled'] });
}

function told(figure: string, values: readonly number[], bound: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!);
  console.log(JSON.stringify({ figure, unit: 'ms', n: values.length, p50: at(0.5), p95: at(0.95), max: at(1), bound }));
  return at(0.95);
}

const times = (page: Page) => page.evaluate(() => window.figures!);

test('from the control button to a protected line, and from a key let go to its dot', async ({ page, desk, simulator }) => {
  test.slow();
  await page.addInitScript(keepTimes);
  await desk.signIn('agent');
  await desk.takeCall();
  const waits: number[] = [];
  for (let opening = 0; opening < OPENINGS; opening += 1) {
    const title = opening % 2 === 0 ? cardAdvanced : cardBasic;
    await desk.press(title);
    await expect(desk.widget(title).getByText('Protected capture')).toBeVisible();
    const { pressed, shown } = await times(page);
    waits.push(shown - pressed);
    await desk.button('Cancel').click();
    await expect(desk.widget(title)).toHaveCount(0);
    await expect(desk.callBar).toContainText('Line: normal');
  }

  await desk.press(cardAdvanced);
  await desk.fill('10.00');
  await desk.ask('number');
  const dots: number[] = [];
  for (let round = 0; round < KEY_ROUNDS; round += 1) {
    for (const [place, key] of [...KEYS].entries()) {
      const before = (await times(page)).dots.length;
      const letGo = Date.now() + PRESS_MS;
      await simulator.keys(key);
      await expect(desk.filledDots('number')).toHaveCount(place + 1);
      dots.push((await times(page)).dots[before]! - letGo);
      await simulator.keyed();
    }
    await simulator.keys('*');
    await expect(desk.filledDots('number')).toHaveCount(0);
  }
  // Told before they are judged: both figures are there if one is too long.
  const [armed, shown] = [told('control button to protected', waits, PROTECTED_P95_MS), told('key let go to dot', dots, DOT_P95_MS)];
  expect(waits).toHaveLength(OPENINGS);
  expect(dots).toHaveLength(KEYS.length * KEY_ROUNDS);
  if (!IS_ALONE) return;
  expect(armed).toBeLessThanOrEqual(PROTECTED_P95_MS);
  expect(shown).toBeLessThanOrEqual(DOT_P95_MS);
});
