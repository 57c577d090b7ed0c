/** Each field behind More of a gateway, as a person sets it and sees it again. */
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';

export type MoreField = {
  group: 'Request' | 'Values' | 'Steps before the payment' | 'Signature' | 'Basic password' | 'Answer' | 'Verdict';
  label: string;
  set: (sheet: Locator, page: Page) => Promise<void>;
  shown: (sheet: Locator) => Promise<void>;
};
type Group = MoreField['group'];

const box = (sheet: Locator, label: string) => sheet.getByRole('textbox', { name: label, exact: true });
const rowsOf = (sheet: Locator, title: string) => sheet.getByRole('group', { name: title });

function text(group: Group, label: string, value: string): MoreField {
  return { group, label, set: (sheet) => box(sheet, label).fill(value), shown: (sheet) => expect(box(sheet, label)).toHaveValue(value) };
}

function choice(group: Group, label: string, value: string): MoreField {
  const button = (sheet: Locator) => sheet.getByRole('button', { name: new RegExp(`${label}$`) });
  return {
    group,
    label,
    set: async (sheet, page) => {
      await button(sheet).click();
      await page.getByRole('option', { name: value, exact: true }).click();
    },
    shown: (sheet) => expect(button(sheet)).toContainText(value),
  };
}

/** Rows of name and value in their order. */
function rows(group: Group, title: string, valueLabel: string, entries: readonly (readonly [string, string])[]): MoreField {
  const inputs = (sheet: Locator, label: string) => rowsOf(sheet, title).getByRole('textbox', { name: label, exact: true });
  return {
    group,
    label: title,
    set: async (sheet) => {
      for (const [place, [name, value]] of entries.entries()) {
        await sheet.getByRole('button', { name: `Add: ${title}` }).click();
        await inputs(sheet, 'Name').nth(place).fill(name);
        await inputs(sheet, valueLabel).nth(place).fill(value);
      }
    },
    shown: async (sheet) => {
      await expect(inputs(sheet, 'Name')).toHaveCount(entries.length);
      for (const [place, [name, value]] of entries.entries()) {
        await expect(inputs(sheet, 'Name').nth(place)).toHaveValue(name);
        await expect(inputs(sheet, valueLabel).nth(place)).toHaveValue(value);
      }
    },
  };
}

/** Values go in, and only that they are set comes back. */
function secrets(entries: readonly (readonly [string, string])[]): MoreField {
  return {
    group: 'Values',
    label: 'Secrets',
    set: async (sheet) => {
      for (const [place, [name, value]] of entries.entries()) {
        await sheet.getByRole('button', { name: 'Add: Secrets' }).click();
        await rowsOf(sheet, 'Secrets').getByRole('textbox', { name: 'Name', exact: true }).nth(place).fill(name);
        await rowsOf(sheet, 'Secrets').getByLabel('Secret value').nth(place).fill(value);
      }
    },
    shown: async (sheet) => {
      for (const [place, [name]] of entries.entries()) {
        await expect(rowsOf(sheet, 'Secrets').getByRole('textbox', { name: 'Name', exact: true }).nth(place)).toHaveValue(name);
        await expect(rowsOf(sheet, 'Secrets').getByRole('button', { name: `Replace ${name}`, exact: true })).toBeVisible();
      }
      await expect(rowsOf(sheet, 'Secrets').getByText(/^Set on /)).toHaveCount(entries.length);
    },
  };
}

/** A call that is made first, and what it gives. */
function step(name: string, url: string, parameter: readonly [string, string], output: readonly [string, string]): MoreField {
  const ours = (sheet: Locator) => sheet.getByRole('region', { name: new RegExp(`^Step 1`) });
  const inputs = (sheet: Locator) => [
    [box(ours(sheet), 'Name of the step'), name],
    [box(ours(sheet), 'URL of the step'), url],
    [box(rowsOf(ours(sheet), 'Parameters of the step'), 'Name'), parameter[0]],
    [box(rowsOf(ours(sheet), 'Parameters of the step'), 'Value'), parameter[1]],
    [box(rowsOf(ours(sheet), 'Taken from the answer'), 'Name'), output[0]],
    [box(rowsOf(ours(sheet), 'Taken from the answer'), 'Key in the answer'), output[1]],
  ] as const;
  return {
    group: 'Steps before the payment',
    label: 'Steps',
    set: async (sheet) => {
      await sheet.getByRole('button', { name: 'Add a step' }).click();
      for (const title of ['Parameters of the step', 'Taken from the answer']) await ours(sheet).getByRole('button', { name: `Add: ${title}` }).click();
      for (const [input, value] of inputs(sheet)) await input.fill(value);
    },
    shown: async (sheet) => {
      for (const [input, value] of inputs(sheet)) await expect(input).toHaveValue(value);
    },
  };
}

export const KEY = 'secret-canary-Yx92';
export const SEED = 'secret-canary-Qp37';

/** A body of its own, a secret, a signature, a computed password, conditions. */
export const SIGNED: readonly MoreField[] = [
  choice('Request', 'Method', 'PUT'),
  text('Request', 'Text of the body', '<txn>\n  <card>{card.number}</card>\n  <amount>{payment.amount}</amount>\n</txn>'),
  text('Request', 'Form field that holds the body', 'xmldata'),
  text('Request', 'Content-Type', 'application/x-www-form-urlencoded; charset=UTF-8'),
  rows('Values', 'Constants', 'Value', [['merchant', 'ACME-1']]),
  secrets([['shared_key', KEY], ['seed', SEED]]),
  rows('Values', 'Computed values', 'Value', [['key', '{secret.shared_key|sha256}'], ['hash', '{payment.reference|hmac256:let.key|hex}']]),
  step('login', '/token?shop={cfg.merchant}', ['key', '{secret.shared_key}'], ['token', 'access_token || token']),
  rows('Signature', 'Signature values', 'Value', [['digest', 'SHA-256={body.raw|sha256|b64}'], ['text', 'digest: {sign.digest}\nhost: {request.host}']]),
  text('Basic password', 'Computed password', '{let.hash}'),
  text('Answer', 'Further message keys', 'error.text\nmessage'),
  rows('Answer', 'What is kept', 'Key in the answer', [['transaction_id', 'id || transaction.id']]),
  choice('Verdict', 'Response Success Value is', 'A test'),
  text('Verdict', 'Needed as well for approved', 'messages.resultCode = Ok'),
  text('Verdict', 'Unknown', 'result = 104'),
  text('Verdict', 'Held for review', 'result = 4'),
  text('Verdict', 'Declined', 'result = 2|3\nhttp:status = 402'),
  text('Verdict', 'Not charged', 'errorCode exists'),
];

/** Names and values with lengths, both ways. */
export const NAME_VALUE: readonly MoreField[] = [
  choice('Request', 'Written as', 'Name, length and value: NAME[5]=value'),
  text('Request', 'Content-Type', 'text/namevalue'),
  choice('Answer', 'Read as', 'Name and value: NAME=value or NAME[5]=value'),
];
