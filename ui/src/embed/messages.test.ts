import { describe, expect, test } from 'vitest';
import { atField, call, capture, payment } from '../lib/capture/fixtures';
import { parseIncoming, toldOf } from './messages';

describe('a message of the page around this one', () => {
  test.each([
    { v: 1, type: 'spc.init' },
    { v: 1, type: 'spc.init', code: 'c', locale: 'de', theme: 'dark' },
    { v: 1, type: 'spc.customer', values: { firstName: 'Jane' } },
    { v: 1, type: 'spc.amount', amount: '120.50', currency: 'USD' },
    { v: 1, type: 'spc.dial', number: '+15550100199' },
  ])('is taken: $type', ({ v: _, ...message }) => {
    expect(parseIncoming({ v: 1, ...message })).toEqual(message);
  });

  test.each([
    ['a text', 'spc.init'],
    ['nothing', null],
    ['a list', [{ v: 1, type: 'spc.init' }]],
    ['another version', { v: 2, type: 'spc.init' }],
    ['no version', { type: 'spc.init' }],
    ['an unknown type', { v: 1, type: 'spc.reveal' }],
    ['a name of the prototype', { v: 1, type: 'toString' }],
    ['something more', { v: 1, type: 'spc.amount', amount: '1', currency: 'USD', cardNumber: '4' }],
    ['something less', { v: 1, type: 'spc.amount', amount: '1' }],
    ['a number for a text', { v: 1, type: 'spc.amount', amount: 1, currency: 'USD' }],
    ['an unknown theme', { v: 1, type: 'spc.init', theme: 'pink' }],
    ['a value that is no text', { v: 1, type: 'spc.customer', values: { firstName: {} } }],
    ['too many values', { v: 1, type: 'spc.customer', values: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`n${n}`, ''])) }],
    ['a text that is too long', { v: 1, type: 'spc.dial', number: '1'.repeat(501) }],
  ])('is ignored: %s', (_, message) => {
    expect(parseIncoming(message)).toBeUndefined();
  });
});

describe('what is told', () => {
  test('is where the call and the capture stand, without a value', () => {
    expect(toldOf(undefined)).toEqual([{ type: 'spc.call', state: 'none' }]);
    const keying = atField('credit_card_advanced', 'card_number', { state: 'keying', count: 6 });
    const told = toldOf(call({ capture: keying }));
    expect(told).toEqual([
      { type: 'spc.call', state: 'connected' },
      { type: 'spc.capture', kind: 'credit_card_advanced', state: keying.state, field: 'card_number', count: 6 },
    ]);
  });

  test('is how a payment ended, with the reference that people read to each other', () => {
    const approved = { ...capture('credit_card_advanced', 'approved'), payment: payment({ outcome: 'approved' }) };
    expect(toldOf(call({ capture: approved })).at(-1)).toEqual({ type: 'spc.payment', outcome: 'approved', ref: approved.payment.reference });
  });
});
