/** From an empty store to the first page of a working desktop, by what the server prints and the page says. */
import type { Browser, Locator, Page } from '@playwright/test';
import { expectAccessible } from '../looks';
import { codeOf } from './authenticator';
import { Desk, TITLES } from './desk';
import type { Site } from './site';
import { expect, test } from './site';
import { Watch } from './watch';

test.setTimeout(150_000);
test.use({ actionTimeout: 15_000 });

const FIRST = 'changes-at-first-1';
const OWN = 'battery staple 7';
const PHONE = { user: '1001', password: 'phone-secret-1' };
const NUMBER = '4000';

const steps = (page: Page) => page.getByRole('region', { name: 'The way to a first working desktop' });
const ofStep = (page: Page, title: string) => steps(page).getByRole('listitem').filter({ hasText: title });

/** The link of the step that is next. */
async function follow(page: Page, title: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await expect(ofStep(page, title)).toHaveAttribute('aria-current', 'step');
  await steps(page).getByRole('link', { name: title }).click();
}

async function newCode(page: Page): Promise<string> {
  return codeOf((await page.locator('code').textContent()) ?? '', Date.now());
}

/** The screen of the payment widget with what the sandbox gateway answers. */
async function fillWidget(sheet: Locator, url: string): Promise<void> {
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill(TITLES.cardAdvanced);
  await sheet.getByRole('checkbox', { name: 'Enabled' }).check({ force: true });
  await sheet.getByRole('checkbox', { name: 'Master Card' }).check({ force: true });
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  await sheet.getByRole('textbox', { name: 'Service URL' }).fill(url);
  await sheet.getByRole('textbox', { name: 'Success Key' }).fill('result.status');
  await sheet.getByRole('textbox', { name: 'Success Value' }).fill('APPROVED');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(sheet).toHaveCount(0);
}

/** An agent's first sign-in: own password, own authenticator app. */
async function firstSignIn(browser: Browser, site: Site): Promise<Page> {
  const page = await (await browser.newContext({ baseURL: site.page, viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto('/');
  await page.getByRole('textbox', { name: 'User name' }).fill('a.kim');
  await page.getByLabel('Password', { exact: true }).fill(FIRST);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Current password').fill(FIRST);
  await page.getByLabel('New password', { exact: true }).fill(OWN);
  await page.getByLabel('New password again').fill(OWN);
  await page.getByRole('button', { name: 'Save password' }).click();
  await page.getByRole('textbox', { name: 'Code that the app shows now' }).fill(await newCode(page));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  return page;
}

test('an empty installation prints a link that makes the first administrator once, and is led step by step to a desktop that takes a card', async ({ page, browser, site }, info) => {
  const phones = await site.simulate(NUMBER, PHONE.user, PHONE.password);
  const gateway = phones.gateway;
  await site.start({ gateway });
  const watch = await Watch.over(page);

  // The first administrator.
  const link = /(http\S+\/set-up#\w+)/.exec(site.printed.join('\n'))?.[1] ?? '';
  await page.goto(site.page);
  await expect(page.getByText('This server has no user yet. Open the set-up link')).toBeVisible();
  await page.goto(`${site.page}/set-up#guessed`);
  await expect(page.getByRole('alert')).toContainText('This link does not hold');
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByRole('textbox', { name: 'User name' }).fill('ada');
  await page.getByRole('textbox', { name: 'Display name' }).fill('Ada Lane');
  await page.getByLabel(/^Password \*/).fill(OWN);
  await page.getByLabel('Password again').fill(OWN);
  await expectAccessible(page);
  await page.screenshot({ path: info.outputPath('set-up.png'), fullPage: true });
  await page.getByRole('textbox', { name: 'Code that the app shows now' }).fill(await newCode(page));
  await page.keyboard.press('Enter');
  await expect(steps(page)).toContainText('0 of 7 done');
  await expectAccessible(page);
  await page.screenshot({ path: info.outputPath('first-steps.png'), fullPage: true });
  const late = await browser.newPage();
  await late.goto(link);
  await expect(late.getByRole('alert')).toContainText('This link does not hold');
  await late.close();

  // The steps.
  await follow(page, 'Switch Secure Payment Capture on');
  await page.getByRole('switch', { name: 'Secure Payment Capture' }).click({ force: true });
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await expect(ofStep(page, 'Make a desktop with a payment widget')).toHaveAttribute('aria-current', 'step');
  await page.getByRole('button', { name: 'New desktop' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('textbox', { name: 'Name' }).fill('Front desk');
  await sheet.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('option', { name: 'Credit Card Advanced' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await fillWidget(sheet, gateway.url);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();

  await follow(page, 'Test the gateway with a test card');
  await page.getByRole('button', { name: `Edit ${TITLES.cardAdvanced}` }).click();
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  await sheet.getByRole('button', { name: 'Test gateway' }).click();
  const trial = page.getByRole('dialog', { name: 'Test gateway' });
  await trial.getByRole('button', { name: 'Send test' }).click();
  await expect(trial.getByText('Approved', { exact: true })).toBeVisible({ timeout: 15_000 });
  await trial.getByRole('button', { name: 'Close' }).click();
  await sheet.getByRole('button', { name: 'Cancel' }).click();

  await follow(page, 'Lead a service’s numbers to the desktop and declare its recorders');
  await page.getByRole('button', { name: 'New service' }).click();
  await sheet.getByRole('textbox', { name: 'Name' }).fill('Payments');
  await sheet.getByRole('textbox', { name: 'Numbers' }).fill(NUMBER);
  await sheet.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Not declared' }).click();
  await page.getByRole('button', { name: 'Confirm: no other recorder records these calls' }).click();
  await expect(page.getByText(/confirmed by ada/)).toBeVisible();

  await follow(page, 'Make an agent with a phone');
  await page.getByRole('button', { name: 'Add user' }).click();
  await sheet.getByRole('textbox', { name: 'User name' }).fill('a.kim');
  await sheet.getByRole('textbox', { name: 'Display name' }).fill('Alex Kim');
  await sheet.getByLabel('First password').fill(FIRST);
  await sheet.getByText('Agent', { exact: true }).click();
  await sheet.getByRole('textbox', { name: 'Phone', exact: true }).fill(PHONE.user);
  await sheet.getByLabel('Password of the phone').fill(PHONE.password);
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: 'a.kim' })).toBeVisible();
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await expect(ofStep(page, 'Make a call and capture a test card')).toHaveAttribute('aria-current', 'step');

  // The simulated call.
  const agent = await firstSignIn(browser, site);
  const desk = new Desk(agent, { simulator: phones.simulator, passwords: { agent: OWN, admin: OWN, supervisor: '', supervisor2: '', auditor: '' } });
  await desk.takeCall();
  await desk.button('Credit card').click();
  await desk.widget(TITLES.cardAdvanced).or(agent.getByRole('menuitem', { name: TITLES.cardAdvanced })).first().waitFor();
  const item = agent.getByRole('menuitem', { name: TITLES.cardAdvanced });
  if (await item.isVisible()) await item.click();
  await desk.fill('12.00');
  await desk.ask('number');
  await desk.captureCard();
  await desk.process();
  await expect(desk.outcome).toContainText('Approved');
  await agent.screenshot({ path: info.outputPath('first-payment.png'), fullPage: true });

  await page.reload();
  await expect(page.getByRole('row', { name: /^Front desk/ })).toContainText('Live');
  await expect(steps(page)).toHaveCount(0);
  expect(watch.violations).toEqual([]);
  await agent.context().close();
});
