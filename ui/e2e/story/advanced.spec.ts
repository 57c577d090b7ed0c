/** Advanced: the card goes to the gateway and never to the page. */
import { cardUnlike } from './cards';
import { expect, keepForReadme, test } from './demo';
import { TITLES } from './desk';
import { slowStream } from './slow-stream';
import { Watch } from './watch';

test.use({ story: 'advanced' });

const { cardAdvanced } = TITLES;

test('p1 a2 a4 v1 v11 v12 v14 a keyed card is obtained, processed and approved, and none of its digits reaches the page', async ({ page, desk, simulator, shot }, info) => {
  const watch = await Watch.over(page);
  const stream = await slowStream(page);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await shot('login');
  await desk.signIn('agent');
  await expect(desk.button('Credit card')).toBeDisabled();
  await expect(desk.button('Credit card')).toHaveAccessibleDescription('No call.');
  await shot('agent-no-call');
  await desk.takeCall();
  await expect(desk.button('Credit card')).toBeEnabled();
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
  await shot('advanced-keying');
  await simulator.keys(card.number.slice(6));
  await desk.obtained('number');
  await desk.listens('expiry');
  await simulator.keys(card.expiry);
  await desk.obtained('expiry');
  await desk.listens('code');
  await simulator.keys(card.code);
  await desk.obtained('code');
  for (const part of ['number', 'expiry', 'code'] as const) await expect(desk.row(part)).toContainText('Obtained');
  await expect(desk.button('Process Payment')).toBeEnabled();
  await shot('advanced-obtained');
  await keepForReadme(info.project.outputDir, 'advanced-obtained', 'agent-desktop.png');

  await desk.button('Process Payment').click();
  await expect(page.getByText('Charge 120.50 USD to the card of Jane Roe?')).toBeVisible();
  await shot('advanced-confirm');
  await page.getByRole('button', { name: 'Yes, charge 120.50 USD' }).click();
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

  // The same eyes see a run where there is one.
  await page.evaluate((run) => document.body.setAttribute('data-planted', run), card.number.slice(5, 9));
  expect(await watch.placesOf(card.number)).toContain('document');
});
