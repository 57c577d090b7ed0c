import { expect, test } from 'vitest';
import { askedNumber, readNumber } from './number';

test.each([
  ['+1 (555) 010-0199', '+15550100199'],
  [' 0555.010/0199 ', '05550100199'],
  ['tel:+1-555-0100', '+15550100'],
  ['TEL:4001', '4001'],
  ['+44 (0)20 7946 0000', '+442079460000'],
  ['\u202a+49 151\u00a023456789\u202c', '+4915123456789'],
  ['+4915123456787', '+4915123456787'],
  ['12', '12'],
])('%s is dialled as %s', (typed, number) => {
  expect(readNumber(typed)).toEqual({ number });
});

test.each(['', '+', '1', '1+2', '++12', '12a', 'sip:12@x', '0123456789012345678'])('%s is no number', (typed) => {
  expect(readNumber(typed)).toEqual({ problem: 'malformed' });
});

test.each(['4111111111111111', '4111 1111 1111 1111', '3782-822463-10005', '+4111 1111 1111 1111', '4222222222222', '4915123456787', '6011000990139424'])('%s may be a card number', (typed) => {
  expect(readNumber(typed)).toEqual({ problem: 'card' });
});

test('a number in the address keeps its plus', () => {
  expect(askedNumber('?dial=+15550100')).toBe('+15550100');
  expect(askedNumber('?a=1&dial=%2B1%20555%200100&b=2')).toBe('+1 555 0100');
  expect(askedNumber('?dial=')).toBeUndefined();
  expect(askedNumber('?dialled=1')).toBeUndefined();
  expect(askedNumber('?dial=%')).toBe('%');
});
