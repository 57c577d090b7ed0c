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
  const axe = new AxeBuilder({ page }).withTags(WCAG);
  const { violations } = await (look?.forced === 'active' ? axe.disableRules('color-contrast') : axe).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} (${node.any[0]?.message ?? node.all[0]?.message ?? ''})`).slice(0, 4).join(' | ')}`);
  expect(found).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
}

/** No text is wider than what holds it, and the page no wider than the window. An ellipsis counts as cut unless the whole text is the title. */
export async function expectNothingCut(page: Page): Promise<void> {
  const cut = await page.evaluate(() => {
    const isCut = (element: Element): boolean => {
      const { clipPath, display, textOverflow } = getComputedStyle(element);
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      if (element.closest('[data-live-announcer]')) return false;
      if (!hasText || display === 'inline' || clipPath !== 'none' || (textOverflow === 'ellipsis' && element.hasAttribute('title'))) return false;
      return element.scrollWidth > element.clientWidth + 1;
    };
    return [...document.querySelectorAll('body *')].filter(isCut).map((element) => `${element.tagName} ${element.className}: ${element.textContent}`);
  });
  expect(cut).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}

/** The page as it stands, in each look after the other, with a picture of each. */
export async function expectAccessibleInEveryLook(page: Page, info: TestInfo, name: string): Promise<void> {
  for (const look of LOOKS) {
    await test.step(look.name, async () => {
      await wear(page, look);
      await page.screenshot({ path: info.outputPath(`${name}-${look.name}.png`), fullPage: true });
      await expectAccessible(page, look);
    });
  }
}
