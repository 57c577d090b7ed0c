/**
 * A desktop as the editor holds it.
 * Owns: the form of a desktop and its widgets, what it is read from and sent as, and what the editor can already say is wrong.
 * Never: decides; the server does, and its errors come back under the same paths.
 */
import type { Brand, DesktopForm, DesktopService, DesktopView, Field, GatewayConfig, Layout, More, PaymentInputs, Permission, WidgetInDraft, WidgetKind, WidgetOptions } from '../lib/api/types';
import { FIRST_DEMOGRAPHIC, FIRST_PAYMENT } from '../lib/capture/first-inputs';
import { isAdvanced, isCheck } from '../lib/capture/words';
import type { MessageId } from '../lib/i18n';
import { parseMoney } from '../lib/i18n/format';
import { FIRST_PROMPTS } from './first-prompts';
import type { Translations } from './translation-form';
import { firstTranslations, translationForm, translationsOf } from './translation-form';

export const KINDS: readonly WidgetKind[] = ['credit_card_basic', 'check_basic', 'credit_card_advanced', 'check_advanced'];
export const BRANDS: readonly Brand[] = ['visa', 'mastercard', 'american_express', 'discover'];
export const LAYOUTS: readonly Layout[] = ['agent_panel', 'extended_panel', 'designer'];

/** Numbers are kept as typed until they are sent. */
export const NUMBERS = {
  connection_timeout_ms: { min: 100, max: 60_000 },
  read_timeout_ms: { min: 1_000, max: 120_000 },
  hide_after_s: { min: 10, max: 120 },
  first_key_timeout_s: { min: 10, max: 120 },
  inter_key_timeout_s: { min: 3, max: 30 },
  attempts_max: { min: 1, max: 9 },
  process_max: { min: 1, max: 5 },
  session_limit_min: { min: 2, max: 30 },
} as const;
export type NumberName = keyof typeof NUMBERS;

/** Every entry has a value while it is edited. */
export type GatewayDraft = Required<Omit<GatewayConfig, 'more'>> & { more: More };

export type WidgetDraft = {
  /** Of this form only. */
  key: string;
  id: string | undefined;
  kind: WidgetKind;
  title: string;
  enabled: boolean;
  prompts: Partial<Record<Field, string>>;
  translations: Translations;
  card_types: Brand[];
  options: WidgetOptions;
  gateway: GatewayDraft | undefined;
  numbers: Partial<Record<NumberName, string>>;
  /** A new one; empty: keep. */
  password: string;
  passwordSetAt: number | undefined;
  /** New secrets by name; blank or left out: keep. */
  secrets: Readonly<Record<string, string>>;
  /** Since when each stored secret is there. */
  secretsSetAt: Readonly<Record<string, number>>;
};

export type DesktopDraft = {
  name: string;
  service: DesktopService;
  layout: Layout;
  revision: number;
  widgets: WidgetDraft[];
};

/** Errors by path: "title", "prompts.expiry", "gateway.request_params.0.name". */
export type Errors = Record<string, string>;

export function fieldsOf(kind: WidgetKind): Field[] {
  return isCheck(kind) ? ['routing_number', 'account_number'] : ['card_number', 'expiry', 'security_code'];
}

/** As the server has it: a text that is stored and edited, and none of the page. */
const FIRST_AUTHORISATION =
  'Today, {time.now}, {check.holder_name} authorises one debit of {payment.amount} {payment.currency} from the {check.account_type} account at {check.bank_name} that was just keyed. To revoke it, call {call.called} before the debit is made. Do you agree?';

const FIRST_OPTIONS: WidgetOptions = {
  security_code: 'required',
  reveal_security_code: false,
  hide_after_s: 60,
  card_number_shown: 'full',
  show_brand_and_last_four: false,
  expiry_format: 'mmyy',
  star_clears: true,
  pound_ends: true,
  first_key_timeout_s: 60,
  inter_key_timeout_s: 10,
  attempts_max: 3,
  process_max: 3,
  session_limit_min: 10,
  mute_while_keying: false,
  process_after_hang_up: false,
  account_number_twice: false,
  sec_code: 'by_holder',
  authorisation: { rule: 'none', text: FIRST_AUTHORISATION },
  demographic: FIRST_DEMOGRAPHIC,
  payment: FIRST_PAYMENT,
};

export const FIRST_GATEWAY: GatewayDraft = {
  service_url: '',
  success_key: '',
  success_value: '',
  agent_message_key: '',
  request_params: [],
  send_standard_parameters: true,
  auth_method: 'none',
  auth_user_name: '',
  connection_timeout_ms: 5_000,
  read_timeout_ms: 45_000,
  request_type: 'application/json',
  response_type: 'application/json',
  request_headers: [],
  missing_key: 'unknown',
  // The server takes and sends only what is not its default.
  more: {} as GatewayDraft['more'],
};

let made = 0;
function newKey(): string {
  made += 1;
  return `widget-${made}`;
}

/** A widget as Add makes it. The gateway is left to those who may edit it. */
export function newWidget(kind: WidgetKind, title: string, withGateway: boolean): WidgetDraft {
  const prompts = Object.fromEntries(fieldsOf(kind).map((field) => [field, FIRST_PROMPTS.en[field]]));
  const gateway = isAdvanced(kind) && withGateway ? FIRST_GATEWAY : undefined;
  return {
    key: newKey(),
    id: undefined,
    kind,
    title,
    enabled: false,
    prompts,
    translations: firstTranslations(fieldsOf(kind)),
    card_types: [],
    options: FIRST_OPTIONS,
    gateway,
    numbers: numbersOf(FIRST_OPTIONS, gateway),
    password: '',
    passwordSetAt: undefined,
    secrets: {},
    secretsSetAt: {},
  };
}

function numbersOf(options: WidgetOptions, gateway: GatewayDraft | undefined): WidgetDraft['numbers'] {
  const all: Record<string, unknown> = { ...options, ...gateway };
  const names = (Object.keys(NUMBERS) as NumberName[]).filter((name) => all[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, String(all[name])]));
}

export function draftOf(view: Pick<DesktopView, 'desktop' | 'passwords_set' | 'secrets_set'>, right: (permission: Permission) => boolean): DesktopDraft {
  const { desktop } = view;
  const widgets = desktop.widgets.map((widget): WidgetDraft => {
    const blank = isAdvanced(widget.kind) && right('gateway.edit') ? FIRST_GATEWAY : undefined;
    const gateway = widget.gateway ? { ...FIRST_GATEWAY, ...widget.gateway } : blank;
    return {
      key: newKey(),
      id: widget.id,
      kind: widget.kind,
      title: widget.title,
      enabled: widget.enabled,
      prompts: Object.fromEntries(widget.prompts.map((prompt) => [prompt.field, prompt.text])),
      translations: translationsOf(widget),
      card_types: BRANDS.filter((brand) => widget.card_types.includes(brand)),
      options: widget.options,
      gateway,
      numbers: numbersOf(widget.options, gateway),
      password: '',
      passwordSetAt: view.passwords_set.find((set) => set.widget === widget.id)?.set_at,
      secrets: {},
      secretsSetAt: Object.fromEntries(view.secrets_set.filter((set) => set.widget === widget.id).map(({ name, set_at }) => [name, set_at])),
    };
  });
  return { name: desktop.name, service: desktop.service, layout: desktop.layout, revision: desktop.revision, widgets };
}

export function formOf(draft: DesktopDraft): DesktopForm {
  const { name, service, layout, revision } = draft;
  return { name: name.trim(), service, layout, revision, widgets: draft.widgets.map(widgetFormOf) };
}

function widgetFormOf(draft: WidgetDraft): WidgetInDraft {
  const number = (name: NumberName) => Number(draft.numbers[name]);
  return {
    ...(draft.id ? { id: draft.id } : {}),
    kind: draft.kind,
    title: draft.title.trim(),
    enabled: draft.enabled,
    prompts: fieldsOf(draft.kind).map((field) => ({ field, text: draft.prompts[field] ?? '' })),
    translations: translationForm(draft.translations, fieldsOf(draft.kind)),
    card_types: draft.card_types,
    options: {
      ...draft.options,
      hide_after_s: number('hide_after_s'),
      first_key_timeout_s: number('first_key_timeout_s'),
      inter_key_timeout_s: number('inter_key_timeout_s'),
      attempts_max: number('attempts_max'),
      process_max: number('process_max'),
      session_limit_min: number('session_limit_min'),
    },
    gateway: draft.gateway && !isBlank(draft.gateway) ? gatewayFormOf(draft) : null,
    ...credentialsOf(draft),
  };
}

/** What was typed to be stored or tried: a password, and those secrets that the gateway names. */
export function credentialsOf({ gateway, password, secrets }: WidgetDraft): Pick<WidgetInDraft, 'gateway_password' | 'gateway_secrets'> {
  const typed = (gateway?.more.secrets ?? []).filter((name) => secrets[name]);
  return { ...(password ? { gateway_password: password } : {}), ...(typed.length > 0 ? { gateway_secrets: Object.fromEntries(typed.map((name) => [name, secrets[name]!])) } : {}) };
}

/** The gateway as it stands, filled in or not; null: this kind, or this login, has none. What More leaves out the server fills in. */
export function gatewayFormOf({ gateway, numbers }: WidgetDraft): GatewayConfig | null {
  if (!gateway) return null;
  return { ...gateway, connection_timeout_ms: Number(numbers.connection_timeout_ms), read_timeout_ms: Number(numbers.read_timeout_ms), more: gateway.more as GatewayConfig['more'] };
}

/** Nobody has filled it in yet: a widget may be prepared before its gateway is known. */
function isBlank(gateway: GatewayDraft): boolean {
  return gateway.service_url === '' && gateway.success_key === '' && gateway.success_value === '' && Object.keys(gateway.more).length === 0;
}

/** What a widget needs before it can be enabled, beside what its form refuses. */
export function lacksOf(widget: WidgetDraft): ('gateway' | 'password' | 'secret')[] {
  if (!isAdvanced(widget.kind)) return [];
  if (!widget.gateway || isBlank(widget.gateway)) return ['gateway'];
  const { auth_method, more } = widget.gateway;
  const noPassword = auth_method === 'basic' && !more.auth_password && !widget.passwordSetAt && widget.password === '';
  const noSecret = (more.secrets ?? []).some((name) => !widget.secretsSetAt[name] && !widget.secrets[name]);
  return [...(noPassword ? ['password' as const] : []), ...(noSecret ? ['secret' as const] : [])];
}

/** "widgets[0].title" and "widgets.0.title" are the same path. */
export function pathOf(field: string): string {
  return field.replaceAll(/\[(\d+)\]/g, '.$1');
}

/** Errors of the desktop itself, and of each widget under its own paths. */
export function splitErrors(draft: DesktopDraft, errors: readonly { field: string; message: string }[]): { desktop: Errors; widgets: Record<string, Errors> } {
  const split: { desktop: Errors; widgets: Record<string, Errors> } = { desktop: {}, widgets: {} };
  for (const error of errors) {
    const path = pathOf(error.field);
    const [, place, rest] = /^widgets\.(\d+)\.(.+)$/.exec(path) ?? [];
    const widget = place === undefined ? undefined : draft.widgets[Number(place)];
    if (widget && rest) {
      const own = (split.widgets[widget.key] ??= {});
      own[rest] ??= error.message;
    } else split.desktop[path] ??= error.message;
  }
  return split;
}

type Say = (id: MessageId, values?: Record<string, number>) => string;

/** What OK already refuses. */
export function widgetErrors(say: Say, draft: WidgetDraft, otherTitles: readonly string[]): Errors {
  const errors: Errors = {};
  const title = draft.title.trim();
  if (title.length < 1 || title.length > 60) errors.title = say('check.title');
  else if (otherTitles.some((other) => other.trim().toLowerCase() === title.toLowerCase())) errors.title = say('check.title_taken');
  for (const field of fieldsOf(draft.kind)) {
    const length = (draft.prompts[field] ?? '').trim().length;
    if (length < 1 || length > 500) errors[`prompts.${field}`] = say('check.prompt');
  }
  if (!isCheck(draft.kind) && draft.card_types.length === 0) errors.card_types = say('check.card_types');
  for (const [name, text] of Object.entries(draft.numbers)) {
    const { min, max } = NUMBERS[name as NumberName];
    const path = name.endsWith('_ms') ? `gateway.${name}` : `options.${name}`;
    const whole = /^\d{1,7}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(whole >= min && whole <= max)) errors[path] = say('check.range', { min, max });
  }
  if (isAdvanced(draft.kind)) Object.assign(errors, paymentErrors(say, draft.options.payment));
  if (draft.gateway && (draft.enabled || !isBlank(draft.gateway))) Object.assign(errors, gatewayErrors(say, draft.gateway));
  return errors;
}

/** Rules of the tab Payment (O14). */
function paymentErrors(say: Say, payment: PaymentInputs): Errors {
  const errors: Errors = {};
  const { currencies, fee } = payment;
  const isSum = (text: string) => currencies.every((currency) => parseMoney(text, currency, 'en') !== undefined);
  const add = (name: string, wrong: boolean, id: MessageId) => {
    if (wrong) errors[`options.payment.${name}`] = say(id);
  };
  const codes = currencies.every((code) => /^[A-Z]{3}$/.test(code)) && new Set(currencies).size === currencies.length;
  add('currencies', !codes || currencies.length < 1 || currencies.length > 10, 'check.currencies');
  for (const name of ['amount_min', 'amount_max', 'plan_part_min'] as const) add(name, payment[name] != null && !isSum(payment[name]), 'check.sum');
  add('arrangements', payment.arrangements.length === 0, 'check.arrangements');
  if (!(payment.plan_months_max >= 1 && payment.plan_months_max <= 24)) errors['options.payment.plan_months_max'] = say('check.range', { min: 1, max: 24 });
  if (!fee) return errors;
  const percent = fee.percent_hundredths ?? 0;
  add('fee.label', fee.label.trim() === '', 'check.required');
  add('fee.percent_hundredths', percent < 0 || percent > 2_000, 'check.percent');
  add('fee.fixed', (fee.fixed != null && !isSum(fee.fixed)) || (fee.fixed == null && percent === 0), 'check.fee');
  return errors;
}

function gatewayErrors(say: Say, gateway: GatewayDraft): Errors {
  const errors: Errors = {};
  if (!isServiceUrl(gateway.service_url)) errors['gateway.service_url'] = say('check.url');
  for (const name of ['success_key', 'success_value'] as const) if (!gateway[name].trim()) errors[`gateway.${name}`] = say('check.required');
  if (gateway.auth_method === 'basic' && !gateway.auth_user_name.trim()) errors['gateway.auth_user_name'] = say('check.required');
  for (const list of ['request_params', 'request_headers'] as const) {
    const seen = new Set<string>();
    gateway[list].forEach((row, place) => {
      const name = row.name.trim().toLowerCase();
      if (!name) errors[`gateway.${list}.${place}.name`] = say('check.row_name');
      else if (seen.has(name)) errors[`gateway.${list}.${place}.name`] = say('check.row_duplicate');
      seen.add(name);
    });
  }
  return errors;
}

function isServiceUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.hostname !== '' && url.username === '' && url.password === '' && url.hash === '';
}

/** Which tab of an Advanced widget shows an error. */
export function tabOfError(path: string): 'message' | 'gateway' | 'advanced' {
  if (path === 'gateway_password') return 'advanced';
  if (!path.startsWith('gateway')) return 'message';
  const first = ['service_url', 'success_key', 'success_value', 'agent_message_key', 'request_params', 'send_standard_parameters', 'missing_key', 'more'];
  return path === 'gateway' || path.startsWith('gateway_secrets') || first.some((name) => path.startsWith(`gateway.${name}`)) ? 'gateway' : 'advanced';
}

