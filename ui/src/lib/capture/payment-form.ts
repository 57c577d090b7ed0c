/**
 * What the agent types on the tabs Demographic and Payment.
 * Owns: its fields, what the widget asks for (O13, O14), what is wrong, what it comes to.
 * Never: holds anything that the consumer keyed; a text that looks like a card number is refused.
 */
import type { CallView, Consumer, DemographicInput, DemographicName, Fee, Money, PaymentForm, WidgetView } from '../api/types';
import type { MessageId } from '../i18n';
import { amountText, amountTyped, parseMoney } from '../i18n/format';
import type { Interval, Length, Part } from './plan';
import { isAhead, isWithin, planOf } from './plan';

export type TypedName = DemographicName | (typeof PAYMENT)[number] | (typeof ARRANGEMENT)[number] | (typeof ACCOUNT)[number];
export const DEMOGRAPHIC = [
  'firstName', 'lastName', 'company', 'address1', 'address2', 'city', 'state', 'postalCode', 'country', 'phone', 'email', 'accountReference',
] as const satisfies readonly DemographicName[];
export const PAYMENT = ['reference', 'description'] as const;
/** Of a check. */
export const ACCOUNT = ['accountType', 'accountHolder'] as const;
export const ARRANGEMENT = ['arrangementType', 'arrangementDate', 'arrangementStart', 'arrangementInterval', 'arrangementCount', 'arrangementEnd', 'arrangementAmount', 'arrangementDownPayment'] as const;

/** `given`: references that came by the API; they may look like a card number's (S15). An amount that was never typed is undefined. */
export type Typed = { amount?: string | undefined; currency: string; values: Partial<Record<TypedName, string>>; given?: Consumer['values'] | undefined };
export type TypedField = TypedName | 'amount';

/** What is known of the customer before anybody types. */
export type Known = Pick<CallView, 'caller' | 'caller_number' | 'consumer'>;

/** What a widget asks the agent for. */
export type Asked = Pick<WidgetView, 'demographic' | 'payment'>;

export function emptyForm(values: Typed['values'] = {}): Typed {
  return { currency: '', values: { accountType: 'checking', ...values } };
}

/** Longest text of each input; the server refuses longer ones. */
export const CHARS_MAX: Record<TypedName, number> = {
  firstName: 60,
  lastName: 60,
  company: 100,
  address1: 100,
  address2: 100,
  city: 60,
  state: 40,
  postalCode: 16,
  country: 40,
  phone: 24,
  email: 200,
  accountReference: 50,
  reference: 50,
  description: 200,
  accountType: 20,
  accountHolder: 100,
  arrangementType: 20,
  arrangementDate: 10,
  arrangementStart: 10,
  arrangementInterval: 20,
  arrangementCount: 4,
  arrangementEnd: 10,
  arrangementAmount: 12,
  arrangementDownPayment: 12,
};

/** What a field starts with: what the API told, else what the call says; the agent may type something else. */
function prefilled(input: DemographicInput, call: Known | undefined): string {
  return call?.consumer?.values[input.name] ?? fromCall(input, call);
}

/** Where a text came from that nobody typed. */
export function originOf(name: TypedName, text: string | undefined, call: Known | undefined, input?: DemographicInput): MessageId | undefined {
  if (!text) return undefined;
  if (call?.consumer?.values[name] === text) return 'typed.from_crm';
  return input && fromCall(input, call) === text ? 'typed.from_call' : undefined;
}

function fromCall(input: DemographicInput, call: Known | undefined): string {
  if (!call || input.prefill === 'nothing' || input.prefill === undefined) return '';
  const name = call.caller === call.caller_number ? '' : call.caller;
  const text = input.prefill === 'caller_number' ? call.caller_number : partOfName(input.name, name);
  return text.length > CHARS_MAX[input.name] || looksLikeCard(text) ? '' : text;
}

/** "Jane Roe": the first word is the first name, the rest the last name. */
function partOfName(field: DemographicName, name: string): string {
  const [first = '', ...rest] = name.trim().split(/\s+/);
  if (field === 'firstName') return first;
  return field === 'lastName' ? rest.join(' ') : name;
}

/** The form with what the API and the call fill in, where the agent has typed nothing; and in a currency that the widget takes. */
export function withPrefill(form: Typed, asked: Asked, call: Known | undefined): Typed {
  const values = { ...form.values };
  const given = call?.consumer?.values;
  for (const input of asked.demographic) values[input.name] ??= prefilled(input, call);
  for (const name of PAYMENT) if (given?.[name]) values[name] ??= given[name];
  return { ...amountWithPrefill(form, asked, call), values, given };
}

/** An amount from the API alone is never typed over; one in a currency that the widget does not take is none. */
function amountWithPrefill(form: Typed, { payment }: Asked, call: Known | undefined): Pick<Typed, 'amount' | 'currency'> {
  const told = toldAmount(payment, call);
  const typed = payment.amount_source === 'api' ? undefined : form;
  const offered = payment.currencies.find((currency) => currency === typed?.currency);
  return { amount: typed?.amount ?? (told && amountTyped(told)), currency: offered ?? told?.currency ?? payment.currencies[0] ?? 'USD' };
}

export function toldAmount(payment: Asked['payment'], call: Known | undefined): Money | undefined {
  const amount = call?.consumer?.amount;
  return amount && payment.currencies.includes(amount.currency) ? amount : undefined;
}

/** What the agent typed, of a filled form after a change: what was only filled in stays open to what the API tells later. */
export function typedIn(next: Typed, filled: Typed, typed: Typed): Typed {
  const values = { ...next.values };
  for (const name of Object.keys(filled.values) as TypedName[]) {
    if (next.values[name] !== filled.values[name]) continue;
    const own = typed.values[name];
    if (own === undefined) delete values[name];
    else values[name] = own;
  }
  const kept = <K extends 'amount' | 'currency'>(name: K) => (next[name] === filled[name] ? typed[name] : next[name]);
  return { amount: kept('amount'), currency: kept('currency'), values };
}

export type ArrangementType = 'now' | 'one_date' | 'plan';
/** The arrangement that is chosen: the first one that the widget offers, until the agent chooses. */
export function arrangementOf(form: Typed, { payment }: Asked): ArrangementType {
  const offered = ARRANGEMENTS.filter((kind) => payment.arrangements.includes(kind));
  return offered.find((kind) => kind === form.values.arrangementType) ?? offered[0] ?? 'now';
}
export const ARRANGEMENTS: readonly ArrangementType[] = ['now', 'one_date', 'plan'];

/** A problem of an input: its sentence, with the limit that it names. */
export type Problem = { id: MessageId; limit?: Money };
export type Problems = Partial<Record<TypedField, Problem>>;

/** No amount came from the API yet: nothing that the agent could mend. */
export const AWAITED = 'form.amount_awaited' satisfies MessageId;

/** What is wrong with each input; empty when nothing is. */
export function problemsOf(form: Typed, asked: Asked, today: string): Problems {
  const problems: Problems = {};
  const add = (name: TypedField, id: MessageId, limit?: Money) => {
    problems[name] ??= limit ? { id, limit } : { id };
  };
  const { payment } = asked;
  const shown = asked.demographic.map(({ name }) => name);
  for (const { name, required } of asked.demographic) if (required && !form.values[name]?.trim()) add(name, 'form.required');
  for (const name of [...shown, ...PAYMENT, 'accountHolder'] as const) if (looksTyped(name, form.values[name], form.given)) add(name, 'form.card_typed');
  for (const name of PAYMENT) if (payment[`${name}_required`] && !form.values[name]?.trim()) add(name, 'form.required');
  const amount = amountOf(form);
  if (!form.amount?.trim()) add('amount', payment.amount_source === 'api' ? AWAITED : 'form.required');
  else if (!amount) add('amount', 'form.amount');
  else {
    const min = payment.amount_min ? parseMoney(payment.amount_min, form.currency, 'en') : undefined;
    const max = payment.amount_max ? parseMoney(payment.amount_max, form.currency, 'en') : undefined;
    if (min && amount.minor < min.minor) add('amount', 'form.amount_min', min);
    if (max && amount.minor > max.minor) add('amount', 'form.amount_max', max);
  }
  arrangementProblems(form, asked, today, add);
  return problems;
}

const amountOf = (form: Typed) => parseMoney(form.amount ?? '', form.currency);

/** References that the API gave may look like a card number (S15). */
const REFERENCES: readonly TypedName[] = ['reference', 'accountReference'];
export function looksTyped(name: TypedName, text: string | undefined, given: Typed['given']): boolean {
  return !(REFERENCES.includes(name) && given?.[name] === text?.trim()) && looksLikeCard(text ?? '');
}

function arrangementProblems(form: Typed, asked: Asked, today: string, add: (name: TypedField, id: MessageId, limit?: Money) => void) {
  const { values } = form;
  const kind = arrangementOf(form, asked);
  if (kind === 'one_date' && !isAhead(values.arrangementDate, today)) add('arrangementDate', 'form.date_ahead');
  if (kind !== 'plan') return;
  const { arrangementStart: first } = values;
  const total = totalOf(form, asked);
  if (!isAhead(first, today)) add('arrangementStart', 'form.date_ahead');
  else if (total) planProblems(form, asked, total, first ?? '', add);
}

/** What the widget allows of a plan (O14). */
function planProblems(form: Typed, asked: Asked, total: Money, first: string, add: (name: TypedField, id: MessageId, limit?: Money) => void) {
  const down = downOf(form);
  if (down === undefined || down >= total.minor) return add('arrangementDownPayment', 'form.down_payment', total);
  const name = LENGTHS[lengthOf(form.values)];
  const parts = partsOf(form, asked);
  const [part, last] = [parts[0], parts[parts.length - 1]];
  if (!part || !last) return add(name, 'form.plan');
  const { plan_months_max: months, plan_part_min } = asked.payment;
  if (!isWithin(first, last.day, months)) return add(name, 'form.plan_months');
  const least = plan_part_min ? parseMoney(plan_part_min, form.currency, 'en') : undefined;
  if (least && part.amount.minor < least.minor) add(name, 'form.plan_part', least);
}

/** By what the length of a plan is given, and its input. */
export const LENGTHS = { count: 'arrangementCount', end: 'arrangementEnd', each: 'arrangementAmount' } as const satisfies Record<string, TypedName>;
export type LengthName = keyof typeof LENGTHS;

export function lengthOf(values: Typed['values']): LengthName {
  if (values.arrangementAmount !== undefined) return 'each';
  return values.arrangementEnd === undefined ? 'count' : 'end';
}

/** Minor units that are paid at once; undefined: what is typed is no amount. */
function downOf({ values, currency }: Typed): number | undefined {
  const typed = values.arrangementDownPayment?.trim() ?? '';
  return typed === '' ? 0 : parseMoney(typed, currency)?.minor;
}

export function tabOfInput(field: TypedField): 'demographic' | 'payment' {
  return (DEMOGRAPHIC as readonly string[]).includes(field) ? 'demographic' : 'payment';
}

/** The fee of an amount: half a unit counts as a whole one, as the server has it. */
export function feeOf(amount: Money, fee: Fee | null | undefined): Money | undefined {
  if (!fee) return undefined;
  const share = Math.floor((amount.minor * (fee.percent_hundredths ?? 0) + 5_000) / 10_000);
  const fixed = fee.fixed ? parseMoney(fee.fixed, amount.currency, 'en') : undefined;
  return { ...amount, minor: share + (fixed?.minor ?? 0) };
}

/** What the customer pays: the amount and the fee; undefined while there is no amount. */
export function totalOf(form: Typed, { payment }: Asked): Money | undefined {
  const amount = amountOf(form);
  return amount && { ...amount, minor: amount.minor + (feeOf(amount, payment.fee)?.minor ?? 0) };
}

/** The parts of the plan that is typed; empty: it is no plan yet. */
export function partsOf(form: Typed, asked: Asked): Part[] {
  const total = totalOf(form, asked);
  const { arrangementStart: start, arrangementInterval: interval = 'monthly' } = form.values;
  const down = downOf(form);
  if (!total || !start || down === undefined) return [];
  return planOf(total, start, interval as Interval, planLength(form), down);
}

function planLength({ values, currency }: Typed): Length {
  const { arrangementCount: count = '', arrangementEnd: until = '', arrangementAmount: each = '' } = values;
  switch (lengthOf(values)) {
    case 'count':
      return { count: /^\d{1,3}$/.test(count.trim()) ? Number(count) : 0 };
    case 'end':
      return { until };
    case 'each':
      return { each: parseMoney(each, currency)?.minor ?? 0 };
  }
}

/** What is sent: trimmed, empty ones and what is not asked for left out; undefined while something is wrong. */
export function toPaymentForm(form: Typed, asked: Asked, check: boolean, today: string): SentForm | undefined {
  const amount = amountOf(form);
  if (!amount || Object.keys(problemsOf(form, asked, today)).length > 0) return undefined;
  const names: TypedName[] = [...asked.demographic.map(({ name }) => name), ...PAYMENT, ...(check ? ACCOUNT : [])];
  const typed = names.map((name) => [name, form.values[name]?.trim() ?? ''] as const);
  const values = Object.fromEntries([...typed, ...arrangementValues(form, asked)].filter(([, text]) => text !== ''));
  const fee = feeOf(amount, asked.payment.fee);
  return { amount, values, ...(fee && fee.minor > 0 ? { fee: amountText(fee) } : {}) };
}
export type SentForm = PaymentForm;

function arrangementValues(form: Typed, asked: Asked): (readonly [TypedName, string])[] {
  const { arrangementDate = '', arrangementStart = '', arrangementInterval = 'monthly' } = form.values;
  const length = LENGTHS[lengthOf(form.values)];
  switch (arrangementOf(form, asked)) {
    case 'now':
      return [];
    case 'one_date':
      return [['arrangementType', 'one_date'], ['arrangementDate', arrangementDate]];
    case 'plan':
      return [
        ['arrangementType', 'plan'],
        ['arrangementStart', arrangementStart],
        ['arrangementInterval', arrangementInterval],
        [length, length === 'arrangementAmount' ? amountSent(form, length) : (form.values[length] ?? '').trim()],
        ['arrangementDownPayment', amountSent(form, 'arrangementDownPayment')],
      ];
  }
}

/** An amount as the server reads it; empty: none is typed. */
function amountSent({ values, currency }: Typed, name: 'arrangementAmount' | 'arrangementDownPayment'): string {
  const amount = parseMoney(values[name] ?? '', currency);
  return amount ? amountText(amount) : '';
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
