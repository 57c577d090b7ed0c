/** Owns: what of a text is a telephone number, as the server reads it. Never: keeps a text that may hold a card number. */
export type NumberRead = { number: string } | { problem: 'card' | 'malformed' };

/** What people write between the digits, and marks that cannot be seen and come along when something is copied. */
const BETWEEN = /[\s()\-./\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** The country code's own zero, which is not dialled after it. */
const TRUNK_ZERO = /^(\+[^(]*)\(0\)/;

/** `+1 (555) 010-0199`, `tel:+1-555-0100`, `0555 0100`. */
export function readNumber(text: string): NumberRead {
  const bare = text.trim().replace(/^tel:/i, '').replace(TRUNK_ZERO, '$1').replace(BETWEEN, '');
  const [, plus, digits] = /^(\+?)(\d+)$/.exec(bare) ?? [];
  if (digits === undefined) return { problem: 'malformed' };
  if (mayBeCard(digits, plus === '+')) return { problem: 'card' };
  if (digits.length < 2 || digits.length > 18) return { problem: 'malformed' };
  return { number: `${plus}${digits}` };
}

/** With the plus of a country code and no longer than a telephone number it is one: one in ten of those passes the check of cards. */
function mayBeCard(digits: string, hasPlus: boolean): boolean {
  if (hasPlus && digits.length <= 15) return false;
  return digits.length >= 13 && digits.length <= 19 && passes(digits);
}

function passes(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** `?dial=+15550100`: the number that a CRM opens the page with. A plus is a plus there, as people write it, and not a blank. */
export function askedNumber(address: string): string | undefined {
  const [, asked] = /[?&]dial=([^&#]*)/.exec(address) ?? [];
  if (!asked) return undefined;
  try {
    return decodeURIComponent(asked);
  } catch {
    return asked;
  }
}

/** The same address without the number: a page that is loaded anew asks for nothing twice. */
export function forgetNumber(): void {
  const address = new URL(window.location.href);
  address.searchParams.delete('dial');
  window.history.replaceState(window.history.state, '', address);
}
