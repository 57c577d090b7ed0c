/** The agent's page in a frame of a CRM on another site (C25). */
import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { expectAccessible } from '../looks';
import { cardUnlike, runsOf } from './cards';
import { CRM, Crm, OTHER, PAY, certificateIn, inside, say, told } from './crm';
import { Demo } from './demo';
import { Desk, TITLES } from './desk';

test.describe.configure({ mode: 'serial' });
test.setTimeout(180_000);
test.use({ actionTimeout: 15_000 });

let crm: Crm;
let demo: Demo;
let browser: Browser;

test.beforeAll(async ({ browserName: _ }, info) => {
  const folder = info.outputPath('embedding');
  await mkdir(folder, { recursive: true });
  const files = certificateIn(folder);
  crm = await Crm.start(files);
  demo = await Demo.start(`${folder}/demo.log`, ['--origin', PAY, '--certificate', files.certificate, '--key', files.key, '--embed-in', CRM]);
  browser = await crm.browser(demo.address);
});
test.afterAll(async () => {
  await browser?.close();
  await demo?.stop();
  await crm?.stop();
});

async function crmPage(path: string, of?: BrowserContext): Promise<Page> {
  const context = of ?? (await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-US', viewport: { width: 1024, height: 800 } }));
  const page = await context.newPage();
  await page.goto(path.startsWith('https:') ? path : CRM + path);
  return page;
}

/** Signs in in the window that opens, and lets the frame in. */
async function letIn(popup: Page): Promise<void> {
  await popup.getByRole('textbox', { name: 'User name' }).fill('agent');
  await popup.getByLabel('Password', { exact: true }).fill(demo.passwords.agent);
  await popup.getByRole('button', { name: 'Sign in' }).click();
  await expect(popup.getByRole('heading', { name: `Show your desktop in ${CRM}?` })).toBeVisible();
  await expectAccessible(popup);
  const closed = popup.waitForEvent('close');
  await popup.getByRole('button', { name: 'Show it' }).click();
  await closed;
}

const signedIn = (page: Page) => expect(inside(page).getByRole('button', { name: 'Sign out' })).toBeVisible();

test('c25 in a frame of another site a partitioned cookie signs in, devices work with allow, and no keyed digit or value is told to the site', async ({ browserName: _ }, info) => {
  const page = await crmPage('/');
  const frame = inside(page);
  await expect(frame.getByText(`This page stands in a frame of ${CRM}.`)).toBeVisible();
  const popup = page.waitForEvent('popup');
  await frame.getByRole('button', { name: 'Sign in in a new window' }).click();
  await letIn(await popup);
  await signedIn(page);
  await page.reload();
  await signedIn(page);
  const cookies = await page.context().cookies();
  expect(cookies.find(({ name }) => name === '__Host-tonewall-frame')).toMatchObject({ domain: 'pay.test', secure: true, httpOnly: true, sameSite: 'None', partitionKey: CRM });
  const kept = await inside(page).evaluate(() => {
    document.cookie = 'plain=1; SameSite=None; Secure; Path=/';
    return document.cookie;
  });
  expect(kept, 'the browser keeps no other cookie there').toBe('');

  // Devices.
  const inFrame = inside(page);
  await inFrame.getByRole('button', { name: 'Devices' }).click();
  await inFrame.getByRole('button', { name: 'Check microphone' }).click();
  await expect(inFrame.getByText('The microphone works')).toBeVisible();
  await expect(inFrame.getByText('Your voice arrives.')).toBeVisible();
  await inFrame.getByRole('button', { name: 'Check screen sharing' }).click();
  await expect(inFrame.getByText('The screen can be shared.')).toBeVisible();
  await page.screenshot({ path: info.outputPath('devices.png') });
  await inFrame.getByRole('button', { name: 'Close' }).click();

  // A call with what the CRM knows, and a whole capture.
  await say(page, { type: 'spc.customer', values: { firstName: 'Jolanda', lastName: 'Quist', reference: 'INV-QX' } });
  await say(page, { type: 'spc.amount', amount: '120.50', currency: 'USD' });
  await say(page, { type: 'spc.dial', number: '+15550100199' });
  await say(page, { type: 'spc.unknown', values: {} });
  const desk = new Desk(inFrame as unknown as Page, demo);
  await desk.takeCall();
  await desk.press(TITLES.cardAdvanced);
  await desk.protected(TITLES.cardAdvanced);
  await desk.tab('Demographic').click();
  const first = inFrame.getByRole('tabpanel').getByRole('textbox', { name: 'First name' });
  await expect(first).toHaveValue('Jolanda');
  await expect(first).toHaveAccessibleDescription('From the CRM');
  await desk.tab('Payment').click();
  await expect(inFrame.getByRole('textbox', { name: 'Amount' })).toHaveValue('120.50');
  const card = cardUnlike('120.50 12050');
  await desk.ask('number');
  await desk.capture('number', { keys: card.number });
  await page.screenshot({ path: info.outputPath('frame-360.png') });
  await desk.capture('expiry', { keys: card.expiry });
  await desk.capture('code', { keys: card.code });
  await desk.process();
  await expect(desk.outcome).toContainText('Approved');
  const wide = await inFrame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, 'nothing is wider than the frame').toBeLessThanOrEqual(0);

  // What the CRM was told.
  await expect.poll(async () => (await told(page)).some(({ type }) => type === 'spc.payment')).toBe(true);
  const all = await told(page);
  const of = (type: string) => all.filter((message) => message.type === type);
  expect(new Set(all.map(({ type }) => type))).toEqual(new Set(['spc.ready', 'spc.call', 'spc.customer', 'spc.amount', 'spc.dial', 'spc.capture', 'spc.payment', 'spc.resize']));
  expect(of('spc.ready').at(-1)).toEqual({ v: 1, type: 'spc.ready', signedIn: true });
  expect(of('spc.call').map(({ state }) => state)).toEqual(expect.arrayContaining(['none', 'connected']));
  expect(of('spc.dial')).toEqual([{ v: 1, type: 'spc.dial', result: 'not_available' }]);
  expect(of('spc.customer')).toEqual([{ v: 1, type: 'spc.customer', result: 'kept_for_the_next_call' }]);
  expect(of('spc.capture').map(({ state }) => state)).toEqual(expect.arrayContaining(['armed', 'collecting', 'ready', 'approved']));
  const [paid] = of('spc.payment');
  expect(paid).toEqual({ v: 1, type: 'spc.payment', outcome: 'approved', ref: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/) });
  // A reference and a height have digits of their own.
  const text = JSON.stringify(all.map(({ ref: _, height: __, ...rest }) => rest));
  for (const digits of [card.number, card.expiry, card.code]) for (const run of runsOf(digits, 3)) expect(text.includes(run), 'a run of keyed digits was told').toBe(false);
  for (const value of ['Jolanda', 'Quist', 'INV-QX', '120.50', 'firstName']) expect(text).not.toContain(value);
  await page.context().close();
});

test('c25 without allow the page says what the site has to change, and the site can hand the sign-in over itself', async ({ browserName: _ }, info) => {
  const page = await crmPage('/plain');
  await expect(inside(page).getByRole('button', { name: 'Sign in in a new window' })).toBeVisible();
  const popup = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await letIn(await popup);
  await signedIn(page);
  const frame = inside(page);
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  await frame.getByRole('button', { name: 'Devices' }).click();
  for (const [name, feature] of [['Check microphone', 'microphone'], ['Check screen sharing', 'display-capture']] as const) {
    await frame.getByRole('button', { name }).click();
    await expect(frame.getByRole('alert').filter({ hasText: `Its frame needs allow="${feature}"` })).toBeVisible();
  }
  await page.screenshot({ path: info.outputPath('not-allowed.png') });
  const own = await crmPage(PAY, page.context());
  await own.getByRole('button', { name: 'Devices' }).click();
  await own.getByRole('button', { name: 'Check microphone' }).click();
  await expect(own.getByText('The microphone works')).toBeVisible();
  await expectAccessible(own);
  await page.context().close();
});

test('c25 a site that the server does not list shows nothing of the page', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.goto(OTHER);
  await refused;
  expect(inside(page).url()).toMatch(/^chrome-error:/);
  expect(await told(page)).toEqual([]);
  await context.close();
});
