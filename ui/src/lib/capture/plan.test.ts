import { describe, expect, test } from 'vitest';
import { isAhead, isWithin, noticeOf, planOf } from './plan';

const usd = (minor: number) => ({ minor, currency: 'USD' });
const told = (parts: ReturnType<typeof planOf>) => parts.map(({ day, amount }) => [day, amount.minor]);

describe('o14 a plan', () => {
  test('has equal parts, and the last takes what is left', () => {
    expect(told(planOf(usd(100_000), '2026-01-31', 'monthly', { count: 3 }))).toEqual([
      ['2026-01-31', 33_333],
      ['2026-02-28', 33_333],
      ['2026-03-31', 33_334],
    ]);
    expect(told(planOf(usd(37_450), '2026-12-01', 'weekly', { count: 4 }))).toEqual([
      ['2026-12-01', 9_362],
      ['2026-12-08', 9_362],
      ['2026-12-15', 9_362],
      ['2026-12-22', 9_364],
    ]);
  });

  test('until a day has the parts that are due by then', () => {
    expect(planOf(usd(40_000), '2026-12-04', 'two_weeks', { until: '2027-01-01' })).toHaveLength(3);
    expect(planOf(usd(40_000), '2026-12-04', 'two_weeks', { until: '2026-12-31' })).toHaveLength(2);
    expect(planOf(usd(40_000), '2026-12-04', 'two_weeks', { until: '2026-12-17' })).toEqual([]);
    expect(planOf(usd(90_000), '2026-12-01', 'weekly', { until: '2126-01-01' })).toEqual([]);
  });

  test('has 2 to 104 parts of something', () => {
    expect(planOf(usd(10_000), '2026-12-01', 'weekly', { count: 1 })).toEqual([]);
    expect(planOf(usd(10_400), '2026-12-01', 'weekly', { count: 104 })).toHaveLength(104);
    expect(planOf(usd(10_500), '2026-12-01', 'weekly', { count: 105 })).toEqual([]);
    expect(planOf(usd(3), '2026-12-01', 'weekly', { count: 4 })).toEqual([]);
    expect(planOf(usd(300), '2026-02-30', 'weekly', { count: 3 })).toEqual([]);
  });

  test('keeps a leap day where there is one', () => {
    const days = planOf(usd(2_600), '2028-01-31', 'monthly', { count: 26 }).map(({ day }) => day);
    expect([days[1], days[13], days[25]]).toEqual(['2028-02-29', '2029-02-28', '2030-02-28']);
  });
});

test('a first payment lies ahead, at most two years', () => {
  const ahead = ['2026-11-26', '2028-11-26', '2026-11-25', '2028-11-27', '2026-02-30', ''].map((day) => isAhead(day, '2026-11-26'));
  expect(ahead).toEqual([true, true, false, false, false, false]);
  expect(isAhead(undefined, '2026-11-26')).toBe(false);
});

describe('q7 what collectors arrange', () => {
  test('a down payment is no part of the plan', () => {
    const weekly = (count: number, down: number) => told(planOf(usd(50_000), '2026-12-01', 'weekly', { count }, down));
    expect(weekly(4, 12_550)).toEqual([
      ['2026-12-01', 9_362],
      ['2026-12-08', 9_362],
      ['2026-12-15', 9_362],
      ['2026-12-22', 9_364],
    ]);
    expect(weekly(1, 12_550)).toEqual([['2026-12-01', 37_450]]);
    expect([weekly(1, 50_000), weekly(2, 49_999), weekly(4, -1)]).toEqual([[], [], []]);
  });

  test('parts of a given amount end with what is left', () => {
    expect(told(planOf(usd(40_000), '2026-12-04', 'two_weeks', { each: 15_000 }))).toEqual([
      ['2026-12-04', 15_000],
      ['2026-12-18', 15_000],
      ['2027-01-01', 10_000],
    ]);
    for (const each of [40_000, 300, 0]) expect(planOf(usd(40_000), '2026-12-04', 'two_weeks', { each })).toEqual([]);
  });

  test('half-monthly parts are due on the 1st and the 15th', () => {
    const days = (first: string, count: number) => planOf(usd(count * 100), first, 'semi_monthly', { count }).map(({ day }) => day);
    expect(days('2026-12-15', 2)).toEqual(['2026-12-15', '2027-01-01']);
    expect(days('2026-12-20', 3)).toEqual(['2026-12-20', '2027-01-01', '2027-01-15']);
    expect(days('2027-02-03', 3)).toEqual(['2027-02-03', '2027-02-15', '2027-03-01']);
  });

  test('a plan runs for so many months', () => {
    expect([isWithin('2026-12-01', '2027-01-01', 1), isWithin('2026-12-01', '2027-01-02', 1), isWithin('2027-01-31', '2027-02-28', 1)]).toEqual([true, false, true]);
  });

  test('a later payment is announced ten to three business days before', () => {
    expect(noticeOf('2026-12-01', '2026-11-26')).toBeUndefined();
    expect(noticeOf('2026-10-01', '2026-08-01')).toEqual({ from: '2026-09-17', until: '2026-09-28' });
    expect(noticeOf('2026-12-28', '2026-11-26')).toEqual({ from: '2026-12-11', until: '2026-12-22' });
    expect(noticeOf('2026-11-30', '2026-11-01')).toEqual({ from: '2026-11-13', until: '2026-11-24' });
  });
});
