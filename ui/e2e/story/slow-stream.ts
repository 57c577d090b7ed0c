/** A network so slow that an event waits: short states stay on screen for as long as a test looks at them. */
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    streamHeld?: boolean;
    streamWaiting?: (() => void)[];
  }
}

/** Runs before the page's own scripts. */
function delayEvents(): void {
  const waiting: (() => void)[] = [];
  window.streamWaiting = waiting;
  const add = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (this: EventSource, type: string, listener: (event: MessageEvent) => unknown) {
    add.call(this, type, (event) => {
      const hand = () => listener.call(this, event as MessageEvent);
      if (window.streamHeld) waiting.push(hand);
      else hand();
    });
  } as typeof add;
}

export async function slowStream(page: Page): Promise<{ hold: () => Promise<void>; release: () => Promise<void> }> {
  await page.addInitScript(delayEvents);
  return {
    hold: () => page.evaluate(() => void (window.streamHeld = true)),
    release: () =>
      page.evaluate(() => {
        window.streamHeld = false;
        for (const hand of window.streamWaiting?.splice(0) ?? []) hand();
      }),
  };
}
