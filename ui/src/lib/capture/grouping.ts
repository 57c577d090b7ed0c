/** Owns: how digits and dots are grouped for the eye. */
import type { Field } from '../api/types';

/** Sizes of the groups for so many digits of a field: American Express 4-6-5, cards 4-4-4-4, dates 2-2. */
export function groupsOf(field: Field, digits: number): number[] {
  if (field === 'card_number' && digits === 15) return [4, 6, 5];
  if (field === 'expiry') return digits === 6 ? [2, 4] : [2, 2];
  if (field === 'routing_number' || field === 'security_code') return [digits];
  const whole = Array.from({ length: Math.floor(digits / 4) }, () => 4);
  return digits % 4 === 0 ? whole : [...whole, digits % 4];
}

/** Text cut into the groups of its field; an account number is left whole. */
export function grouped(field: Field, text: string): string {
  if (field === 'account_number') return text;
  if (field === 'expiry' && text.includes('/')) return text;
  const separator = field === 'expiry' ? ' / ' : ' ';
  let place = 0;
  return groupsOf(field, text.length)
    .map((size) => text.slice(place, (place += size)))
    .join(separator);
}
