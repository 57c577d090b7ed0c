/**
 * The parts of a payment plan, as the server makes them: the agent reads them out before they are agreed.
 * Owns: dates as "2026-12-31". Never: a time of day or a zone; a payment is due on a day.
 */
import type { Money } from '../api/types';

export type Interval = 'weekly' | 'two_weeks' | 'monthly';
export const INTERVALS: readonly Interval[] = ['weekly', 'two_weeks', 'monthly'];
export type Part = { day: string; amount: Money };

/** The server's bounds. */
const PARTS_MIN = 2;
export const PARTS_MAX = 104;
const YEARS_AHEAD_MAX = 2;

function partsOfDay(day: string): [number, number, number] | undefined {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  if (!year || !month || !date) return undefined;
  const read = [Number(year), Number(month), Number(date)] as [number, number, number];
  return dayText(...read) === day ? read : undefined;
}

function dayText(year: number, month: number, date: number): string {
  return new Date(Date.UTC(year, month - 1, date)).toISOString().slice(0, 10);
}

/** The day of the part with this number, from 0. A month that is too short ends with its last day. */
function dayOf(first: [number, number, number], interval: Interval, number: number): string {
  const [year, month, date] = first;
  if (interval !== 'monthly') return dayText(year, month, date + number * (interval === 'weekly' ? 7 : 14));
  const last = new Date(Date.UTC(year, month + number, 0)).getUTCDate();
  return dayText(year, month + number, Math.min(date, last));
}

/** Equal parts, with what is left over in the last; empty: no such plan. */
export function planOf(total: Money, first: string, interval: Interval, length: { count: number } | { until: string }): Part[] {
  const start = partsOfDay(first);
  if (!start) return [];
  const days: string[] = [];
  for (let number = 0; number <= PARTS_MAX; number += 1) {
    const day = dayOf(start, interval, number);
    if ('until' in length ? !(day <= length.until) : number >= length.count) break;
    days.push(day);
  }
  const count = days.length;
  if (count < PARTS_MIN || count > PARTS_MAX || total.minor < count) return [];
  const each = Math.floor(total.minor / count);
  return days.map((day, place) => ({ day, amount: { ...total, minor: place + 1 === count ? total.minor - each * (count - 1) : each } }));
}

/** From today on, at most two years ahead. */
export function isAhead(day: string | undefined, today: string): boolean {
  const [year, ...rest] = today.split('-');
  return day !== undefined && partsOfDay(day) !== undefined && day >= today && day <= [Number(year) + YEARS_AHEAD_MAX, ...rest].join('-');
}

/** Today where the agent sits. */
export function todayText(now: number): string {
  const date = new Date(now);
  return dayText(date.getFullYear(), date.getMonth() + 1, date.getDate());
}
