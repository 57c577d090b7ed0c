/** An agent's page, in the words of someone who works at it. */
import type { Browser, Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import type { Demo, UserName } from './demo';
import type { Part, TestCard } from './simulator';

export const TITLES = {
  cardAdvanced: 'Card payment',
  checkAdvanced: 'Bank payment',
  cardBasic: 'Card details',
  checkBasic: 'Bank details',
} as const;
type Title = (typeof TITLES)[keyof typeof TITLES];

export const ROWS = {
  number: 'Card number',
  expiry: 'Expiration date',
  code: 'Security code',
  routing: 'Routing number',
  account: 'Account number',
} as const satisfies Record<Part, string>;

/** A key within half a second of an automatic end of a field counts as meant for that field. */
const BETWEEN_FIELDS_MS = 700;

/** The consumer's side, and who can sign in. */
type Stage = Pick<Demo, 'simulator' | 'passwords'>;

export class Desk {
  readonly page: Page;
  readonly #demo: Stage;

  constructor(page: Page, demo: Stage) {
    this.page = page;
    this.#demo = demo;
  }

  get callBar(): Locator {
    return this.page.getByRole('region', { name: 'Call', exact: true });
  }

  widget(title: Title): Locator {
    return this.page.getByRole('region', { name: title });
  }

  /** How the payment ended. */
  get outcome(): Locator {
    return this.page.getByRole('tabpanel').getByRole('status');
  }

  row(part: Part): Locator {
    return this.page.getByRole('group', { name: ROWS[part], exact: true });
  }

  /** One for each digit that is expected. They are decoration, without a role or a name. */
  dots(part: Part): Locator {
    return this.row(part).locator('i');
  }

  filledDots(part: Part): Locator {
    return this.row(part).locator('i[data-filled]');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  tab(name: 'Demographic' | 'Payment' | 'Status'): Locator {
    return this.page.getByRole('tab', { name });
  }

  async signIn(user: UserName, path = '/'): Promise<void> {
    await this.page.goto(path);
    await this.page.getByRole('textbox', { name: 'User name' }).fill(user);
    await this.page.getByLabel('Password', { exact: true }).fill(this.#demo.passwords[user]);
    await this.button('Sign in').click();
    await expect(this.button('Sign out')).toBeVisible();
  }

  /** The consumer calls, the agent's phone answers. */
  async takeCall(): Promise<void> {
    await this.#demo.simulator.reach();
    await expect(this.callBar.getByText('Connected')).toBeVisible({ timeout: 15_000 });
  }

  /** Presses Credit card or Check and chooses the widget; does not wait for the line to be protected. */
  async press(title: Title): Promise<void> {
    const check = title === TITLES.checkAdvanced || title === TITLES.checkBasic;
    await this.button(check ? 'Check' : 'Credit card').click();
    await this.page.getByRole('menuitem', { name: title }).click();
  }

  /** Signed in, on a call, with this widget open on a protected line. */
  async open(title: Title): Promise<void> {
    await this.signIn('agent');
    await this.takeCall();
    await this.press(title);
    await this.protected(title);
  }

  /** The line is protected. A machine that stalls protects nothing and says that it is busy: its agent tries again. */
  async protected(title: Title): Promise<void> {
    const widget = this.widget(title);
    const line = widget.getByText('Protected capture');
    const busy = widget.getByText('the server is busy');
    await expect(async () => {
      await expect(line.or(busy).first()).toBeVisible();
      if (await busy.isVisible()) await widget.getByRole('button', { name: 'Try again' }).click();
      await expect(line).toBeVisible({ timeout: 5_000 });
    }).toPass({ timeout: 30_000 });
  }

  /** Cancel, and its question. */
  async discard(): Promise<void> {
    await this.button('Cancel').click();
    await this.button('Yes, discard').click();
    await expect(this.callBar).toContainText('Line: normal');
  }

  /** Closes a widget that outlived its call, so that the next call is on screen. */
  async putAway(): Promise<void> {
    const ways = ['Yes, resume', 'Close and follow up', 'Close'].map((name) => this.button(name));
    for (const way of ways) {
      if (!(await way.isVisible())) continue;
      // It may go by itself meanwhile.
      await way.click({ timeout: 5_000 }).catch(() => expect(way).toBeHidden());
    }
  }

  /** Types what the gateway needs beside the card. */
  async fill(amount: string): Promise<void> {
    await this.tab('Demographic').click();
    const demographic = this.page.getByRole('tabpanel');
    await demographic.getByRole('textbox', { name: 'First name' }).fill('Jane');
    await demographic.getByRole('textbox', { name: 'Last name' }).fill('Roe');
    await this.tab('Payment').click();
    await this.page.getByRole('textbox', { name: 'Amount' }).fill(amount);
  }

  /** Asks for the first field; the others listen by themselves, one after the other. */
  async ask(part: Part): Promise<void> {
    await this.button(`Ask now: ${ROWS[part]}`).click();
    await this.listens(part);
  }

  async listens(part: Part): Promise<void> {
    await expect(this.row(part)).toHaveAttribute('aria-current', 'true');
  }

  /** Asks for a field once more. A wrong row goes on listening, so only its state tells that what was keyed is gone and new keys count. */
  async again(part: Part): Promise<void> {
    await this.row(part).getByRole('button', { name: /^(Clear|Capture again): / }).click();
    await expect(this.row(part)).toHaveAttribute('data-state', 'waiting');
    await this.listens(part);
  }

  async obtained(part: Part): Promise<void> {
    await expect(this.row(part)).toHaveAttribute('data-state', 'obtained', { timeout: 15_000 });
  }

  /** The row listens, then the consumer keys it, and it is obtained. */
  async capture(part: Part, keys: TestCard | { keys: string } = 'mastercard'): Promise<void> {
    await this.listens(part);
    if (part !== 'number' && part !== 'routing') await this.page.waitForTimeout(BETWEEN_FIELDS_MS);
    if (typeof keys === 'string') await this.#demo.simulator.keyCard(keys, part);
    else await this.#demo.simulator.keys(keys.keys);
    await this.obtained(part);
  }

  /** As `capture`, by an agent who asks once more when a key was lost on the way: a machine that stalls for longer than a key is a bad line. */
  async captureOnBadLine(part: Part, card: TestCard): Promise<void> {
    await this.listens(part);
    if (part !== 'number') await this.page.waitForTimeout(BETWEEN_FIELDS_MS);
    await this.#demo.simulator.keyCard(card, part);
    await expect(this.row(part)).toHaveAttribute('data-state', /obtained|slow|invalid/, { timeout: 20_000 });
    if ((await this.row(part).getAttribute('data-state')) === 'obtained') return;
    await this.again(part);
    await this.#demo.simulator.keyCard(card, part);
    await this.obtained(part);
  }

  /** The consumer keys, whatever becomes of it. */
  async keys(keys: string): Promise<void> {
    await this.#demo.simulator.keys(keys);
    await this.#demo.simulator.keyed();
  }

  async captureCard(card: TestCard = 'mastercard'): Promise<void> {
    for (const part of ['number', 'expiry', 'code'] as const) await this.capture(part, card);
  }

  async captureAccount(): Promise<void> {
    for (const part of ['routing', 'account'] as const) await this.capture(part);
  }

  /** Process Payment and its question. */
  async process(): Promise<void> {
    await this.button('Process Payment').click();
    await this.page.getByRole('button', { name: /^Yes, / }).click();
    await expect(this.tab('Status')).toHaveAttribute('aria-selected', 'true');
  }
}

/** A second person at a second browser. */
export async function elsewhere(browser: Browser, demo: Demo): Promise<Desk> {
  const context = await browser.newContext({ baseURL: demo.page });
  return new Desk(await context.newPage(), demo);
}
