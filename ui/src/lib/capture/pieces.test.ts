import { describe, expect, test } from 'vitest';
import en from '../i18n/en.json';
import type { Translate } from '../i18n';
import { createIntl } from 'react-intl';
import { announcementOf } from './announce';
import { AttemptKeys } from './attempt-keys';
import { atField, capture, payment } from './fixtures';
import { grouped, groupsOf } from './grouping';
import { nameOf } from './shortcuts';

const intl = createIntl({ locale: 'en', messages: en });
const t: Translate = (id, values) => intl.formatMessage({ id }, values);

describe('grouping', () => {
  test('cards are 4-4-4-4 and American Express 4-6-5', () => {
    expect(groupsOf('card_number', 16)).toEqual([4, 4, 4, 4]);
    expect(groupsOf('card_number', 15)).toEqual([4, 6, 5]);
    expect(groupsOf('card_number', 19)).toEqual([4, 4, 4, 4, 3]);
    expect(grouped('card_number', 'abcdefghijklmno')).toBe('abcd efghij klmno');
  });

  test('dates are split and account numbers are not', () => {
    expect(grouped('expiry', '0929')).toBe('09 / 29');
    expect(grouped('expiry', '092029')).toBe('09 / 2029');
    expect(grouped('account_number', '000123456')).toBe('000123456');
  });
});

describe('idempotency keys', () => {
  const ready = capture('credit_card_advanced', 'ready');

  test('the same attempt keeps its key, however often it is pressed', () => {
    const keys = new AttemptKeys();
    const key = keys.keyFor(ready);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(keys.keyFor({ ...ready, revision: 9 })).toBe(key);
  });

  test('a new attempt and a refusal have a new one', () => {
    const keys = new AttemptKeys();
    const first = keys.keyFor(ready);
    const second = keys.keyFor({ ...ready, process_left: 2, payment: payment() });
    expect(second).not.toBe(first);
    keys.refused();
    expect(keys.keyFor({ ...ready, process_left: 2, payment: payment() })).not.toBe(second);
  });
});

describe('spoken changes', () => {
  const count = (n: number) => atField('credit_card_advanced', 'card_number', { state: 'keying', count: n });

  test('counts are spoken at four, eight and twelve only', () => {
    const spoken = Array.from({ length: 16 }, (_, n) => announcementOf(t, count(n), count(n + 1)).polite).filter(Boolean);
    expect(spoken).toEqual(['4 digits keyed', '8 digits keyed', '12 digits keyed']);
  });

  test('a refused field is urgent, an obtained one is calm', () => {
    const invalid = atField('credit_card_advanced', 'card_number', { state: 'invalid', error: { code: 'luhn' } }, 'invalid');
    expect(announcementOf(t, count(16), invalid).assertive).toBe('Card number: That card number is not valid. Ask the customer to key it again slowly.');
    const obtained = atField('credit_card_advanced', 'expiry', { state: 'waiting' });
    expect(announcementOf(t, count(16), obtained)).toEqual({ polite: 'Card number obtained' });
  });

  test('an unknown outcome says not to take the payment again', () => {
    const after = capture('credit_card_advanced', 'unknown', { payment: payment() });
    expect(announcementOf(t, capture('credit_card_advanced', 'processing'), after).assertive).toContain('Do NOT take this payment again.');
  });

  test('keys that nobody asked for are spoken', () => {
    const before = capture('credit_card_basic', 'armed');
    expect(announcementOf(t, before, { ...before, stray_keys: 2 }).assertive).toBe('Keys arrived before you asked. Please ask again.');
  });
});

test('shortcuts are named by modifier and key, whatever the layout types with Alt', () => {
  const press = { altKey: false, ctrlKey: false, shiftKey: false, code: '', key: '' };
  expect(nameOf({ ...press, altKey: true, code: 'KeyN', key: 'ñ' })).toBe('Alt+N');
  expect(nameOf({ ...press, ctrlKey: true, code: 'Enter', key: 'Enter' })).toBe('Ctrl+Enter');
  expect(nameOf({ ...press, altKey: true, code: 'Digit1', key: '1' })).toBe('Alt+1');
});
