/** 200 texts that would be more where a page is careless, on their way to the real server and back. */
import type { Browser, Page } from '@playwright/test';
import { XSS } from '../fixtures/xss';
import type { Demo, UserName } from './demo';
import { expect } from './demo';
import type { Desk } from './desk';
import { elsewhere } from './desk';
import { Watch } from './watch';

/** What the texts would make of themselves. */
const MADE = ['main script', 'main iframe', 'main object', 'main base', 'main meta', 'main link', 'main style', 'main math', 'main video', ...['error', 'load', 'focus', 'toggle', 'mouseover', 'animationstart'].map((event) => `[on${event}]`)].join(', ');

/** Nothing ran, nothing was tried that the policy forbids. */
export async function watched(page: Page): Promise<{ watch: Watch; ran: string[] }> {
  const ran: string[] = [];
  const watch = await Watch.over(page);
  page.on('dialog', (dialog) => {
    ran.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().includes('evil.example')) ran.push(request.url());
  });
  return { watch, ran };
}

/** Each of these stands on the page as it was sent, and none has become an element. */
export async function expectShown(page: Page, texts: readonly string[]): Promise<void> {
  const main = page.locator('main').first();
  const missing = async () => {
    const shown = await main.evaluate((element) => element.textContent ?? '');
    return texts.filter((text) => !shown.includes(text));
  };
  await expect.poll(missing).toEqual([]);
  await expect(page.locator(MADE)).toHaveCount(0);
}

export type Watched = Awaited<ReturnType<typeof watched>>;

export function expectQuiet(...all: Watched[]): void {
  for (const { watch, ran } of all) {
    expect(ran).toEqual([]);
    expect(watch.violations).toEqual([]);
  }
}

export async function signedIn(browser: Browser, demo: Demo, user: UserName, path?: string): Promise<{ desk: Desk; page: Page; seen: Watched }> {
  const desk = await elsewhere(browser, demo);
  const seen = await watched(desk.page);
  await desk.signIn(user, path);
  return { desk, page: desk.page, seen };
}

/** Parts of the texts, each of so many. */
export const parts = (size: number) => Array.from({ length: Math.ceil(XSS.length / size) }, (_, place) => XSS.slice(place * size, (place + 1) * size));
