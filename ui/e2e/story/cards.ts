/** Made-up card numbers, so that a run of their digits found anywhere is theirs and not a coincidence. */
import { randomInt } from 'node:crypto';

export type MadeCard = { number: string; expiry: string; code: string };

/** Runs of this many digits are looked for. */
export const RUN_DIGITS = 4;
const TRIES_MAX = 50_000;

export function runsOf(digits: string, size = RUN_DIGITS): string[] {
  return Array.from({ length: Math.max(0, digits.length - size + 1) }, (_, at) => digits.slice(at, at + size));
}

function checkDigit(payload: string): string {
  const sum = [...payload].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}

const digits = (count: number) => Array.from({ length: count }, () => randomInt(10)).join('');

/** A valid Master Card, date and code of which no run occurs in a text. */
export function cardUnlike(text: string): MadeCard {
  const isNew = (digits: string) => !runsOf(digits).some((run) => text.includes(run));
  const make = (maker: () => string) => {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const made = maker();
      if (isNew(made)) return made;
    }
    throw new Error('every number has a run that is in the text already');
  };
  const year = new Date().getFullYear() % 100;
  const number = make(() => {
    const payload = `5${randomInt(1, 6)}${digits(13)}`;
    return payload + checkDigit(payload);
  });
  const expiry = make(() => String(randomInt(1, 13)).padStart(2, '0') + String(year + randomInt(1, 9)).padStart(2, '0'));
  return { number, expiry, code: digits(3) };
}

/** A routing number with a right checksum, of which no run occurs in a text. */
export function accountUnlike(text: string): { routing: string; account: string } {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const body = `0${randomInt(1, 10)}${digits(6)}`;
    const sum = [...body].reduce((total, digit, place) => total + Number(digit) * [3, 7, 1][place % 3]!, 0);
    const routing = body + String((10 - (sum % 10)) % 10);
    const account = digits(12);
    if (![...runsOf(routing), ...runsOf(account)].some((run) => text.includes(run))) return { routing, account };
  }
  throw new Error('every number has a run that is in the text already');
}
