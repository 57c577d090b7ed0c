/**
 * What the agent types on the tabs Demographic and Payment.
 * Owns: its fields, what is required, what is wrong.
 * Never: holds anything that the consumer keyed; a text that looks like a card number is refused.
 */
import type { PaymentForm } from '../api/types';
import type { MessageId } from '../i18n';
import { parseMoney } from '../i18n/format';

export type TypedName = (typeof DEMOGRAPHIC)[number] | (typeof PAYMENT)[number] | 'accountType';
export const DEMOGRAPHIC = [
  'firstName', 'lastName', 'company', 'email', 'phone', 'address1', 'address2', 'city', 'state', 'postalCode', 'country',
] as const;
export const PAYMENT = ['reference', 'description'] as const;
export const REQUIRED: readonly TypedName[] = ['firstName', 'lastName'];

export type Typed = { amount: string; currency: string; values: Partial<Record<TypedName, string>> };
export type TypedField = TypedName | 'amount';

export function emptyForm(values: Typed['values'] = {}): Typed {
  return { amount: '', currency: 'USD', values: { accountType: 'checking', ...values } };
}

/** Longest text of each input; the server refuses longer ones. */
export const CHARS_MAX: Record<TypedName, number> = {
  firstName: 60,
  lastName: 60,
  company: 100,
  email: 200,
  phone: 24,
  address1: 100,
  address2: 100,
  city: 60,
  state: 40,
  postalCode: 16,
  country: 40,
  reference: 50,
  description: 200,
  accountType: 20,
};

/** What is wrong with each input; empty when nothing is. */
export function problemsOf(form: Typed): Partial<Record<TypedField, MessageId>> {
  const problems: Partial<Record<TypedField, MessageId>> = {};
  for (const name of REQUIRED) if (!form.values[name]?.trim()) problems[name] = 'form.required';
  for (const name of [...DEMOGRAPHIC, ...PAYMENT]) if (looksLikeCard(form.values[name] ?? '')) problems[name] = 'form.card_typed';
  if (form.amount.trim() === '') problems.amount = 'form.required';
  else if (!parseMoney(form.amount, form.currency)) problems.amount = 'form.amount';
  return problems;
}

export function tabOfInput(field: TypedField): 'demographic' | 'payment' {
  return (DEMOGRAPHIC as readonly string[]).includes(field) ? 'demographic' : 'payment';
}

/** What is sent: trimmed, empty ones left out; undefined while something is wrong. */
export function toPaymentForm(form: Typed, check: boolean): PaymentForm | undefined {
  const amount = parseMoney(form.amount, form.currency);
  if (!amount || Object.keys(problemsOf(form)).length > 0) return undefined;
  const entries = Object.entries(form.values)
    .filter(([name]) => check || name !== 'accountType')
    .map(([name, text]) => [name, text.trim()] as const)
    .filter(([, text]) => text !== '');
  return { amount, values: Object.fromEntries(entries) };
}

/** A run of 13 to 19 digits, across blanks and dashes, with a card's first digit and a right check digit. */
export function looksLikeCard(text: string): boolean {
  const runs = text.match(/\d(?:[ \-.]?\d){12,}/g) ?? [];
  return runs.some((run) => {
    const digits = run.replace(/\D/g, '');
    for (let from = 0; from + 13 <= digits.length; from += 1) {
      for (let size = 13; size <= 19 && from + size <= digits.length; size += 1) {
        const part = digits.slice(from, from + size);
        if (/^[3-6]|^2[2-7]/.test(part) && passesLuhn(part)) return true;
      }
    }
    return false;
  });
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
