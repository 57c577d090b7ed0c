/** What each option under More does at the agent's desk and on the line. */
import { accountUnlike, cardUnlike } from './cards';
import { Configuration } from './configuration';
import { test as base, expect } from './demo';
import { TITLES, elsewhere } from './desk';

const test = base.extend<{ configuration: Configuration }>({
  configuration: async ({ browser, demo }, use) => {
    const configuration = await Configuration.open(browser, demo);
    await use(configuration);
    await configuration.close();
  },
});
test.use({ story: 'options' });

const { cardAdvanced, cardBasic, checkBasic } = TITLES;
const NOW = ['now'];
/** The simulated customer talks and pauses; within this time there is some of both. */
const HEARD_MS = 4_000;

test('o1 o3 o4 o6 Basic: the last four for ten seconds, a date of six digits, a code that the card lacks', async ({ desk, configuration }) => {
  await configuration.options(cardBasic, { security_code: 'optional', hide_after_s: 10, card_number_shown: 'last_four', expiry_format: 'mmyyyy' });
  await desk.open(cardBasic);
  const card = cardUnlike('');
  await desk.capture('number', { keys: card.number });
  const value = desk.row('number').getByRole('status');
  await expect(value).toContainText(card.number.slice(-4));
  await expect(value).not.toContainText(card.number.slice(0, 4));
  await expect(desk.row('number')).toContainText('hidden again after 10 s');
  await expect(value).toHaveCount(0, { timeout: 15_000 });
  await desk.listens('expiry');
  await expect(desk.dots('expiry')).toHaveCount(6);
  await desk.capture('expiry', { keys: `${card.expiry.slice(0, 2)}20${card.expiry.slice(2)}` });
  await desk.row('code').getByRole('button', { name: 'Not available' }).click();
  await expect(desk.row('code')).toHaveAttribute('data-state', 'not_available');
  await expect(desk.button('Done - clear and resume')).toBeEnabled();
  await desk.discard();
});

test('o2 s11 Basic: the security code shows while the button is held, and only then', async ({ page, desk, configuration }) => {
  await configuration.options(cardBasic, { reveal_security_code: true });
  await desk.open(cardBasic);
  const card = cardUnlike('');
  for (const part of ['number', 'expiry', 'code'] as const) await desk.capture(part, { keys: card[part] });
  const value = desk.row('code').getByRole('status');
  await expect(value).toHaveCount(0);
  await desk.row('code').getByRole('button', { name: 'Hold to show' }).hover();
  await page.mouse.down();
  await expect(value).toHaveText(card.code);
  await page.mouse.up();
  await expect(value).toHaveCount(0);
  await desk.discard();
});

test('o5 o6 o1 o13 o14 Advanced: brand and last four, no code, other Demographic fields, limits, currencies, a fee and a plan', async ({ page, desk, configuration, simulator }) => {
  const demographic = [{ name: 'lastName', required: true }, { name: 'email' }];
  const payment = { currencies: ['EUR', 'CHF'], amount_min: '5.00', amount_max: '500.00', reference_required: true, fee: { label: 'Handling', percent_hundredths: 250, fixed: '1.00' }, arrangements: ['now', 'plan'] };
  await configuration.options(cardAdvanced, { show_brand_and_last_four: true, security_code: 'not_captured', expiry_format: 'mmyyyy', demographic, payment });
  await desk.open(cardAdvanced);
  const panel = page.getByRole('tabpanel');
  await desk.tab('Demographic').click();
  await expect(panel.getByRole('textbox')).toHaveCount(2);
  await panel.getByRole('textbox', { name: 'Last name' }).fill('Roe');
  await expect(panel.getByRole('textbox', { name: 'Email' })).toBeVisible();
  await desk.tab('Payment').click();
  await expect(desk.row('code')).toHaveCount(0);
  const amount = panel.getByRole('textbox', { name: 'Amount' });
  await amount.fill('4.99');
  await desk.button('Next').click();
  await expect(panel).toContainText('The amount is at least 5.00 EUR.');
  await amount.fill('500.01');
  await expect(panel).toContainText('The amount is at most 500.00 EUR.');
  await amount.fill('100');
  await expect(panel).toContainText('Handling: 3.50 EUR. Total: 103.50 EUR');
  await panel.getByRole('radio', { name: 'Payment plan' }).check({ force: true });
  await expect(panel.getByText('A number of payments').first()).toBeVisible();
  await panel.getByRole('radio', { name: 'Pay now' }).check({ force: true });
  await panel.getByRole('textbox', { name: 'Reference' }).fill('INV-2291');
  const card = cardUnlike('INV-2291 100');
  await desk.ask('number');
  await desk.capture('number', { keys: card.number });
  await expect(desk.row('number')).toContainText(`ends in ${card.number.slice(-4)}`);
  await expect(desk.row('number')).toContainText('Master Card');
  await desk.capture('expiry', { keys: `${card.expiry.slice(0, 2)}20${card.expiry.slice(2)}` });
  await desk.process();
  await expect(desk.outcome).toContainText('Approved 103.50 EUR');
  expect((await simulator.ledger()).map(({ amount }) => amount)).toContain('103.50');
});

test('o7 o8 neither key does more than be counted out, and a field without a key says so after its time', async ({ desk, configuration, simulator }) => {
  await configuration.options(cardAdvanced, { star_clears: false, pound_ends: false, first_key_timeout_s: 10, inter_key_timeout_s: 30 });
  await desk.open(cardAdvanced);
  await desk.tab('Payment').click();
  await desk.ask('number');
  await simulator.keys('41*');
  await simulator.keyed();
  await expect(desk.row('number')).toContainText('2 digits keyed');
  await simulator.keys('#');
  await simulator.keyed();
  await expect(desk.row('number')).toContainText('2 digits keyed');
  await desk.row('number').getByRole('button', { name: 'Clear: Card number' }).click();
  await desk.listens('number');
  await expect(desk.row('number')).toContainText('No keys received.', { timeout: 20_000 });
});

test('o9 s14 the last attempt locks the field; a supervisor resets it among the live captures', async ({ desk, configuration, simulator, browser, demo }) => {
  await configuration.options(cardAdvanced, { attempts_max: 1 });
  await desk.open(cardAdvanced);
  await desk.tab('Payment').click();
  await desk.ask('number');
  await simulator.keyCard('wrong', 'number');
  await expect(desk.row('number')).toHaveAttribute('data-state', 'locked', { timeout: 15_000 });
  await expect(desk.row('number')).toContainText('attempts failed');
  const office = await elsewhere(browser, demo);
  await office.signIn('supervisor', '/live');
  await office.page.getByRole('button', { name: /^Reset attempts: / }).first().click();
  await expect(desk.row('number')).not.toHaveAttribute('data-state', 'locked');
  await office.page.context().close();
});

test('o10 a capture says when it ends, after as many minutes as the widget allows', async ({ page, desk, configuration }) => {
  await configuration.options(cardAdvanced, { session_limit_min: 2 });
  await desk.open(cardAdvanced);
  await expect(page.getByText(/^Ends in (02:00|01:\d\d|2:00|1:\d\d)$/)).toBeVisible();
});

test('p9 o11 the agent hears the customer while a capture is open, and nothing of them while a field listens', async ({ page, desk, configuration, simulator }) => {
  await configuration.options(cardAdvanced, { mute_while_keying: true });
  await desk.open(cardAdvanced);
  const loudIn = async (what: () => Promise<unknown>) => {
    const before = await simulator.heard();
    await what();
    const after = await simulator.heard();
    expect(after.audio_ms).toBeGreaterThan(before.audio_ms + HEARD_MS / 2);
    return after.loud_ms - before.loud_ms;
  };
  expect(await loudIn(() => page.waitForTimeout(HEARD_MS))).toBeGreaterThan(HEARD_MS / 20);
  await desk.tab('Payment').click();
  await simulator.mode('inband');
  await desk.ask('number');
  await page.waitForTimeout(500);
  expect(await loudIn(() => desk.keys('545454545454'))).toBe(0);
});

test('s13 a customer who speaks the number is heard by nobody until the button is pressed again', async ({ page, desk, configuration }) => {
  await configuration.options(cardAdvanced, {});
  await desk.open(cardAdvanced);
  const speaking = desk.button('Customer is speaking the number');
  await speaking.click();
  await expect(speaking).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByText('Nobody hears the customer, and nothing is recorded of it.').first()).toBeVisible();
  await speaking.click();
  await expect(speaking).toHaveAttribute('aria-pressed', 'false');
});

test('o12 everything obtained and the customer gone: 30 s to process, and the payment is approved', async ({ page, desk, configuration, simulator }) => {
  await configuration.options(cardAdvanced, { process_after_hang_up: true, payment: { arrangements: NOW } });
  await desk.open(cardAdvanced);
  await desk.fill('17.00');
  await desk.ask('number');
  await desk.captureCard();
  await simulator.hangUp();
  await expect(page.getByText('The call ended. The payment can be processed for 30 seconds').first()).toBeVisible();
  await desk.process();
  await expect(desk.outcome).toContainText('Approved 17.00 USD');
});

test('o15 an account number is keyed twice, and two that differ are none', async ({ desk, configuration }) => {
  await configuration.options(checkBasic, { account_number_twice: true });
  await desk.open(checkBasic);
  const { routing, account } = accountUnlike('');
  const other = accountUnlike(account).account;
  await desk.capture('routing', { keys: routing });
  const key = async (keys: string) => {
    await desk.page.waitForTimeout(700);
    await desk.listens('account');
    await desk.keys(`${keys}#`);
  };
  await key(account);
  await expect(desk.row('account')).toContainText('Kept. Ask for the number once more.');
  await key(other);
  await expect(desk.row('account')).toContainText('The two entries differ.');
  await desk.again('account');
  await key(account);
  await expect(desk.row('account')).toContainText('Kept. Ask for the number once more.');
  await key(account);
  await desk.obtained('account');
});

test('s9 an American Express ends at 15 and its code at 4; a Visa when no key follows, or at once by the pound key', async ({ desk, configuration, simulator }) => {
  await configuration.options(cardAdvanced, {});
  await desk.open(cardAdvanced);
  await desk.tab('Payment').click();
  await desk.ask('number');
  await desk.capture('number', 'amex');
  await desk.capture('expiry', 'amex');
  await expect(desk.dots('code')).toHaveCount(4);
  await desk.capture('code', 'amex');
  for (const end of ['', '#']) {
    await desk.again('number');
    await simulator.keys(`4111111111111111${end}`);
    await desk.obtained('number');
  }
});

test('s19 w35 with response variables off the gateway\'s message is not shown; the verdict is the same', async ({ desk, configuration }) => {
  const settings = await configuration.get<{ revision: number; spc_enabled: boolean }>('/settings');
  const { spc_enabled } = settings;
  await configuration.options(cardAdvanced, {});
  const off = await configuration.put('/settings', { spc_enabled, response_variables: { allow: 'none' }, revision: settings.revision });
  await desk.open(cardAdvanced);
  await desk.fill('18.00');
  await desk.ask('number');
  await desk.captureCard();
  await desk.process();
  await expect(desk.outcome).toContainText('Approved 18.00 USD');
  await expect(desk.outcome).not.toContainText('Approved card');
  await configuration.put('/settings', { spc_enabled, response_variables: { allow: 'all' }, revision: off.revision as number });
});
