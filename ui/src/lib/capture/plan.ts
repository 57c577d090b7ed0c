/**
 * The parts of a payment plan, as the server makes them: the agent reads them out before they are agreed.
 * Owns: dates as "2026-12-31". Never: a time of day or a zone; a payment is due on a day.
 */
import type { Money } from '../api/types';

export type Interval = 'weekly' | 'two_weeks' | 'semi_monthly' | 'monthly';
export const INTERVALS: readonly Interval[] = ['weekly', 'two_weeks', 'semi_monthly', 'monthly'];
export type Part = { day: string; amount: Money };
/** How many parts: so many, those due by a day, or as many of so many minor units as it takes. */
export type Length = { count: number } | { until: string } | { each: number };

/** The server's bounds. */
const PARTS_MIN = 2;
export const PARTS_MAX = 104;
const YEARS_AHEAD_MAX = 2;
/** The other day of a half-monthly plan. */
const MID_MONTH = 15;

type Day = [number, number, number];

function partsOfDay(day: string): Day | undefined {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  if (!year || !month || !date) return undefined;
  const read = [Number(year), Number(month), Number(date)] as Day;
  return dayText(...read) === day ? read : undefined;
}

function dayText(year: number, month: number, date: number): string {
  return new Date(Date.UTC(year, month - 1, date)).toISOString().slice(0, 10);
}

/** The day of the part with this number, from 0. A month that is too short ends with its last day. */
function dayOf([year, month, date]: Day, interval: Interval, number: number): string {
  switch (interval) {
    case 'weekly':
      return dayText(year, month, date + number * 7);
    case 'two_weeks':
      return dayText(year, month, date + number * 14);
    case 'semi_monthly': {
      if (number === 0) return dayText(year, month, date);
      const halves = number + (date >= MID_MONTH ? 1 : 0);
      return dayText(year, month + Math.floor(halves / 2), halves % 2 === 0 ? 1 : MID_MONTH);
    }
    case 'monthly':
      return dayText(year, month + number, Math.min(date, lastDateOf(year, month + number)));
  }
}

function lastDateOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Equal parts, with what is left over in the last; empty: no such plan. `down` minor units of the total are paid at once. */
export function planOf(total: Money, first: string, interval: Interval, length: Length, down = 0): Part[] {
  const start = partsOfDay(first);
  const owed = total.minor - down;
  if (!start || down < 0 || owed <= 0) return [];
  const wanted = 'count' in length ? length.count : 'each' in length ? (length.each > 0 ? Math.ceil(owed / length.each) : 0) : PARTS_MAX + 1;
  const days: string[] = [];
  for (let number = 0; number <= PARTS_MAX && number < wanted; number += 1) {
    const day = dayOf(start, interval, number);
    if ('until' in length && !(day <= length.until)) break;
    days.push(day);
  }
  const count = days.length;
  if (count < (down > 0 ? 1 : PARTS_MIN) || count > PARTS_MAX || owed < count) return [];
  const each = 'each' in length ? length.each : Math.floor(owed / count);
  return days.map((day, place) => ({ day, amount: { ...total, minor: place + 1 === count ? owed - each * (count - 1) : each } }));
}

/** From today on, at most two years ahead. */
export function isAhead(day: string | undefined, today: string): boolean {
  const [year, ...rest] = today.split('-');
  return day !== undefined && partsOfDay(day) !== undefined && day >= today && day <= [Number(year) + YEARS_AHEAD_MAX, ...rest].join('-');
}

/** A plan from one day to another runs for so many months at most. */
export function isWithin(first: string, last: string, months: number): boolean {
  const start = partsOfDay(first);
  return start !== undefined && last <= dayOf(start, 'monthly', months);
}

/** Today where the agent sits. */
export function todayText(now: number): string {
  const date = new Date(now);
  return dayText(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

/** Days that a payment may be post-dated without a notice, and the business days before it in which one is sent (12 CFR 1006.22(c)). */
const DAYS_WITHOUT_NOTICE = 5;
const NOTICE_MOST = 10;
const NOTICE_LEAST = 3;

/** When a debt collector announces a payment in writing, as the server counts it; undefined: it is due within five days. */
export function noticeOf(due: string, today: string): { from: string; until: string } | undefined {
  const [day, now] = [partsOfDay(due), partsOfDay(today)];
  if (!day || !now || due <= dayText(now[0], now[1], now[2] + DAYS_WITHOUT_NOTICE)) return undefined;
  return { from: businessDaysBefore(day, NOTICE_MOST), until: businessDaysBefore(day, NOTICE_LEAST) };
}

function businessDaysBefore([year, month, date]: Day, count: number): string {
  let left = count;
  let back = 0;
  while (left > 0) {
    back += 1;
    if (isBusinessDay(new Date(Date.UTC(year, month - 1, date - back)))) left -= 1;
  }
  return dayText(year, month, date - back);
}

/** Legal public holidays of 5 U.S.C. 6103(a) on a fixed day. */
const HOLIDAYS = ['1-1', '6-19', '7-4', '11-11', '12-25'];

function isBusinessDay(day: Date): boolean {
  const [month, date, weekday] = [day.getUTCMonth() + 1, day.getUTCDate(), day.getUTCDay()];
  if (weekday === 0 || weekday === 6 || HOLIDAYS.includes(`${month}-${date}`)) return false;
  const week = Math.ceil(date / 7);
  if (weekday === 4) return !(month === 11 && week === 4);
  if (weekday !== 1) return true;
  const isLast = date + 7 > lastDateOf(day.getUTCFullYear(), month);
  return !((month <= 2 && week === 3) || (month === 10 && week === 2) || (month === 9 && week === 1) || (month === 5 && isLast));
}
