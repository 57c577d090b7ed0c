/** Owns: how money, times and durations are read and written, in the present language. Never: a floating-point amount that is kept. */
import type { Money } from '../api/types';
import { currentCatalogue } from './catalogue';

/** Dates and numbers follow the present language unless told otherwise. */
const present = () => currentCatalogue().tag;

/** Decimals of a currency, by ISO 4217 as the browser knows it. */
export function decimalsOf(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** "1,120.50 USD", "1.120,50 USD": the amount first, then the currency's code. */
export function moneyText({ minor, currency }: Money, locale = present()): string {
  const decimals = decimalsOf(currency);
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${number.format(minor / 10 ** decimals)} ${currency}`;
}

/** Largest amount that the server takes, in minor units. */
const AMOUNT_MINOR_MAX = 9_999_999_999;

/** "." or ",": what stands before the decimals. */
function decimalMark(locale: string): string {
  const parts = new Intl.NumberFormat(locale).formatToParts(0.5);
  return parts.find(({ type }) => type === 'decimal')?.value ?? '.';
}

/** Decimals after a point where the reader's own mark is the comma: three digits could as well be thousands. */
const POINT_DECIMALS_MAX = 2;

/** Reads "120.50", and "120,50" where that is the reader's own mark; undefined if it is no amount above zero. */
export function parseMoney(text: string, currency: string, locale = present()): Money | undefined {
  const decimals = decimalsOf(currency);
  const [, whole = '', mark = '', fraction = ''] = /^(\d{1,10})(?:([.,])(\d*))?$/.exec(text.trim()) ?? [];
  const own = decimalMark(locale);
  const decimalsMax = mark === own ? decimals : Math.min(decimals, POINT_DECIMALS_MAX);
  if (whole === '' || fraction.length > decimalsMax || (mark === ',' && own !== ',')) return undefined;
  const minor = Number(whole + fraction.padEnd(decimals, '0'));
  return minor >= 1 && minor <= AMOUNT_MINOR_MAX ? { minor, currency } : undefined;
}

/** How an amount is typed here: "120.50", "120,50". */
export function exampleAmount(locale = present()): string {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: 2 }).format(120.5);
}

/** "1120.50": as the server reads it. */
export function amountText({ minor, currency }: Money): string {
  const decimals = decimalsOf(currency);
  const digits = String(minor).padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** "1120.50", "1120,50": as a reader would type it. */
export function amountTyped(money: Money, locale = present()): string {
  return amountText(money).replace('.', decimalMark(locale));
}

/** "03:41", "1:03:41". */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor((seconds % 3600) / 60))}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** "14:03:07" in the reader's zone. */
export function clockText(at: number, locale = present()): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: 'medium', hourCycle: 'h23' }).format(at);
}

/** "31 Dec 2026", of a day as "2026-12-31". */
export function dayText(day: string, locale = present()): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(Date.parse(day));
}

/** "25 Nov 2026, 14:03". */
export function dateTimeText(at: number, locale = present()): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }).format(at);
}

const AGO: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "2 hours ago"; below a minute "now". */
export function agoText(at: number, now: number, locale = present()): string {
  const past = Math.max(0, now - at);
  const [unit, size] = AGO.find(([, ms]) => past >= ms) ?? ['second', 0];
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(size === 0 ? 0 : -Math.floor(past / size), unit);
}

/** "18,204". */
export function numberText(value: number, locale = present()): string {
  return new Intl.NumberFormat(locale).format(value);
}
