import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Page, TestInfo } from '@playwright/test';
import { expect, test } from '@playwright/test';

export const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export const LOOKS = [
  { name: 'light', width: 1440, scheme: 'light', forced: 'none' },
  { name: 'dark', width: 1440, scheme: 'dark', forced: 'none' },
  { name: 'forced', width: 1440, scheme: 'dark', forced: 'active' },
  { name: 'narrow', width: 320, scheme: 'light', forced: 'none' },
  { name: 'narrow-dark', width: 320, scheme: 'dark', forced: 'none' },
] as const;
export type Look = (typeof LOOKS)[number];

export async function wear(page: Page, look: Look): Promise<void> {
  await page.setViewportSize({ width: look.width, height: 900 });
  await page.emulateMedia({ colorScheme: look.scheme, forcedColors: look.forced });
}

/** No violation of WCAG 2.2 AA, and nothing wider than the window. With forced colours the browser paints others than the ones it computes. */
export async function expectAccessible(page: Page, look?: Look): Promise<void> {
  // Our pages have no frames but other people's, so the mode that joins in a blank page what frames say is not needed.
  const axe = new AxeBuilder({ page }).withTags(WCAG).setLegacyMode();
  const { violations } = await (look?.forced === 'active' ? axe.disableRules('color-contrast') : axe).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} (${node.any[0]?.message ?? node.all[0]?.message ?? ''})`).slice(0, 4).join(' | ')}`);
  expect(found).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
}

/** No text is wider than what holds it, and the page no wider than the window. An ellipsis counts as cut unless the whole text is the title. */
export async function expectNothingCut(page: Page): Promise<void> {
  const cut = () => page.evaluate(() => {
    const isCut = (element: Element): boolean => {
      const { clipPath, display, textOverflow } = getComputedStyle(element);
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      if (element.closest('[data-live-announcer]')) return false;
      if (!hasText || display === 'inline' || clipPath !== 'none' || (textOverflow === 'ellipsis' && element.hasAttribute('title'))) return false;
      return element.scrollWidth > element.clientWidth + 1;
    };
    return [...document.querySelectorAll('body *')].filter(isCut).map((element) => `${element.tagName} ${element.className}: ${element.textContent}`);
  });
  const beyond = () => page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const reaches = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth);
    return reaches.map((element) => `${element.tagName} ${element.className}: ${element.textContent}`.slice(0, 160));
  });
  // What is being laid out still may be cut, or reach beyond the window, for a moment.
  await expect.poll(cut, { message: `what is cut on ${page.url()}`, timeout: 5_000 }).toEqual([]);
  await expect.poll(beyond, { message: `what reaches beyond ${page.url()}`, timeout: 5_000 }).toEqual([]);
}

/** A folder for one picture of each place: `make screens` fills docs/screens. */
const SCREENS = process.env.SCREENS;

/** The page as it stands, in each look after the other; with `SHOTS=1` there is a picture of each. */
export async function expectAccessibleInEveryLook(page: Page, info: TestInfo, name: string): Promise<void> {
  for (const look of LOOKS) {
    await test.step(look.name, async () => {
      await wear(page, look);
      if (process.env.SHOTS) await page.screenshot({ path: info.outputPath(`${name}-${look.name}.png`), fullPage: true });
      if (SCREENS && look === LOOKS[0]) await page.screenshot({ path: join(SCREENS, `${name}.png`), fullPage: true });
      await expectAccessible(page, look);
    });
  }
}

/** More stops than any page has; a page that has more is not walked to its end. */
const STOPS_MAX = 160;

/** From the first to the last stop of Tab: nothing that stays on screen while the page scrolls lies over what has the focus (WCAG 2.4.11). What is covered in two walks is told: in one of them a page may still have been on its way. */
export async function focusOf(page: Page): Promise<{ stops: number; covered: string[] }> {
  const first = await walkOfFocus(page);
  if (first.covered.size === 0) return { stops: first.stops, covered: [] };
  const again = await walkOfFocus(page);
  return { stops: first.stops, covered: [...first.covered].filter((what) => again.covered.has(what)) };
}

async function walkOfFocus(page: Page): Promise<{ stops: number; covered: Set<string> }> {
  const covered = new Set<string>();
  await page.evaluate(() => {
    (window as unknown as { stops?: Set<Element> }).stops?.clear();
    (document.activeElement as HTMLElement | null)?.blur();
    window.scrollTo(0, 0);
  });
  let stops = 0;
  for (; stops < STOPS_MAX; stops += 1) {
    await page.keyboard.press('Tab');
    const what = await page.evaluate(coverOfFocus);
    if (what === 'end') break;
    if (what) covered.add(what);
  }
  return { stops, covered };
}

/** Runs in the page: who covers the element with the focus; 'end' once it has gone through all of them. */
function coverOfFocus(): string {
  const seen = ((window as unknown as { stops?: Set<Element> }).stops ??= new Set());
  const focused = document.activeElement;
  if (!focused || focused === document.body || seen.has(focused)) {
    seen.clear();
    return 'end';
  }
  seen.add(focused);
  // An input that is hidden from eyes stands for its label.
  const shown = focused.closest('label') ?? focused;
  const { left, right, top, bottom } = shown.getBoundingClientRect();
  const inside = { left: Math.max(left, 0), right: Math.min(right, innerWidth), top: Math.max(top, 0), bottom: Math.min(bottom, innerHeight) };
  const name = `${shown.tagName} "${(shown.textContent || shown.getAttribute('aria-label') || '').trim().slice(0, 40)}"`;
  if (inside.right - inside.left < 2 || inside.bottom - inside.top < 2) return `${name} is outside the window`;
  const stays = (element: Element | null): Element | null => {
    for (let one = element; one; one = one.parentElement) if (['sticky', 'fixed'].includes(getComputedStyle(one).position)) return one;
    return null;
  };
  const middle = { x: (inside.left + inside.right) / 2, y: (inside.top + inside.bottom) / 2 };
  for (const y of [inside.top + 1, middle.y, inside.bottom - 1]) {
    const over = document.elementFromPoint(middle.x, y);
    const bar = stays(over);
    if (over && bar && !shown.contains(over) && !over.contains(shown) && !bar.contains(shown)) return `${name} is under ${bar.tagName} ${bar.className}`;
  }
  return '';
}
