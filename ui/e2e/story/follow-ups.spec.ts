/** Voids and refunds of what the sandbox gateway took: by a supervisor at the page, settled by another, and told in the list, the drawer and the file. */
import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from '@playwright/test';
import type { Body } from './api';
import { Configuration } from './configuration';
import type { Demo } from './demo';
import { expect, test } from './demo';
import type { Desk } from './desk';
import { TITLES, elsewhere } from './desk';
import { openDesktop, saveDesktop } from './editor';
import { Keys } from './keys';

test.use({ story: 'follow-ups' });

const { checkAdvanced } = TITLES;

/** An operation of the sandbox about the charge that its answer named. */
const operation = (url: string, request_params: { name: string; value: string }[]) => ({
  url,
  request_type: 'application/json',
  response_type: 'application/json',
  request_params: [{ name: 'authCode', value: '{sale.authCode}' }, ...request_params],
  success_key: 'result.status',
  success_value: 'APPROVED',
  agent_message_key: 'result.text',
  outputs: [{ name: 'refundCode', value: 'authCode' }],
});

const MORE = {
  outputs: [{ name: 'authCode', value: 'authCode' }],
  operations: {
    void: operation('/void', []),
    refund: operation('/refund', [{ name: 'amount', value: '{payment.amount}' }]),
  },
};

/** What stands behind More of the check's gateway from now on; without anything: it can void and refund. */
async function allow(browser: Browser, demo: Demo, more: Body = MORE): Promise<void> {
  const configuration = await Configuration.open(browser, demo);
  await configuration.widgets((widgets) => widgets.map((widget) => (widget.title === checkAdvanced ? { ...widget, gateway: { ...(widget.gateway as Body), more } } : widget)));
  await configuration.close();
}

/** A debit of an amount. Its reference. */
async function debit(desk: Desk, amount: string): Promise<string> {
  await desk.open(checkAdvanced);
  await desk.fill(amount);
  await desk.ask('routing');
  await desk.captureAccount();
  await desk.process();
  await expect(desk.outcome).toContainText('Accepted for debit');
  return desk.outcome.getByRole('code').innerText();
}

async function drawerOf(page: Page, reference: string): Promise<Locator> {
  await page.getByRole('row', { name: reference }).click();
  const drawer = page.getByRole('dialog', { name: `Payment ${reference}` });
  await expect(drawer.getByRole('region', { name: 'Void, refund, capture' })).toBeVisible();
  return drawer;
}

/** A refund as a person asks for it; does not wait for its end. */
async function refund(page: Page, drawer: Locator, amount: string, reason: string): Promise<void> {
  await drawer.getByRole('button', { name: 'Refund', exact: true }).click();
  await drawer.getByRole('textbox', { name: 'Amount' }).fill(amount);
  await drawer.getByRole('textbox', { name: 'Why' }).fill(reason);
  await drawer.getByRole('button', { name: `Refund ${amount} USD` }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: `Yes, Refund: ${amount} USD` }).click();
}

/** What was asked for with this reason, among the follow-ups of a payment. */
const done = (drawer: Locator, reason: string) => drawer.getByRole('region', { name: 'Void, refund, capture' }).getByRole('listitem').filter({ hasText: reason });

test('a supervisor refunds a payment in two parts, one of which nobody answers and a second person settles; nothing is voided after it', async ({ desk, demo, simulator, browser, shot }) => {
  test.slow();
  await allow(browser, demo);
  const reference = await debit(desk, '50.00');
  const office = await elsewhere(browser, demo);
  await office.signIn('supervisor', '/payments');
  const drawer = await drawerOf(office.page, reference);
  await expect(drawer.getByText('Gateway: authCode')).toBeVisible();
  await expect(drawer.getByRole('button', { name: 'Capture', exact: true })).toBeDisabled();

  await test.step('a part', async () => {
    await refund(office.page, drawer, '20.00', 'One of two came broken.');
    await expect(done(drawer, 'One of two came broken.')).toContainText(/Refund 20\.00 USD.*Approved.*supervisor/);
    await expect(drawer.getByText('Refunded 20.00 USD')).toBeVisible();
  });

  await test.step('more than is left', async () => {
    await drawer.getByRole('button', { name: 'Refund', exact: true }).click();
    const amount = drawer.getByRole('textbox', { name: 'Amount' });
    await expect(amount).toHaveValue('30.00');
    await amount.fill('30.01');
    await drawer.getByRole('textbox', { name: 'Why' }).fill('All of it.');
    await expect(amount).toHaveAttribute('aria-invalid', 'true');
    await expect(amount).toHaveAccessibleDescription(/The amount is at most 30\.00 USD/);
    await expect(drawer.getByRole('button', { name: 'Refund 30.01 USD' })).toBeDisabled();
    await shot('refund-too-much', office.page);
    await drawer.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('the gateway refuses, and says why', async () => {
    await simulator.script('decline');
    await refund(office.page, drawer, '10.00', 'A try.');
    await expect(done(drawer, 'A try.')).toContainText(/Declined/);
  });

  await test.step('nobody answers', async () => {
    await simulator.script('charge_then_reset');
    await refund(office.page, drawer, '30.00', 'The other one, too.');
    await expect(done(drawer, 'The other one, too.')).toContainText('Nobody knows how this ended.');
    await expect(done(drawer, 'The other one, too.')).toContainText('A second person says how it ended');
    for (const name of ['Refund', 'Void']) await expect(drawer.getByRole('button', { name, exact: true })).toBeDisabled();
    await expect(drawer.getByText(/nobody knows how the last one ended; settle that first/)).toBeVisible();
    await shot('refund-unknown', office.page);
  });

  const other = await elsewhere(browser, demo);
  await test.step('another person settles it', async () => {
    await other.signIn('supervisor2', '/payments');
    const theirs = await drawerOf(other.page, reference);
    await theirs.getByRole('radio', { name: 'Done', exact: true }).check({ force: true });
    await theirs.getByRole('textbox', { name: 'How you know' }).fill('The gateway’s own report lists it.');
    await theirs.getByRole('button', { name: 'Save outcome' }).click();
    await expect(theirs.getByText('Refunded 50.00 USD')).toBeVisible();
  });

  await test.step('nothing is left, and nothing can be voided', async () => {
    await expect(drawer.getByText('Refunded 50.00 USD')).toBeVisible();
    await expect(drawer.getByText('Refund: nothing is left of the amount.')).toBeVisible();
    await expect(drawer.getByText(/^Void.*: some of the payment was refunded\./)).toBeVisible();
    for (const name of ['Refund', 'Void']) await expect(drawer.getByRole('button', { name, exact: true })).toBeDisabled();
    await shot('refund-settled', office.page);
    await drawer.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('the list, the file and the gateway’s ledger', async () => {
    await expect(office.page.getByRole('row', { name: reference })).toContainText('Refunded 50.00 USD');
    const download = office.page.waitForEvent('download');
    await office.page.getByRole('button', { name: 'Export CSV' }).click();
    const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n');
    expect(lines[0]).toMatch(/"voided","refunded","captured","total","plan","stored"$/);
    expect(lines.find((line) => line.includes(`"${reference}"`))).toMatch(/"","50\.00","","","",""$/);
    const back = (await simulator.ledger()).filter(({ status }) => status === 'refunded');
    expect(back.map(({ amount, reference: of }) => [amount, of])).toEqual([['20.00', reference], ['30.00', reference]]);
  });
  for (const { page: theirs } of [office, other]) await theirs.context().close();
});

test('a supervisor voids a payment by keyboard alone, and can do nothing more with it', async ({ desk, demo, simulator, browser, shot }) => {
  await allow(browser, demo);
  const reference = await debit(desk, '17.00');
  const keys = await Keys.elsewhere(browser, demo);
  const { page } = keys;
  await keys.signIn('supervisor', demo.passwords.supervisor);
  await keys.enter(page.getByRole('link', { name: 'Payments' }));
  const rows = page.getByRole('row');
  await expect(page.getByRole('row', { name: reference })).toBeVisible();
  await keys.to(rows.nth(1));
  await keys.arrowTo(page.getByRole('row', { name: reference }));
  await keys.press('Enter');
  const drawer = page.getByRole('dialog', { name: `Payment ${reference}` });
  await keys.enter(drawer.getByRole('button', { name: 'Void', exact: true }));
  await keys.write(drawer.getByRole('textbox', { name: 'Why' }), 'The wrong customer.');
  await keys.enter(drawer.getByRole('button', { name: 'Void 17.00 USD' }));
  await keys.enter(page.getByRole('alertdialog').getByRole('button', { name: 'Yes, Void: 17.00 USD' }));
  await expect(done(drawer, 'The wrong customer.')).toContainText(/Void 17\.00 USD.*Approved/);
  await expect(drawer.getByText('Void, Refund, Capture: the payment was voided.')).toBeVisible();
  await shot('void-done', page);
  await keys.enter(drawer.getByRole('button', { name: 'Close' }));
  await expect(page.getByRole('row', { name: reference })).toContainText('Voided');
  expect((await simulator.ledger()).filter(({ status }) => status === 'voided').map(({ amount }) => amount)).toEqual(['17.00']);
  expect(keys.pointed).toEqual([]);
  await page.context().close();
});

/** Rows of name and value in a table of the form. */
async function fillRows(place: Locator, title: string, rows: readonly (readonly [string, string])[]): Promise<void> {
  const table = place.getByRole('group', { name: title });
  for (const [at, [name, value]] of rows.entries()) {
    await place.getByRole('button', { name: `Add: ${title}` }).click();
    await table.getByRole('textbox', { name: 'Name', exact: true }).nth(at).fill(name);
    await table.getByRole('textbox', { name: 'Value', exact: true }).nth(at).fill(value);
  }
}

test('an administrator writes a refund in the form, is told at its field what is wrong, tries it out, and a supervisor refunds with it', async ({ desk, demo, browser, shot }) => {
  test.slow();
  await allow(browser, demo, { outputs: MORE.outputs });
  const reference = await debit(desk, '18.00');
  const admin = await elsewhere(browser, demo);
  const { page } = admin;
  await admin.signIn('admin');
  await openDesktop(page);
  await page.getByRole('button', { name: `Edit ${checkAdvanced}` }).click();
  const sheet = page.getByRole('dialog', { name: /Check Advanced/ });
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  await sheet.getByRole('button', { name: 'After the payment', exact: true }).click();
  await sheet.getByRole('button', { name: 'Add: Refund' }).click();
  const form = sheet.getByRole('region', { name: 'Refund' });
  const choose = async (label: string, value: string) => {
    await form.getByRole('button', { name: new RegExp(`${label}$`) }).click();
    await page.getByRole('option', { name: value, exact: true }).click();
  };
  await form.getByRole('textbox', { name: 'URL of the request' }).fill('/refund');
  await choose('Request Type', 'application/json');
  await choose('Response Type', 'application/json');
  await fillRows(form, 'Parameters of the request', [['authCode', '{sale.authCode}'], ['amount', '{check.account_number}']]);
  for (const [label, value] of [['Success key', 'result.status'], ['Success value', 'APPROVED'], ['Message key', 'result.text']] as const) await form.getByRole('textbox', { name: `${label} of this answer` }).fill(value);

  const amount = form.getByRole('group', { name: 'Parameters of the request' }).getByRole('textbox', { name: 'Value', exact: true }).nth(1);
  await test.step('what was keyed is gone by then', async () => {
    await sheet.getByRole('button', { name: 'Preview request' }).click();
    const preview = page.getByRole('dialog', { name: 'Preview request' });
    await expect(preview.getByRole('alert')).toContainText('check.account_number');
    await preview.getByRole('button', { name: 'Close' }).click();
    await expect(amount).toHaveAttribute('aria-invalid', 'true');
    await expect(amount).toHaveAccessibleDescription(/check\.account_number/);
    await amount.scrollIntoViewIfNeeded();
    await shot('operation-wrong', page);
  });
  await amount.fill('{payment.amount}');

  await test.step('the request, and an answer to it', async () => {
    await sheet.getByRole('button', { name: 'Preview request' }).click();
    const preview = page.getByRole('dialog', { name: 'Preview request' });
    await preview.getByRole('button', { name: /What is asked/ }).click();
    await page.getByRole('option', { name: 'Refund' }).click();
    await expect(preview.getByText(/^POST https:\/\/localhost:\d+\/refund/)).toContainText('{"authCode":"1000","amount":"1.00"}');
    await preview.getByRole('textbox', { name: 'Body of the answer' }).fill('{"result":{"status":"DECLINED","text":"Too late"}}');
    await preview.getByRole('button', { name: 'Judge' }).click();
    await expect(preview.getByText('The agent would read: “Too late”')).toBeVisible();
    await shot('operation-preview', page);
    await preview.getByRole('button', { name: 'Close' }).click();
  });
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(sheet).toHaveCount(0);
  await saveDesktop(page);

  const office = await elsewhere(browser, demo);
  await office.signIn('supervisor', '/payments');
  const drawer = await drawerOf(office.page, reference);
  await expect(drawer.getByRole('button', { name: 'Void', exact: true })).toBeDisabled();
  await refund(office.page, drawer, '18.00', 'As the form says.');
  await expect(done(drawer, 'As the form says.')).toContainText(/Refund 18\.00 USD.*Approved/);
  for (const one of [admin, office]) await one.page.context().close();
});
