/** More of the tab Payment Gateway Config at a real server: every field again after Save and a reload, errors at their fields, tokens by the keyboard. */
import type { Locator, Page } from '@playwright/test';
import { send } from './api';
import { expect, test } from './demo';
import { Watch } from './watch';
import type { MoreField } from './more-fields';
import { KEY, NAME_VALUE, SEED, SIGNED } from './more-fields';

test.use({ story: 'gateway-more' });

const TITLE = 'Signed payment';

/** An editor with no widget. */
async function newDesktop(page: Page, name: string): Promise<void> {
  const [made] = await send(page, [{ method: 'POST', path: '/desktops', body: { name, service: 'standard', layout: 'extended_panel', widgets: [], revision: 0 } }]);
  await page.goto(`/configure/agents/agent-desktop/${(made!.desktop as { id: string }).id}`);
}

/** The Add screen with what it needs to be saved, on the tab of the gateway. */
async function addPayment(page: Page): Promise<Locator> {
  await page.getByRole('listbox', { name: 'Available Widgets' }).getByRole('option', { name: 'Credit Card Advanced' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill(TITLE);
  await sheet.getByRole('checkbox', { name: 'Visa', exact: true }).check({ force: true });
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  for (const [label, value] of [['Service URL', 'https://gateway.example/charge'], ['Response Success Key', 'result'], ['Response Success Value', '1']] as const) {
    await sheet.getByRole('textbox', { name: label, exact: true }).fill(value);
  }
  return sheet;
}

async function opened(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: `Edit ${TITLE}` }).click();
  const sheet = page.getByRole('dialog', { name: /Credit Card Advanced/ });
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  return sheet;
}

const fold = (sheet: Locator, name: string) => sheet.getByRole('button', { name, exact: true });

async function unfold(sheet: Locator, ...names: string[]): Promise<void> {
  for (const name of ['More', ...names]) {
    await expect(fold(sheet, name)).toBeVisible();
    if ((await fold(sheet, name).getAttribute('aria-expanded')) !== 'true') await fold(sheet, name).click();
  }
}

async function setAll(sheet: Locator, page: Page, fields: readonly MoreField[]): Promise<void> {
  for (const field of fields) {
    await unfold(sheet, field.group);
    await field.set(sheet, page);
  }
}

async function save(page: Page): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
}

/** Of the tab Advanced Config. */
async function choose(sheet: Locator, page: Page, label: string, value: string): Promise<void> {
  await sheet.getByRole('tab', { name: 'Advanced Config' }).click();
  await sheet.getByRole('button', { name: new RegExp(label) }).click();
  await page.getByRole('option', { name: value, exact: true }).click();
}

test('every field behind More is there again after OK, Save and a reload; a secret goes in and comes back in no answer', async ({ page, desk }) => {
  const watch = await Watch.over(page);
  await desk.signIn('admin');
  await newDesktop(page, 'Every field of More');
  const sheet = await addPayment(page);
  await sheet.getByRole('textbox', { name: 'Response Agent Message Key' }).fill('reply.text');
  await setAll(sheet, page, SIGNED);
  await choose(sheet, page, 'Auth Method', 'Basic');
  await sheet.getByRole('textbox', { name: 'Auth User Name' }).fill('merchant');
  await choose(sheet, page, 'Request Type', 'application/x-www-form-urlencoded');
  await save(page);
  await page.reload();

  const again = await opened(page);
  await expect(fold(again, 'More')).toHaveAccessibleDescription('Set: Request, Values, Steps before the payment, Signature, Basic password, Answer, Verdict');
  for (const field of SIGNED) {
    await test.step(field.label, async () => {
      await unfold(again, field.group);
      await field.shown(again);
    });
  }
  await test.step('what is saved comes back in no answer', async () => {
    await watch.look();
    const answers = watch.seen.filter(({ place }) => /^[A-Z]+ \/api\//.test(place));
    expect(answers.some(({ place }) => place.startsWith('PUT /api/v1/desktops/'))).toBe(true);
    for (const { place, text } of answers) for (const secret of [KEY, SEED]) expect(text, place).not.toContain(secret);
  });
});

test('names and values with lengths are set for the request and the answer', async ({ page, desk }) => {
  await desk.signIn('admin');
  await newDesktop(page, 'Name-value');
  const sheet = await addPayment(page);
  await setAll(sheet, page, NAME_VALUE);
  await save(page);
  await page.reload();
  const again = await opened(page);
  for (const field of NAME_VALUE) {
    await unfold(again, field.group);
    await field.shown(again);
  }
});

test('what the server refuses is shown at its field, which opens by itself', async ({ page, desk }) => {
  await desk.signIn('admin');
  await newDesktop(page, 'Wrong');
  const sheet = await addPayment(page);
  await unfold(sheet, 'Values');
  await sheet.getByRole('button', { name: 'Add: Computed values' }).click();
  await sheet.getByRole('textbox', { name: 'Name', exact: true }).last().fill('hash');
  await sheet.getByRole('textbox', { name: 'Value', exact: true }).last().fill('x{secret.kex|sha256|hex}');
  for (const name of ['Values', 'More']) await fold(sheet, name).click();
  await sheet.getByRole('button', { name: 'Preview request' }).click();
  const preview = page.getByRole('dialog', { name: 'Preview request' });
  await expect(preview.getByText(/Character 2: /)).toBeVisible();
  await preview.getByRole('button', { name: 'Close' }).click();
  const value = sheet.getByRole('group', { name: 'Computed values' }).getByRole('textbox', { name: 'Value', exact: true });
  await expect(value).toBeVisible();
  await expect(value).toHaveAttribute('aria-invalid', 'true');
  await expect(value).toHaveAccessibleDescription(/Character 2: .*secret\.kex/);
});

test('a token is put in by the keyboard alone, and the caret stands behind it', async ({ page, desk }) => {
  await desk.signIn('admin');
  await newDesktop(page, 'Keyboard');
  const sheet = await addPayment(page);
  await unfold(sheet, 'Request');
  const body = sheet.getByRole('textbox', { name: 'Text of the body' });
  await body.focus();
  await page.keyboard.type('<a></a>');
  for (let back = 0; back < '</a>'.length; back += 1) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Tab');
  await expect(sheet.getByRole('button', { name: 'Insert a token: Text of the body' })).toBeFocused();
  await page.keyboard.press('Enter');
  const list = page.getByRole('dialog', { name: 'Insert a token: Text of the body' });
  await expect(list.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('payment.amount');
  await expect(list.getByRole('option').first()).toContainText('{payment.amount}');
  await page.keyboard.press('Enter');
  await expect(body).toHaveValue('<a>{payment.amount}</a>');
  await expect(body).toBeFocused();

  await test.step('then a filter of the same token', async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.type('currency’s smallest');
    await expect(list.getByRole('option')).toHaveCount(1);
    await page.keyboard.press('Enter');
    await expect(body).toBeFocused();
    await page.keyboard.type('!');
    await expect(body).toHaveValue('<a>{payment.amount|minor}!</a>');
  });
});

test('a preset fills the form, says what is still missing, and is stored once that is entered', async ({ page, desk }) => {
  const watch = await Watch.over(page);
  await desk.signIn('admin');
  await newDesktop(page, 'From a preset');
  const sheet = await addPayment(page);
  await sheet.getByRole('button', { name: 'Start from a preset' }).click();
  const list = page.getByRole('dialog', { name: 'Start from a preset' });
  await list.getByRole('textbox', { name: 'Search by gateway' }).fill('adyen');
  await expect(list.getByRole('radio')).toHaveCount(1);
  await list.getByRole('radio', { name: 'Adyen Checkout' }).check({ force: true });
  await expect(list.getByRole('row', { name: /Response Success Key/ })).toContainText('resultCode');
  await list.getByRole('button', { name: 'Take over' }).click();
  await expect(sheet.getByText('Adyen Checkout is in the form. 2 values are still missing; they are marked.')).toBeVisible();

  await test.step('undo brings back what was there', async () => {
    await sheet.getByRole('button', { name: 'Undo' }).click();
    await expect(sheet.getByRole('textbox', { name: 'Response Success Key', exact: true })).toHaveValue('result');
    await sheet.getByRole('button', { name: 'Start from a preset' }).click();
    await list.getByRole('radio', { name: 'Adyen Checkout' }).check({ force: true });
    await list.getByRole('button', { name: 'Take over' }).click();
  });

  const constant = sheet.getByRole('group', { name: 'Constants' }).getByRole('textbox', { name: 'Value', exact: true });
  await expect(constant).toHaveAccessibleDescription(/Enter your own value\./);
  await constant.fill('ExampleMOTO');
  await sheet.getByLabel('Secret value').fill(KEY);
  await expect(sheet.getByText('Adyen Checkout is in the form. No value is missing.')).toBeVisible();
  await save(page);
  await page.reload();
  const again = await opened(page);
  await expect(again.getByRole('textbox', { name: 'Service URL', exact: true })).toHaveValue('https://checkout-test.adyen.com/v72/payments');
  await expect(fold(again, 'More')).toHaveAccessibleDescription(/Values.*Verdict/);
  await watch.look();
  const answers = watch.seen.filter(({ place }) => /^[A-Z]+ \/api\//.test(place));
  for (const { place, text } of answers) expect(text, place).not.toContain(KEY);
});
