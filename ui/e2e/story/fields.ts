/** Each field of the four Add screens of the reference, and each option under More, as a person sets it and sees it again. */
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';

export const TABS = ['Message Config', 'Payment Gateway Config', 'Advanced Config'] as const;
export type Tab = (typeof TABS)[number];

export type Field = {
  /** Rows of the acceptance table that it is. */
  rows: string;
  tab: Tab;
  label: string;
  set: (sheet: Locator, page: Page) => Promise<void>;
  shown: (sheet: Locator) => Promise<void>;
};

const box = (sheet: Locator, label: string) => sheet.getByRole('textbox', { name: label, exact: true });

function text(rows: string, tab: Tab, label: string, value: string): Field {
  return {
    rows,
    tab,
    label,
    set: (sheet) => box(sheet, label).fill(value),
    shown: (sheet) => expect(box(sheet, label)).toHaveValue(value),
  };
}

function tick(rows: string, label: string, on = true): Field {
  return {
    rows,
    tab: 'Message Config',
    label,
    set: (sheet) => sheet.getByRole('checkbox', { name: label, exact: true }).setChecked(on, { force: true }),
    shown: (sheet) => expect(sheet.getByRole('checkbox', { name: label, exact: true })).toBeChecked({ checked: on }),
  };
}

function choice(rows: string, tab: Tab, label: string, value: string): Field {
  const button = (sheet: Locator) => sheet.getByRole('button', { name: new RegExp(label) });
  return {
    rows,
    tab,
    label,
    set: async (sheet, page) => {
      await button(sheet).click();
      await page.getByRole('option', { name: value, exact: true }).click();
    },
    shown: (sheet) => expect(button(sheet)).toContainText(value),
  };
}

/** Two rows are added, the first is deleted. */
function mapping(rows: string, tab: Tab, title: string, nameLabel: string, name: string, value: string): Field {
  const names = (sheet: Locator) => sheet.getByRole('group', { name: title }).getByRole('textbox', { name: nameLabel });
  const values = (sheet: Locator) => sheet.getByRole('group', { name: title }).getByRole('textbox', { name: 'Value' });
  return {
    rows,
    tab,
    label: title,
    set: async (sheet) => {
      const add = sheet.getByRole('button', { name: `Add: ${title}` });
      await add.click();
      await add.click();
      await names(sheet).first().fill('goes');
      await names(sheet).last().fill(name);
      await values(sheet).last().fill(value);
      await sheet.getByRole('group', { name: title }).getByRole('checkbox', { name: 'Select row 1' }).check({ force: true });
      await sheet.getByRole('button', { name: `Delete: ${title}` }).click();
    },
    shown: async (sheet) => {
      await expect(names(sheet)).toHaveCount(1);
      await expect(names(sheet)).toHaveValue(name);
      await expect(values(sheet)).toHaveValue(value);
    },
  };
}

/** Written, and never shown again: that one is set is. */
function password(rows: string, value: string): Field {
  const input = (sheet: Locator) => sheet.getByLabel('Auth Password', { exact: true });
  return {
    rows,
    tab: 'Advanced Config',
    label: 'Auth Password',
    set: (sheet) => input(sheet).fill(value),
    shown: async (sheet) => {
      await expect(input(sheet)).toHaveValue('');
      await expect(input(sheet)).toHaveAccessibleDescription(/Set/);
    },
  };
}

const message = (rows: string, label: string, value: string) => text(rows, 'Message Config', label, value);
const gateway = (rows: string, label: string, value: string) => text(rows, 'Payment Gateway Config', label, value);
const advanced = (rows: string, label: string, value: string) => text(rows, 'Advanced Config', label, value);
const prompt = (rows: string, label: string) => message(rows, label, `Kindly key it now: ${label}.\nThen wait.`);

/** What the two Basic and the two Advanced screens have in common. */
const ON_EVERY_KIND: readonly Field[] = [
  tick('o7', '* clears the field', false),
  tick('o7', '# ends the field', false),
  message('o8', 'First key time-out (s)', '90'),
  message('o8', 'Time-out between keys (s)', '17'),
  message('o9', 'Attempts per field', '7'),
  message('o9', 'Process presses per capture', '2'),
  message('o10', 'Session limit (min)', '22'),
  tick('o11', 'Mute the customer while keying'),
  tick('o12', '30 s to process after hang-up'),
];
const OF_EVERY_CARD: readonly Field[] = [choice('o1', 'Message Config', 'Security code', 'Optional'), choice('o6', 'Message Config', 'Expiry format', 'MMYYYY')];
const OF_EVERY_PAYMENT: readonly Field[] = [
  tick('o5', 'Show brand and last four after Obtained'),
  tick('o13', 'Company: shown', false),
  message('o14', 'Currencies', 'EUR, CHF'),
  message('o14', 'Smallest amount', '5.00'),
  message('o14', 'Largest amount', '500'),
  choice('o14', 'Message Config', 'The amount', 'comes from the CRM only'),
  tick('o14', 'Reference is required'),
  tick('o14', 'Description is required'),
  tick('o14', 'Payment plan'),
];

/** The gateway of an Advanced widget, by the row of each field. */
type GatewayRows = Record<'url' | 'key' | 'value' | 'message' | 'params' | 'method' | 'user' | 'password' | 'connecting' | 'reading' | 'request' | 'response' | 'headers', string>;
const gatewayFields = (param: { name: string; value: string }, rows: GatewayRows): readonly Field[] => [
  gateway(rows.url, 'Service URL', 'https://other.example/pay?merchant=7'),
  gateway(rows.key, 'Response Success Key', 'result.code'),
  gateway(rows.value, 'Response Success Value', 'APPROVED'),
  gateway(rows.message, 'Response Agent Message Key', 'result.text'),
  mapping(rows.params, 'Payment Gateway Config', 'Request Param Mapping', 'Name', param.name, param.value),
  choice(rows.method, 'Advanced Config', 'Auth Method', 'Basic'),
  advanced(rows.user, 'Auth User Name', 'merchant'),
  password(rows.password, 'correct horse'),
  advanced(rows.connecting, 'Connection Timeout', '2500'),
  advanced(rows.reading, 'Read Timeout', '9000'),
  choice(rows.request, 'Advanced Config', 'Request Type', 'application/x-www-form-urlencoded'),
  choice(rows.response, 'Advanced Config', 'Response Type', 'text/plain'),
  mapping(rows.headers, 'Advanced Config', 'Request Header Mapping', 'Header', 'X-Merchant', 'ACME'),
];

/** Rows of a screen as a whole: what it is for, that OK leaves it with a row, its three tabs, that it has no card types. */
type ScreenRows = { purpose: string; ok: string; tabs?: string; noCards?: string };

export const SCREENS: readonly { kind: string; rows: ScreenRows; fields: readonly Field[] }[] = [
  {
    kind: 'Credit Card Basic',
    rows: { purpose: 'w1 w7', ok: 'w12' },
    fields: [
      message('w2', 'Window Title', 'Card to the other system'),
      tick('w3', 'Enabled'),
      prompt('w4', 'Credit Card Text'),
      prompt('w5', 'Expiry Text'),
      prompt('w6', 'Security Text'),
      tick('w8', 'Visa'),
      tick('w9', 'Master Card'),
      tick('w10', 'American Express'),
      tick('w11', 'Discover'),
      ...OF_EVERY_CARD,
      tick('o2', 'Agent may hold to show the security code'),
      message('o3', 'Hide values after (s)', '25'),
      choice('o4', 'Message Config', 'Card number shown', 'Last four'),
      ...ON_EVERY_KIND,
    ],
  },
  {
    kind: 'Check Basic',
    rows: { purpose: 'w13', ok: 'w18' },
    fields: [
      message('w14', 'Window Title', 'Account to the other system'),
      tick('w15', 'Enabled'),
      prompt('w16', 'Check Routing Text'),
      prompt('w17', 'Check Account Text'),
      message('o3', 'Hide values after (s)', '35'),
      tick('o15', 'Account number is keyed twice'),
    ],
  },
  {
    kind: 'Credit Card Advanced',
    rows: { purpose: 'w19 w39', ok: 'w52', tabs: 'w23' },
    fields: [
      message('w21', 'Window Title', 'Pay by card'),
      tick('w22', 'Enabled'),
      prompt('w24', 'Credit Card Text'),
      prompt('w25', 'Expiry Text'),
      prompt('w26', 'Security Text'),
      tick('w27', 'Visa'),
      tick('w28', 'Master Card'),
      tick('w29', 'American Express'),
      tick('w30', 'Discover'),
      ...OF_EVERY_CARD,
      ...OF_EVERY_PAYMENT,
      ...gatewayFields(
        { name: 'pan', value: '{card.number}' },
        {
          url: 'w31',
          key: 'w32',
          value: 'w33',
          message: 'w34',
          params: 'w36 w37 w38',
          method: 'w41',
          user: 'w42',
          password: 'w43',
          connecting: 'w44',
          reading: 'w45',
          request: 'w46',
          response: 'w47',
          headers: 'w48 w49 w50',
        },
      ),
    ],
  },
  {
    kind: 'Check Advanced',
    rows: { purpose: 'w53', ok: 'w76', tabs: 'w57', noCards: 'w60' },
    fields: [
      message('w55', 'Window Title', 'Pay by account'),
      tick('w56', 'Enabled'),
      prompt('w58', 'Check Routing Text'),
      prompt('w59', 'Check Account Text'),
      tick('o5', 'Show brand and last four after Obtained'),
      tick('o15', 'Account number is keyed twice'),
      choice('s20', 'Message Config', 'SEC code', 'Always PPD'),
      ...gatewayFields(
        { name: 'acct', value: '{check.account_number}' },
        {
          url: 'w61',
          key: 'w62',
          value: 'w63',
          message: 'w64',
          params: 'w65 w66',
          method: 'w67',
          user: 'w68',
          password: 'w69',
          connecting: 'w70',
          reading: 'w71',
          request: 'w72',
          response: 'w73',
          headers: 'w74 w75',
        },
      ),
    ],
  },
];
