/** Advanced: the card goes to the gateway and never to the page. */
import type { Browser } from '@playwright/test';
import { accountUnlike, cardUnlike } from './cards';
import type { Demo, UserName } from './demo';
import { expect, keepForReadme, test } from './demo';
import type { Desk } from './desk';
import { ROWS, TITLES, elsewhere } from './desk';
import { slowStream } from './slow-stream';
import { Watch } from './watch';

test.use({ story: 'advanced' });

const { cardAdvanced, checkAdvanced } = TITLES;

test('p1 a2 a4 v1 v11 v12 v14 c3 c5 c6 c7 c13 a keyed card is obtained, processed and approved, and none of its digits reaches the page', async ({ page, desk, simulator, shot }, info) => {
  const watch = await Watch.over(page);
  const stream = await slowStream(page);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await shot('login');
  await desk.signIn('agent');
  await expect(desk.button('Credit card')).toBeDisabled();
  await expect(desk.button('Credit card')).toHaveAccessibleDescription('No call.');
  await shot('agent-no-call');
  await expect(desk.button('Check')).toBeDisabled();
  await expect(desk.button('Check')).toHaveAccessibleDescription('No call.');
  await desk.takeCall();
  for (const name of ['Credit card', 'Check']) await expect(desk.button(name)).toBeEnabled({ timeout: 1_000 });
  await shot('agent-connected');

  await stream.hold();
  await desk.press(cardAdvanced);
  const widget = desk.widget(cardAdvanced);
  await expect(widget.getByText('Do not ask for the card yet')).toBeVisible();
  await expect(widget.getByText('Please key your card number')).toHaveCount(0);
  await shot('advanced-arming');
  await stream.release();
  await expect(widget.getByRole('paragraph').filter({ hasText: 'Line protected' })).toBeVisible();
  await desk.fill('120.50');
  await shot('advanced-armed');
  await expect(desk.button('Process Payment')).toBeDisabled();
  await expect(desk.button('Process Payment')).toHaveAccessibleDescription('Missing: Card number, Expiration date, Security code');

  const card = cardUnlike(`${await watch.text()} 12050 120.50`);
  await desk.ask('number');
  await expect(widget.getByText('Please key your card number')).toBeVisible();
  await simulator.keys(card.number.slice(0, 6));
  await expect(desk.row('number')).toContainText('6 digits keyed');
  await expect(desk.dots('number')).toHaveCount(16);
  await expect(desk.filledDots('number')).toHaveCount(6);
  await shot('advanced-keying');
  await simulator.keys(card.number.slice(6));
  await desk.obtained('number');
  await desk.capture('expiry', { keys: card.expiry });
  await desk.capture('code', { keys: card.code });
  for (const part of ['number', 'expiry', 'code'] as const) await expect(desk.row(part)).toHaveText(`${ROWS[part]}ObtainedCapture again`);
  await expect(desk.button('Process Payment')).toBeEnabled();
  await shot('advanced-obtained');
  await keepForReadme(info.project.outputDir, 'advanced-obtained', 'agent-desktop.png');

  await desk.button('Process Payment').click();
  await expect(page.getByText('Charge 120.50 USD to the card of Jane Roe?')).toBeVisible();
  await shot('advanced-confirm');
  await page.getByRole('button', { name: 'Yes, charge 120.50 USD' }).dblclick();
  const outcome = desk.outcome;
  await expect(outcome).toContainText('Approved 120.50 USD');
  await expect(outcome.getByText('Approved', { exact: true })).toBeVisible();
  await expect(outcome).toContainText(/Ref [0-9A-Z-]{6,}/);
  await shot('advanced-approved');
  expect((await simulator.ledger()).filter(({ status }) => status === 'charged')).toHaveLength(1);

  expect(await watch.placesOf(card.number, card.expiry)).toEqual([]);
  expect(watch.frames).toBeGreaterThan(10);
  expect(watch.unread).toEqual([]);
  expect(watch.violations).toEqual([]);
  expect(watch.errors.filter((text) => !text.includes('401'))).toEqual([]);

  await desk.button('Close').click();
  await expect(widget).toHaveCount(0);
  await expect(desk.callBar).toContainText('Line: normal');

  // The same eyes see a run where there is one.
  await page.evaluate((run) => document.body.setAttribute('data-planted', run), card.number.slice(5, 9));
  expect(await watch.placesOf(card.number)).toContain('document');
});

test('v14 s10 c14 c15 a declined card offers another card: every field is keyed anew, what was typed stays, and an echoed number is scrubbed', async ({ page, desk, demo, browser, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(cardAdvanced);
  await desk.fill('75.00');
  await simulator.script('decline', 'approve_with_echo');
  await desk.ask('number');
  await desk.captureCard('visa');
  await desk.process();
  await expect(desk.outcome).toContainText('Declined');
  await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0);
  await shot('advanced-declined');

  await desk.button('Try another card').click();
  await expect(desk.row('number')).toHaveAttribute('data-state', /idle|waiting/);
  for (const part of ['expiry', 'code'] as const) await expect(desk.row(part)).toHaveAttribute('data-state', 'idle');
  await expect(page.getByRole('textbox', { name: 'Amount' })).toHaveValue('75.00');
  await shot('advanced-another-card');
  const card = cardUnlike(`${await watch.text()} 7500`);
  if ((await desk.row('number').getAttribute('aria-current')) !== 'true') await desk.ask('number');
  await desk.capture('number', { keys: card.number });
  await desk.capture('expiry', { keys: card.expiry });
  await desk.capture('code', { keys: card.code });
  await desk.process();
  await expect(desk.outcome).toContainText('Approved 75.00 USD');
  await expect(desk.outcome).toContainText('Approved card');
  await shot('advanced-approved-scrubbed');
  const reference = await desk.outcome.getByRole('code').innerText();
  await desk.tab('Payment').click();
  for (const part of ['number', 'expiry', 'code'] as const) await expect(desk.row(part)).toHaveText(`${ROWS[part]}Cleared`);
  expect(await watch.placesOf(card.number, card.expiry)).toEqual([]);
  const office = await officeOf(browser, demo, 'supervisor');
  await expect(office.page.getByRole('row', { name: reference })).toContainText('Approved');
  await office.page.context().close();
});

test('c17 a gateway that refuses connections: not charged, tried again with the digits that are there, and never unknown', async ({ desk, demo, browser, simulator, shot }) => {
  await desk.open(cardAdvanced);
  await desk.fill('21.00');
  await desk.ask('number');
  await desk.captureCard();
  await simulator.gateway(false);
  await desk.process();
  await expect(desk.outcome).toContainText('Not charged.');
  await shot('advanced-not-sent');
  const reference = await desk.outcome.getByRole('code').innerText();
  const office = await officeOf(browser, demo, 'supervisor');
  const row = office.page.getByRole('row', { name: reference });
  await expect(row).toContainText('Not sent');
  await expect(row).not.toContainText('Unknown');
  await office.page.context().close();

  await simulator.gateway(true);
  await desk.button('Try again').click();
  await desk.process();
  await expect(desk.outcome).toContainText('Approved 21.00 USD');
  expect((await simulator.ledger()).filter(({ amount }) => amount === '21.00')).toHaveLength(1);
});

/** Someone else at another browser, at the list of payments. */
async function officeOf(browser: Browser, demo: Demo, user: UserName): Promise<Desk> {
  const office = await elsewhere(browser, demo);
  await office.signIn(user, '/payments');
  return office;
}

test('w45 c16 an answer that never comes is unknown: the agent cannot take it again, two supervisors settle it with a reason', async ({ desk, demo, simulator, browser, shot }) => {
  await desk.open(cardAdvanced);
  await desk.fill('33.00');
  await simulator.script('never_answer');
  await desk.ask('number');
  await desk.captureCard();
  await desk.process();
  await expect(desk.outcome).toContainText(/Sending payment\.\.\. [1-9] s/);
  await expect(desk.button('Cancel')).toBeDisabled();
  await expect(desk.button('Cancel')).toHaveAccessibleDescription('Cancel is not possible: already sent.');
  await shot('advanced-sending');
  await expect(desk.outcome).toContainText('Do NOT take this payment again', { timeout: 15_000 });
  for (const name of ['Try again', 'Try another card', 'Process Payment', 'New payment']) await expect(desk.button(name)).toHaveCount(0);
  const reference = await desk.outcome.getByRole('code').innerText();
  await shot('advanced-unknown');
  await desk.button('Close and follow up').click();
  await expect(desk.widget(cardAdvanced)).toHaveCount(0);
  await expect(desk.button('Credit card')).toBeEnabled();

  const office = await officeOf(browser, demo, 'supervisor');
  const other = await officeOf(browser, demo, 'supervisor2');
  await office.page.getByRole('button', { name: /unknown outcome/ }).click();
  await office.page.getByRole('row', { name: reference }).click();
  const drawer = office.page.getByRole('dialog', { name: `Payment ${reference}` });
  await expect(drawer.getByRole('listitem').filter({ hasText: 'Card number obtained (1 attempt)' })).toBeVisible();
  await expect(drawer.getByText('No clear answer: outcome unknown')).toBeVisible();
  const propose = drawer.getByRole('button', { name: 'Ask for a second person' });
  await expect(propose).toBeDisabled();
  await drawer.getByRole('radio', { name: 'The customer was not charged' }).check({ force: true });
  await expect(propose).toBeDisabled();
  await drawer.getByRole('textbox', { name: 'How you know' }).fill('The gateway’s own report does not list it.');
  await shot('payments-unknown', office.page);
  await propose.click();
  await expect(drawer.getByText('A second person has to confirm this.')).toBeVisible();
  await expect(drawer.getByRole('button', { name: /^Confirm/ })).toHaveCount(0);

  await other.page.getByRole('row', { name: reference }).click();
  const answer = other.page.getByRole('dialog', { name: `Payment ${reference}` });
  await expect(answer.getByText('The gateway’s own report does not list it.').first()).toBeVisible();
  await shot('payments-second-person', other.page);
  await answer.getByRole('button', { name: 'Confirm: The customer was not charged' }).click();
  await expect(answer.getByText('Confirmed by a second person: The customer was not charged')).toBeVisible();
  await shot('payments-settled', other.page);
  await expect(drawer.getByText('Declined', { exact: true })).toBeVisible();
  for (const { page } of [office, other]) await page.context().close();
});

test('v15 v20 v22 v23 v24 v25 v26 a keyed account is debited, and none of its digits reaches the page', async ({ page, desk, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(checkAdvanced);
  await desk.fill('45.25');
  const { routing, account } = accountUnlike(`${await watch.text()} 4525`);
  await desk.ask('routing');
  await expect(page.getByText('Please key the nine digits of the routing number')).toBeVisible();
  await desk.capture('routing', { keys: routing });
  await desk.listens('account');
  await expect(page.getByText('Now your account number, then the pound key.')).toBeVisible();
  await desk.capture('account', { keys: `${account}#` });
  await shot('check-advanced-obtained');
  await simulator.script({ approve_after: { delay_ms: 1_500 } });
  await desk.button('Process Payment').click();
  await expect(page.getByText('Debit 45.25 USD from the account of Jane Roe?')).toBeVisible();
  await page.getByRole('button', { name: /^Yes, / }).click();
  await expect(desk.outcome).toContainText('Sending payment');
  await expect(desk.outcome).toContainText('Accepted for debit 45.25 USD');
  await shot('check-advanced-accepted');
  expect(await watch.placesOf(routing, account)).toEqual([]);
  expect(watch.violations).toEqual([]);
});
