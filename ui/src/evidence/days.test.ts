import { expect, test } from 'vitest';
import { boundsOf, endOf, periodOf } from './days';

const NOON = new Date(2026, 10, 26, 12);
const at = (day: number, month = 10) => new Date(2026, month, day).getTime();

test('days begin and end at midnight where the reader is, also where the clock is put back', () => {
  const days = { first: '2026-10-24', last: '2026-10-25' };
  expect(boundsOf({ ...days, period: 'today' }, NOON)).toEqual({ from: at(26) });
  expect(boundsOf({ ...days, period: 'yesterday' }, NOON)).toEqual({ from: at(25), until: at(26) });
  expect(boundsOf({ ...days, period: 'week' }, NOON)).toEqual({ from: at(20) });
  expect(boundsOf({ ...days, period: 'month' }, NOON)).toEqual({ from: at(28, 9) });
  expect(boundsOf({ ...days, period: 'all' }, NOON)).toEqual({});
  expect(boundsOf({ ...days, period: 'days' }, NOON)).toEqual({ from: at(24, 9), until: at(26, 9) });
});

test('what has no end ends tonight', () => {
  expect(endOf({ from: at(20) }, NOON)).toBe(at(27));
  expect(endOf({ from: at(20), until: at(21) }, NOON)).toBe(at(21));
});

test('a day that is not typed yet does not narrow, and an unknown period is the usual one', () => {
  expect(boundsOf({ period: 'days', first: '', last: '20' }, NOON)).toEqual({});
  expect(periodOf('week', 'today')).toBe('week');
  expect(periodOf('century', 'today')).toBe('today');
  expect(periodOf(null, 'all')).toBe('all');
});
