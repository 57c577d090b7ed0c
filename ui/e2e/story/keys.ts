/** A person at a page with a keyboard and nothing else. */
import type { Browser, Locator, Page } from '@playwright/test';
import type { Demo } from './demo';
import { expect } from './demo';

/** More stops of Tab than any page has. */
const STOPS_MAX = 160;
const POINTER = ['pointerdown', 'mousedown', 'touchstart', 'wheel', 'pointermove', 'dragstart'];

export class Keys {
  readonly page: Page;
  /** Events of a pointer that reached the page. */
  readonly pointed: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  static async at(page: Page): Promise<Keys> {
    const keys = new Keys(page);
    await page.exposeFunction('pointed', (what: string) => keys.pointed.push(what));
    await page.addInitScript((events) => {
      const told = window as unknown as { pointed: (what: string) => void };
      for (const name of events) window.addEventListener(name, () => told.pointed(name), { capture: true });
    }, POINTER);
    return keys;
  }

  /** At a second browser. */
  static async elsewhere(browser: Browser, demo: Demo): Promise<Keys> {
    const context = await browser.newContext({ baseURL: demo.page });
    return Keys.at(await context.newPage());
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  type(text: string): Promise<void> {
    return this.page.keyboard.type(text);
  }

  /** By Tab, from wherever the focus is; round the page once at most. */
  async to(place: Locator): Promise<void> {
    await expect(place).toBeAttached();
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      if (await place.evaluate((element) => element === document.activeElement)) return;
      await this.press('Tab');
    }
    throw new Error(`Tab does not reach ${place.toString()}`);
  }

  async enter(place: Locator): Promise<void> {
    await this.to(place);
    await this.press('Enter');
  }

  /** A check box or one of some radio buttons that the focus comes to. */
  async check(place: Locator): Promise<void> {
    await this.to(place);
    await this.press('Space');
    await expect(place).toBeChecked();
  }

  async write(place: Locator, text: string): Promise<void> {
    await this.to(place);
    await this.press('Control+a');
    await this.type(text);
    await expect(place).toHaveValue(text);
  }

  /** One of a list, once the focus is in it. */
  async arrowTo(place: Locator, key: 'ArrowDown' | 'ArrowRight' = 'ArrowDown'): Promise<void> {
    for (let step = 0; step < STOPS_MAX; step += 1) {
      if (await place.evaluate((element) => element === document.activeElement)) return;
      await this.press(key);
    }
    throw new Error(`${key} does not reach ${place.toString()}`);
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async signIn(user: string, password: string): Promise<void> {
    await this.page.goto('/');
    await this.write(this.page.getByRole('textbox', { name: 'User name' }), user);
    await this.press('Tab');
    await this.type(password);
    await this.press('Enter');
    await expect(this.button('Sign out')).toBeVisible();
  }

  async signOut(): Promise<void> {
    await this.enter(this.button('Sign out'));
    await expect(this.page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  }
}
