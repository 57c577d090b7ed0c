/** Who gets in, what a reload keeps, and who can use the page. */
import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from '../looks';
import { expect, test } from './demo';
import { Desk, ROWS, TITLES } from './desk';
import { Watch } from './watch';

test.use({ story: 'access' });

const { cardAdvanced } = TITLES;
const NARROW = { width: 320, height: 800 };

/** Light on a wide window, dark on a narrow one; the same page stays open. */
async function expectAccessibleInBothLooks(page: Page, shot: (name: string) => Promise<void>, name: string): Promise<void> {
  const wide = page.viewportSize() ?? NARROW;
  for (const [scheme, size] of [['light', wide], ['dark', NARROW]] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize(size);
    await shot(`${name}-${scheme}-${size.width}`);
    await expectAccessible(page);
  }
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: 'light' });
}

test('a wrong password gives one alert that does not say what was wrong, and the right one lets in by keyboard alone', async ({ page, demo, shot }) => {
  const watch = await Watch.over(page);
  await page.goto('/');
  await expectAccessibleInBothLooks(page, shot, 'login');
  for (const user of ['agent', 'nobody']) {
    await page.getByRole('textbox', { name: 'User name' }).fill(user);
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password 1');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toHaveText('User name or password is wrong.');
    await expect(page.getByRole('alert')).toHaveCount(1);
  }
  await shot('login-wrong');
  await page.getByRole('textbox', { name: 'User name' }).fill('agent');
  await page.keyboard.press('Tab');
  await page.keyboard.type(demo.passwords.agent);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  expect(watch.violations).toEqual([]);
});

test('c20 a reload in mid-keying shows the same capture with the right count, and the card is taken to its end', async ({ page, desk, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(cardAdvanced);
  await desk.fill('20.00');
  await desk.ask('number');
  await simulator.keys('555555555');
  await expect(desk.row('number')).toContainText('9 digits keyed');
  await page.reload();
  await expect(desk.row('number')).toContainText('9 digits keyed', { timeout: 3_000 });
  await expect(desk.widget(cardAdvanced).getByText('Protected capture')).toBeVisible();
  await shot('advanced-reloaded');
  await simulator.keys('5554444');
  await desk.obtained('number');
  await desk.capture('expiry');
  await desk.capture('code');
  await expect(desk.button('Process Payment')).toHaveAccessibleDescription('Missing: First name, Last name, Amount');
  expect(watch.violations).toEqual([]);
});

test('c24 the agent page with an open widget is accessible in light and dark, wide and at 320 px', async ({ page, desk, simulator, shot }) => {
  await desk.open(cardAdvanced);
  await desk.fill('20.00');
  await desk.ask('number');
  await simulator.keys('55555');
  await expect(desk.row('number')).toContainText('5 digits keyed');
  await expectAccessibleInBothLooks(page, shot, 'agent');
});

test('v2 v3 c12 Next and Back walk Demographic, each field and Status, by key and by click', async ({ page, desk }) => {
  await desk.open(cardAdvanced);
  await desk.fill('20.00');
  await desk.tab('Demographic').click();
  await page.keyboard.press('Alt+n');
  await expect(desk.tab('Payment')).toHaveAttribute('aria-selected', 'true');
  for (const part of ['number', 'expiry', 'code'] as const) {
    await page.keyboard.press('Alt+n');
    await desk.listens(part);
  }
  await desk.button('Next').click();
  await expect(desk.tab('Status')).toHaveAttribute('aria-selected', 'true');
  await expect(desk.row('code')).toHaveCount(0);
  for (const part of ['code', 'expiry', 'number'] as const) {
    if (part === 'expiry') await page.keyboard.press('Alt+b');
    else await desk.button('Back').click();
    await desk.listens(part);
  }
  await expect(page.getByRole('group', { name: ROWS.code, exact: true })).toContainText('Waits');
  for (const tab of ['Demographic', 'Payment', 'Status'] as const) {
    await desk.tab(tab).click();
    expect(await stepsBack(page, desk.widget(cardAdvanced)), tab).toEqual([]);
  }
});

/** Tab through the widget: stops that lie above, or in the same line left of, the one before. */
async function stepsBack(page: Page, widget: Locator): Promise<string[]> {
  const back: string[] = [];
  let last: { x: number; y: number; bottom: number } | undefined;
  await widget.getByRole('tab', { selected: true }).focus();
  for (;;) {
    await page.keyboard.press('Tab');
    const stop = await widget.evaluate((region) => {
      const focused = document.activeElement;
      if (!focused || !region.contains(focused)) return undefined;
      const { left: x, top: y, bottom } = (focused.closest('label') ?? focused).getBoundingClientRect();
      return { x, y: y + window.scrollY, bottom: bottom + window.scrollY, name: focused.textContent || focused.getAttribute('aria-label') || focused.tagName };
    });
    if (!stop) return back;
    const above = last && stop.bottom <= last.y;
    const left = last && stop.y < last.bottom && stop.bottom > last.y && stop.x < last.x;
    if (above || left) back.push(stop.name);
    last = stop;
  }
}

test('c24 the editor is accessible in light and dark, wide and at 320 px', async ({ page, desk, shot }) => {
  const watch = await Watch.over(page);
  await desk.signIn('admin');
  await page.getByRole('link', { name: 'Demo desktop' }).click();
  await expect(page.getByRole('heading', { name: 'Available Widgets' })).toBeVisible();
  await expectAccessibleInBothLooks(page, shot, 'editor');
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  const sheet = page.getByRole('dialog');
  for (const [tab, name] of [['Message Config', 'message'], ['Payment Gateway Config', 'gateway'], ['Advanced Config', 'advanced']] as const) {
    await sheet.getByRole('tab', { name: tab }).click();
    await expectAccessibleInBothLooks(page, shot, `editor-${name}`);
  }
  expect(watch.violations).toEqual([]);
});

test('c1 no page that an administrator, an agent or a supervisor can go to has an error or breaks its own policy', async ({ page, desk, browser, demo }) => {
  for (const user of ['admin', 'agent', 'supervisor'] as const) {
    const context = user === 'admin' ? page.context() : await browser.newContext({ baseURL: demo.page });
    const visitor = user === 'admin' ? desk : new Desk(await context.newPage(), demo);
    const watch = await Watch.over(visitor.page);
    await visitor.signIn(user);
    // It grows while it is walked.
    const been = new Set(['/']);
    for (const place of been) {
      await visitor.page.goto(place);
      await expect(visitor.page.getByRole('main').first()).toBeVisible();
      await expect(visitor.page.getByRole('link').or(visitor.page.getByRole('button')).first()).toBeVisible();
      for (const next of await placesOf(visitor.page)) been.add(next);
    }
    expect(been.size, `${user} went to ${[...been].join(' ')}`).toBeGreaterThan(user === 'admin' ? 3 : 0);
    expect(watch.violations).toEqual([]);
    // Who is not logged in yet is told so.
    expect(watch.errors.filter((text) => !text.includes('401'))).toEqual([]);
    if (user !== 'admin') await context.close();
  }
});

/** Where the menus of this page lead. */
async function placesOf(page: Page): Promise<string[]> {
  const places = await page.getByRole('navigation').getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  return places.filter((place) => place.startsWith('/'));
}

test('s22 after 15 minutes without key or pointer the page locks over the card, and leaves the call and its end', async ({ page, desk, simulator, demo, shot }) => {
  await page.clock.install();
  await desk.open(TITLES.cardBasic);
  await desk.listens('number');
  await simulator.keys('5555555555554444');
  await desk.obtained('number');
  await expect(desk.row('number')).toContainText('5555 5555 5555 4444');
  await page.clock.fastForward('15:10');
  const lock = page.getByRole('dialog', { name: 'Locked' });
  await expect(lock).toBeVisible();
  await expect(page.getByText('5555 5555 5555 4444')).toHaveCount(0);
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await expect(desk.callBar.getByRole('button', { name: 'End' })).toBeEnabled();
  await shot('idle-lock');
  await expectAccessible(page);
  await lock.getByLabel('Password').fill(demo.passwords.agent);
  await page.keyboard.press('Enter');
  await expect(lock).toHaveCount(0);
  await expect(page.getByText('5555 5555 5555 4444')).toHaveCount(0);
  await expect(desk.button('Show: Card number')).toBeVisible();
  await desk.callBar.getByRole('button', { name: 'End' }).click();
});
