/**
 * The names and filters that a template may use (docs/decisions/0008), as the server has them: `tokens.test.ts` compares both.
 * Owns: what is offered where, and what becomes of a text when one is put into it.
 * Never: decides; the server refuses what does not fit, with its place.
 */
import type { OperationKind } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';
import { TYPED_NAMES } from '../lib/capture/detail-inputs';
import type { MoreDraft } from './more-form';

/** What a value is, and so what filters it takes and where it may stand. */
export type Kind = 'Digits' | 'Expiry' | 'Text' | 'Amount' | 'Date' | 'Instant' | 'Bytes' | 'Bare';
/** Where a template stands: in the body, in a header or a part of Basic, in a URL, in a computed value, in a value of the signature. */
export type TokenPlace = 'body' | 'header' | 'url' | 'let' | 'sign';

const DOTS = '••••••••••••1111';

/** Every fixed name in the server's order: the name, another that it goes by, what it is, an example. */
export const FIXED = [
  ['card.number', '', 'Digits', DOTS],
  ['card.expiry', '', 'Expiry', '0330'],
  ['card.expiry_month', 'card.exp_month', 'Digits', '03'],
  ['card.expiry_year', 'card.exp_year', 'Digits', '2030'],
  ['card.expiry_year_short', '', 'Digits', '30'],
  ['card.security_code', 'card.cvv', 'Digits', '•••'],
  ['card.first6', '', 'Digits', '••••••'],
  ['card.last4', '', 'Digits', '1111'],
  ['card.masked', '', 'Digits', '••••••******1111'],
  ['card.type', '', 'Text', 'Visa'],
  ['card.brand', '', 'Text', 'visa'],
  ['check.routing_number', 'check.routing', 'Digits', '•••••0021'],
  ['check.account_number', 'check.account', 'Digits', '•••••6789'],
  ['check.account_type', '', 'Text', 'checking'],
  ['check.holder_type', '', 'Text', 'personal'],
  ['check.holder_name', '', 'Text', 'Jane Roe'],
  ['check.bank_name', '', 'Text', 'First Bank'],
  ['check.sec_code', '', 'Text', 'TEL'],
  ['payment.amount', 'payment.total', 'Amount', '120.50'],
  ['payment.amount_minor', '', 'Text', '12050'],
  ['payment.fee', '', 'Amount', '2.50'],
  ['payment.currency', '', 'Text', 'USD'],
  ['payment.currency_num', '', 'Text', '840'],
  ['payment.reference', 'payment.ref', 'Text', '7F2K-91QD'],
  ['payment.attempt', '', 'Text', '01j9z3k4m5n6p7q8r9s0t1v2w3'],
  ['payment.idempotency_key', '', 'Text', '018f4e6a-7b1c-4d2e-8f3a-1b2c3d4e5f60'],
  ['arrangement.total', '', 'Amount', '170.50'],
  ['arrangement.amount_minor', '', 'Text', '2000'],
  ['arrangement.last_amount_minor', '', 'Text', '2050'],
  ['arrangement.interval_unit', '', 'Text', 'months'],
  ['arrangement.interval_length', '', 'Text', '1'],
  ['arrangement.interval_days', '', 'Text', ''],
  ['arrangement.interval_months', '', 'Text', '1'],
  ['billing.full_name', '', 'Text', 'Jane Roe'],
  ['call.id', '', 'Text', 'c-4711'],
  ['call.called', '', 'Text', '8005550100'],
  ['agent.name', '', 'Text', 'a.kim'],
  ['time.now', '', 'Instant', '2026-11-26T18:00:00.000Z'],
  ['time.unix', '', 'Text', '1795716000'],
  ['time.unix_ms', '', 'Text', '1795716000000'],
  ['time.http', '', 'Text', 'Thu, 26 Nov 2026 18:00:00 GMT'],
  ['txn.nonce', '', 'Text', 'k3Zq8Lw0aP5xV9bT'],
  ['txn.rand8', '', 'Text', '48210937'],
  ['txn.uuid', '', 'Text', '7c9e6679-7425-40de-944b-e07fc1f90ae7'],
  ['body.raw', '', 'Bytes', '{"amount":…}'],
  ['request.method', '', 'Text', 'POST'],
  ['request.host', '', 'Text', 'gateway.example'],
  ['request.path', '', 'Text', '/charge?v=2'],
] as const satisfies readonly (readonly [string, string, Kind, string])[];

/** What the agent typed: another name that it goes by, its standard name, an example. */
export const TYPED = [
  ['billing.first_name', 'firstName', 'Jane'],
  ['billing.last_name', 'lastName', 'Roe'],
  ['billing.company', 'company', 'ACME'],
  ['billing.address1', 'address1', '1 Main St'],
  ['billing.address2', 'address2', 'Floor 2'],
  ['billing.city', 'city', 'Austin'],
  ['billing.state', 'state', 'TX'],
  ['billing.zip', 'postalCode', '73301'],
  ['billing.country', 'country', 'US'],
  ['billing.phone', 'phone', '+15550100199'],
  ['billing.email', 'email', 'jane@example.com'],
  ['account.number', 'accountReference', 'ACCT-778'],
  ['payment.description', 'description', 'Invoice 88213'],
  ['arrangement.kind', 'arrangementType', 'plan'],
  ['arrangement.date', 'arrangementDate', '2026-12-31'],
  ['arrangement.start_date', 'arrangementStart', '2026-12-31'],
  ['arrangement.interval', 'arrangementInterval', 'monthly'],
  ['arrangement.count', 'arrangementCount', '6'],
  ['arrangement.end_date', 'arrangementEnd', '2027-05-31'],
  ['arrangement.amount', 'arrangementAmount', '20.00'],
  ['arrangement.last_amount', 'arrangementLastAmount', '20.50'],
  ['arrangement.down_payment', 'arrangementDownPayment', '50.00'],
] as const;

/** Of these the server makes days. */
export const TYPED_DAYS: readonly string[] = ['arrangementDate', 'arrangementStart', 'arrangementEnd'];

export const GROUPS = ['own', 'card', 'check', 'payment', 'typed', 'call', 'time', 'random', 'request', 'filter'] as const;
export type TokenGroup = (typeof GROUPS)[number];

/** Something that can be put into a template. `line` says what it is; an own name has none. */
export type Entry = { what: 'token' | 'filter'; name: string; group: TokenGroup; kind: Kind; line?: MessageId | undefined; example: string; /** Found by this, too. */ also: string };

const GROUP_OF: Record<string, TokenGroup> = { card: 'card', check: 'check', payment: 'payment', arrangement: 'payment', billing: 'typed', call: 'call', agent: 'call', time: 'time', txn: 'random', body: 'request', request: 'request' };
const isDigits = (kind: Kind) => kind === 'Digits' || kind === 'Expiry';

const FIXED_ENTRIES: readonly Entry[] = FIXED.map(([name, also, kind, example]) => ({ what: 'token', name, also, kind, example, line: `token.${name}`, group: GROUP_OF[name.split('.')[0]!]! }));

const TYPED_ENTRIES: readonly Entry[] = TYPED.map(([also, parameter, example]) => ({
  what: 'token',
  name: `form.${parameter}`,
  also,
  example,
  group: 'typed',
  kind: TYPED_DAYS.includes(parameter) ? 'Date' : 'Text',
  line: parameter === 'arrangementLastAmount' ? 'token.form.arrangementLastAmount' : TYPED_NAMES[parameter],
}));

/** What an operation knows: what the ledger keeps of a charge, and what is made for the request itself. */
export const OUTLASTING: readonly string[] = [
  'payment.amount',
  'payment.amount_minor',
  'payment.currency',
  'payment.currency_num',
  'payment.reference',
  'payment.attempt',
  'payment.idempotency_key',
  'time.now',
  'time.unix',
  'time.unix_ms',
  'time.http',
  'txn.nonce',
  'txn.rand8',
  'txn.uuid',
];

/** A name that the configuration gives itself: "cfg.merchant_id". */
export type OwnName = { name: string; kind: Kind; example: string };

/** What may stand in a place of a card's or a check's widget. */
export function tokensFor(place: TokenPlace, isCheck: boolean, own: readonly OwnName[], { operation }: Above = {}): Entry[] {
  const isOfPlan = ({ name, also }: Entry) => name.startsWith('arrangement.') || also.startsWith('arrangement.');
  const isKnown = (entry: Entry) => (operation === 'store' ? !isOfPlan(entry) : outlasts(entry));
  const outlasts = (entry: Entry) => entry.group === 'request' || OUTLASTING.includes(entry.name) || (operation === 'schedule' && isOfPlan(entry));
  const fits = ({ group, kind, name }: Entry) =>
    group !== (isCheck ? 'card' : 'check') && (place !== 'url' || group !== 'request') && (place === 'body' || !isDigits(kind)) && (place === 'sign' || name !== 'body.raw');
  return [...own.map((one): Entry => ({ ...one, what: 'token', group: 'own', also: '' })), ...[...FIXED_ENTRIES, ...TYPED_ENTRIES].filter(fits).filter((entry) => !operation || isKnown(entry))];
}

/** Which rows of its list, or which steps, stand above a place; everything that is not said stands above. An operation also has what is kept of the answer, and a schedule the plan; a store has what the payment has, but the plan. */
export type Above = { row?: number | undefined; step?: number | undefined; operation?: OperationKind | undefined };

/** Names that a place may use: `let` and `sign` each only those above their row, a step what steps before it give, a URL nothing that is secret or computed. */
export function ownNames({ constants, secrets, variables, steps, signature, outputs }: MoreDraft, place: TokenPlace, { row, step, operation }: Above = {}): OwnName[] {
  const text = (name: string, example: string): OwnName => ({ name, kind: 'Text', example });
  const names: OwnName[] = constants.map(({ name, value }) => text(`cfg.${name}`, value));
  if (operation && operation !== 'store') names.push(...outputs.map(({ name, value }) => text(`sale.${name}`, value)));
  if (place !== 'url') names.push(...secrets.map((name) => text(`secret.${name}`, '••••••')));
  const add = (space: 'let' | 'sign', list: MoreDraft['variables']) => {
    for (const { name, value } of list) names.push({ name: `${space}.${name}`, kind: kindOf(value, names), example: value });
  };
  if (place !== 'url') add('let', place === 'let' ? variables.slice(0, row) : variables);
  if (place !== 'let') {
    for (const { name, extract = [] } of steps.slice(0, step)) {
      const given = extract.filter((output) => output.name && (place !== 'url' || output.public));
      names.push(...given.map((output) => text(`step.${name}.${output.name}`, output.value)));
    }
  }
  if (step === undefined && (place === 'header' || place === 'sign')) add('sign', place === 'sign' ? signature.slice(0, row) : signature);
  return names.filter(({ name }) => !name.endsWith('.'));
}

/** Filters without an argument: the name and an example of what comes out. */
export const PLAIN = [
  ['minor', '12050'],
  ['major', '120.5'],
  ['int', '12050'],
  ['num', '120.5'],
  ['bool', 'true'],
  ['upper', 'ACME'],
  ['lower', 'acme'],
  ['trim', 'ACME'],
  ['digits', '15550100199'],
  ['ascii', 'Muller'],
  ['urlenc', 'a%20b'],
  ['json', 'a\\"b'],
  ['xml', 'a&amp;b'],
  ['hex', '4f2a'],
  ['unhex', '4f2a → ·'],
  ['b64', 'Tyo='],
  ['unb64', 'Tyo= → ·'],
  ['sha1', '·'],
  ['sha256', '·'],
  ['sha512', '·'],
] as const;

/** Filters with an argument: the name, an argument to begin with, an example of what comes out. */
export const WITH_ARGUMENT = [
  ['decimal', '2', '120.50'],
  ['truncate', '20', 'ACME'],
  ['pad', '6', '000042'],
  ['replace', '-,', '7F2K91QD'],
  ['default', 'none', 'none'],
  ['map', 'visa=001,amex=003', '001'],
  ['word', '1', 'Jane'],
  ['hmac256', 'secret.key', '·'],
  ['hmac512', 'secret.key', '·'],
] as const;

/** How a date is written: the filter, an example, whether it needs a day, which an expiry date has not. */
export const DATE_FORMATS = [
  ['MMYY', '0330', false],
  ['MM/YY', '03/30', false],
  ['MMYYYY', '032030', false],
  ['MM/YYYY', '03/2030', false],
  ['YYYY-MM', '2030-03', false],
  ['YYYYMM', '203003', false],
  ['YYMM', '3003', false],
  ['MM', '03', false],
  ['M', '3', false],
  ['YY', '30', false],
  ['YYYY', '2030', false],
  ['DD', '25', true],
  ['iso', '2030-03-25', true],
  ['YYYYMMDD', '20300325', true],
  ['MMDDYYYY', '03252030', true],
] as const;

const OF_TEXT = ['upper', 'lower', 'trim', 'digits', 'ascii', 'truncate', 'pad', 'replace', 'default', 'map', 'word', 'urlenc', 'json', 'xml'];

/** What a filter makes of a value of this kind; undefined: it takes none of it. Keyed digits are chosen among and never computed with. */
export function gives(filter: string, kind: Kind): Kind | undefined {
  const format = DATE_FORMATS.find(([name]) => name === filter);
  if (format) {
    if (kind === 'Expiry') return format[2] ? undefined : 'Digits';
    return kind === 'Date' || kind === 'Instant' ? 'Text' : undefined;
  }
  const takes = (...kinds: Kind[]) => kinds.includes(kind);
  if (['minor', 'major', 'decimal'].includes(filter)) return takes('Amount') ? 'Text' : undefined;
  if (filter === 'int') return takes('Digits', 'Text') ? 'Bare' : undefined;
  if (filter === 'num') return takes('Text', 'Amount') ? 'Bare' : undefined;
  if (filter === 'bool') return takes('Text') ? 'Bare' : undefined;
  if (/^(sha|hmac)/.test(filter)) return takes('Text', 'Bytes') ? 'Bytes' : undefined;
  if (filter === 'hex' || filter === 'b64') return takes('Text', 'Bytes') ? 'Text' : undefined;
  if (filter === 'unhex' || filter === 'unb64') return takes('Text') ? 'Bytes' : undefined;
  return OF_TEXT.includes(filter) && takes('Text') ? 'Text' : undefined;
}

/** Filters that take a value of this kind. */
export function filtersFor(kind: Kind): Entry[] {
  const entry = (name: string, example: string, line: MessageId, argument = ''): Entry => ({ what: 'filter', name: argument ? `${name}:${argument}` : name, also: '', group: 'filter', kind, line, example });
  const all = [
    ...PLAIN.map(([name, example]) => entry(name, example, `token.filter.${name}`)),
    ...WITH_ARGUMENT.map(([name, argument, example]) => entry(name, example, `token.filter.${name}`, argument)),
    ...DATE_FORMATS.map(([name, example]) => entry(name, example, 'token.filter.date')),
  ];
  return all.filter(({ name }) => gives(name.split(':')[0]!, kind));
}

/** A token as it stands in a text, from its brace to behind the other. */
export type Standing = { start: number; end: number; name: string; filters: readonly string[] };

const TOKEN = /(?<!\\)\{([^{}|\s]+\.[^{}|\s]+)((?:\|[^{}]*)?)\}/g;

function standing(text: string): Standing[] {
  return [...text.matchAll(TOKEN)].map((found) => ({ start: found.index, end: found.index + found[0].length, name: found[1]!, filters: found[2]!.split('|').slice(1) }));
}

/** The token that a caret is in, or right behind. */
export function tokenAt(text: string, caret: number): Standing | undefined {
  return standing(text).find(({ start, end }) => caret > start && caret <= end);
}

/** What a token makes with its filters; undefined: a name or a filter is not known, or does not fit. */
export function kindOfToken({ name, filters }: Standing, own: readonly OwnName[]): Kind | undefined {
  const known = [...FIXED_ENTRIES, ...TYPED_ENTRIES, ...own].find((one) => one.name === name || ('also' in one && one.also === name));
  return filters.reduce<Kind | undefined>((kind, filter) => kind && gives(filter.split(':')[0]!.trim(), kind), known?.kind);
}

/** One token keeps its kind, everything else makes text. */
function kindOf(template: string, own: readonly OwnName[]): Kind {
  const [token, ...more] = standing(template);
  const alone = token && more.length === 0 && token.start === 0 && token.end === template.length;
  return (alone && kindOfToken(token, own)) || 'Text';
}

/** A text with what is selected in it afterwards. */
export type Edited = { text: string; start: number; end: number };
export type Selection = { start: number; end: number };

/** The text with a token in the place of what is selected; one that the caret is inside of stays, and the other follows it. */
export function withToken(text: string, at: Selection, name: string): Edited {
  const inside = at.start === at.end ? standing(text).find(({ start, end }) => at.start > start && at.start < end) : undefined;
  const { start, end } = inside ? { start: inside.end, end: inside.end } : at;
  const caret = start + name.length + 2;
  return { text: `${text.slice(0, start)}{${name}}${text.slice(end)}`, start: caret, end: caret };
}

/** The text with a filter at the end of the token at the caret; an argument is selected, for another to be typed over it. */
export function withFilter(text: string, { start }: Selection, filter: string): Edited {
  const token = tokenAt(text, start);
  if (!token) return { text, start, end: start };
  const place = token.end - 1;
  const colon = filter.indexOf(':');
  const next = `${text.slice(0, place)}|${filter}${text.slice(place)}`;
  const end = place + 1 + filter.length;
  return colon < 0 ? { text: next, start: end + 1, end: end + 1 } : { text: next, start: place + 2 + colon, end };
}
