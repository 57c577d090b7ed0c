/**
 * What differs between two states of a desktop, field by field, and how two people's changes become one.
 * Owns: the list of fields with their names and texts, the comparison, the merge.
 * Never: shows a password; that a new one was entered is all that is told.
 */
import type { Connection, DemographicInput, GatewayStep, Mapping, More, Operations, PaymentInputs, VerdictConditions } from '../lib/api/types';
import { TYPED_NAMES } from '../lib/capture/detail-inputs';
import { BRAND_NAMES, isAdvanced, isCheck } from '../lib/capture/words';
import type { MessageId, Translate } from '../lib/i18n';
import { LANGUAGE_NAMES, LOCALES } from '../lib/i18n/locales';
import type { DesktopDraft, GatewayDraft, NumberName, WidgetDraft } from './desktop-form';
import { fieldsOf } from './desktop-form';
import { LAYOUT_NAMES } from './desktop-words';
import { VERDICT_LISTS, operationsOf } from './more-form';

/** One field that differs. */
export type Row = {
  /** Identity within a comparison. */
  path: string;
  /** Window Title of the widget concerned; empty: the desktop itself. */
  widget: string;
  name: string;
  before: string;
  after: string;
};

/** A field that one or both of two people changed since both read the desktop. */
export type Clash = { path: string; widget: string; name: string; base: string; mine: string; theirs: string; by: 'me' | 'them' | 'both' };

type WidgetField = {
  id: string;
  label: (t: Translate) => string;
  /** For comparison and for people; undefined: this widget has no such field. */
  text: (t: Translate, widget: WidgetDraft) => string | undefined;
  /** The widget with this field as the other has it. */
  take: (widget: WidgetDraft, from: WidgetDraft) => WidgetDraft;
};

const named = (id: MessageId) => (t: Translate) => t(id);
const yesNo = (t: Translate, on: boolean) => t(on ? 'diff.yes' : 'diff.no');

const OWN: WidgetField[] = [
  { id: 'title', label: named('widget.title'), text: (_, widget) => widget.title, take: (widget, { title }) => ({ ...widget, title }) },
  { id: 'enabled', label: named('widget.enabled'), text: (t, widget) => yesNo(t, widget.enabled), take: (widget, { enabled }) => ({ ...widget, enabled }) },
  ...(['card_number', 'expiry', 'security_code', 'routing_number', 'account_number'] as const).map(
    (field): WidgetField => ({
      id: `prompts.${field}`,
      label: named(`widget.prompt.${field}`),
      text: (_, widget) => (fieldsOf(widget.kind).includes(field) ? (widget.prompts[field] ?? '') : undefined),
      take: (widget, from) => ({ ...widget, prompts: { ...widget.prompts, [field]: from.prompts[field] ?? '' } }),
    }),
  ),
  {
    id: 'card_types',
    label: named('widget.card_types'),
    text: (t, widget) => (isCheck(widget.kind) ? undefined : widget.card_types.map((brand) => t(BRAND_NAMES[brand])).join(', ')),
    take: (widget, { card_types }) => ({ ...widget, card_types }),
  },
];

/** Title and prompts in another language, a line each. */
const TEXTS: WidgetField[] = LOCALES.map(
  (locale): WidgetField => ({
    id: `translations.${locale}`,
    label: () => LANGUAGE_NAMES[locale],
    text: (_, { kind, translations }) => [translations[locale].title, ...fieldsOf(kind).map((field) => translations[locale].prompts[field] ?? '')].filter((text) => text !== '').join('\n'),
    take: (widget, from) => ({ ...widget, translations: { ...widget.translations, [locale]: from.translations[locale] } }),
  }),
);

const CHOICES = ['security_code', 'expiry_format', 'card_number_shown', 'sec_code'] as const;
const TOGGLES = ['reveal_security_code', 'show_brand_and_last_four', 'star_clears', 'pound_ends', 'mute_while_keying', 'process_after_hang_up', 'account_number_twice'] as const;
const COUNTS = ['hide_after_s', 'first_key_timeout_s', 'inter_key_timeout_s', 'attempts_max', 'process_max', 'session_limit_min'] as const;

function takeOption<K extends keyof WidgetDraft['options']>(name: K) {
  return (widget: WidgetDraft, from: WidgetDraft) => ({ ...widget, options: { ...widget.options, [name]: from.options[name] } });
}
const takeNumber = (name: NumberName) => (widget: WidgetDraft, from: WidgetDraft) => ({ ...widget, numbers: { ...widget.numbers, [name]: from.numbers[name] ?? '' } });

const OPTIONS: WidgetField[] = [
  ...CHOICES.map(
    (name): WidgetField => ({
      id: `options.${name}`,
      label: named(`options.${name}`),
      text: (t, { options }) => t(`options.${name}.${options[name]}` as MessageId),
      take: takeOption(name),
    }),
  ),
  ...TOGGLES.map(
    (name): WidgetField => ({ id: `options.${name}`, label: named(`options.${name}`), text: (t, { options }) => yesNo(t, options[name]), take: takeOption(name) }),
  ),
  ...COUNTS.map((name): WidgetField => ({ id: `options.${name}`, label: named(`options.${name}`), text: (_, { numbers }) => numbers[name] ?? '', take: takeNumber(name) })),
];

/** How customers of a check consent. */
const CONSENT: WidgetField[] = [
  { id: 'options.authorisation.rule', label: named('options.authorisation'), text: (t, { kind, options }) => (isCheck(kind) ? t(`options.authorisation.${options.authorisation.rule}`) : undefined), take: takeOption('authorisation') },
  { id: 'options.authorisation.text', label: named('options.authorisation_text'), text: (_, { kind, options }) => (isCheck(kind) && options.authorisation.rule !== 'none' ? options.authorisation.text : undefined), take: takeOption('authorisation') },
];

const prefillText = (t: Translate, { name, required, prefill }: DemographicInput) =>
  [t(TYPED_NAMES[name]), required ? t('diff.required') : '', prefill && prefill !== 'nothing' ? t(`options.prefill.${prefill}`) : ''].filter((text) => text !== '').join(', ');

/** What the agent types: fields of the tab Demographic, a line each in their order, and each rule of the tab Payment. */
function paymentField<K extends keyof PaymentInputs>(name: K, text: (t: Translate, value: PaymentInputs[K]) => string): WidgetField {
  return {
    id: `options.payment.${name}`,
    label: named(`options.payment.${name}`),
    text: (t, { kind, options }) => (isAdvanced(kind) ? text(t, options.payment[name]) : undefined),
    take: (widget, from) => ({ ...widget, options: { ...widget.options, payment: { ...widget.options.payment, [name]: from.options.payment[name] } } }),
  };
}
const TYPED: WidgetField[] = [
  {
    id: 'options.demographic',
    label: named('options.demographic'),
    text: (t, { kind, options }) => (isAdvanced(kind) ? options.demographic.map((input) => prefillText(t, input)).join('\n') : undefined),
    take: takeOption('demographic'),
  },
  paymentField('currencies', (_, currencies) => currencies.join(', ')),
  paymentField('amount_source', (t, source) => t(`options.payment.amount_source.${source}`)),
  paymentField('amount_min', (_, limit) => limit ?? ''),
  paymentField('amount_max', (_, limit) => limit ?? ''),
  paymentField('reference_required', yesNo),
  paymentField('description_required', yesNo),
  paymentField('fee', (_, fee) => (fee ? [fee.label, `${(fee.percent_hundredths ?? 0) / 100} %`, fee.fixed ?? ''].filter((text) => text !== '').join(', ') : '')),
  paymentField('arrangements', (t, kinds) => kinds.map((kind) => t(`arrangement.${kind}`)).join(', ')),
  paymentField('plan_months_max', (_, months) => String(months)),
  paymentField('plan_part_min', (_, limit) => limit ?? ''),
];

function gatewayField<K extends keyof GatewayDraft>(name: K, label: MessageId, text: (t: Translate, value: GatewayDraft[K]) => string): WidgetField {
  return {
    id: `gateway.${name}`,
    label: named(label),
    text: (t, { gateway }) => gateway && text(t, gateway[name]),
    take: (widget, from) => (from.gateway ? { ...widget, gateway: { ...(widget.gateway ?? from.gateway), [name]: from.gateway[name] } } : widget),
  };
}
const plain = (_: Translate, value: string) => value;
const rows = (_: Translate, mappings: readonly Mapping[]) => mappings.map(({ name, value }) => `${name}: ${value}`).join('\n');

const GATEWAY: WidgetField[] = [
  ...(['service_url', 'success_key', 'success_value', 'agent_message_key'] as const).map((name) => gatewayField(name, `widget.${name}`, plain)),
  gatewayField('missing_key', 'widget.missing_key', (t, value) => t(`widget.missing_key.${value}`)),
  gatewayField('send_standard_parameters', 'widget.send_standard', yesNo),
  gatewayField('request_params', 'widget.request_params', rows),
  gatewayField('auth_method', 'widget.auth_method', (t, value) => t(`widget.auth.${value}`)),
  gatewayField('auth_user_name', 'widget.auth_user_name', plain),
  {
    id: 'password',
    label: named('widget.auth_password'),
    text: (t, widget) => (isAdvanced(widget.kind) ? (widget.password ? t('diff.new_password') : '') : undefined),
    take: (widget, { password }) => ({ ...widget, password }),
  },
  ...([
    ['connection_timeout_ms', 'widget.connection_timeout'],
    ['read_timeout_ms', 'widget.read_timeout'],
  ] as const).map(
    ([name, label]): WidgetField => ({ id: `gateway.${name}`, label: named(label), text: (_, { gateway, numbers }) => (gateway ? (numbers[name] ?? '') : undefined), take: takeNumber(name) }),
  ),
  gatewayField('request_type', 'widget.request_type', plain),
  gatewayField('response_type', 'widget.response_type', plain),
  gatewayField('request_headers', 'widget.request_headers', rows),
];

/** A field behind More; one that was never set has no text. */
function moreField<K extends keyof More>(name: K, text: (t: Translate, value: NonNullable<More[K]>) => string): WidgetField {
  return {
    id: `gateway.more.${name}`,
    label: named(`more.${name}`),
    text: (t, { gateway }) => gateway && (gateway.more[name] === undefined ? '' : text(t, gateway.more[name]!)),
    take: (widget, from) => {
      const gateway = widget.gateway ?? from.gateway;
      if (!gateway || !from.gateway) return widget;
      const { [name]: _, ...rest } = gateway.more;
      const { [name]: taken } = from.gateway.more;
      return { ...widget, gateway: { ...gateway, more: taken === undefined ? rest : { ...rest, [name]: taken } } };
    },
  };
}
const lines = (_: Translate, list: readonly string[]) => list.join('\n');
const conditions = (t: Translate, verdict: VerdictConditions) => VERDICT_LISTS.flatMap((list) => (verdict[list] ?? []).map((condition) => `${t(`more.verdict.${list}`)}: ${condition}`)).join('\n');

/** A line a name. */
const connectionText = (t: Translate, { trust = '', client_certificate = '', proxy = '' }: Partial<Connection>) =>
  Object.entries({ trust, client_certificate, proxy })
    .filter(([, name]) => name !== '')
    .map(([field, name]) => `${t(`more.connection.${field as keyof Connection}`)}: ${name}`)
    .join('\n');

/** A step a paragraph: where to, then what of it is set. */
const stepsText = (t: Translate, steps: readonly GatewayStep[]) =>
  steps
    .map(({ name, url, method = 'POST', request_type, response_type, request_params = [], body = '', request_headers = [], extract = [], require = [] }) =>
      [
        `${name}: ${method} ${url}`,
        ...[request_type, response_type].flatMap((type) => type ?? []),
        ...(body ? [body] : []),
        ...[...request_params, ...request_headers].map((row) => `${row.name}: ${row.value}`),
        ...extract.map((row) => `${row.name} = ${row.value}${row.public ? ` (${t('more.step.public')})` : ''}`),
        ...require,
      ].join('\n'),
    )
    .join('\n\n');

/** The whole of each: what differs in a header or a condition is seen. */
const operationsText = (_: Translate, operations: Operations) =>
  operationsOf(operations)
    .map(([kind, operation]) => `${kind}: ${JSON.stringify(operation, null, 2)}`)
    .join('\n\n');

const MORE: WidgetField[] = [
  moreField('method', plain),
  moreField('request_format', (t, format) => t(`more.request_format.${format}`)),
  moreField('body', plain),
  moreField('body_form_field', plain),
  moreField('content_type', plain),
  moreField('constants', rows),
  moreField('secrets', lines),
  {
    id: 'secrets',
    label: named('more.secret_values'),
    text: (t, { kind, gateway, secrets }) => (isAdvanced(kind) ? (gateway?.more.secrets ?? []).filter((name) => secrets[name]).map((name) => t('more.new_secret', { name })).join('\n') : undefined),
    take: (widget, { secrets }) => ({ ...widget, secrets }),
  },
  moreField('variables', rows),
  moreField('steps', stepsText),
  moreField('signature', rows),
  moreField('auth_password', plain),
  moreField('connection', connectionText),
  moreField('response_format', (t, format) => t(`more.response_format.${format}`)),
  moreField('success_value', (t, meaning) => t(`more.success_value.${meaning}`)),
  moreField('message_keys', lines),
  moreField('outputs', rows),
  moreField('verdict', conditions),
  moreField('cases', (_, cases) => cases.map(({ name, expected }) => `${name}: ${expected.outcome}`).join('\n')),
  moreField('recovery', (t, way) => t(`more.recovery.${way}`)),
  moreField('store', (_, store) => (store ? JSON.stringify(store, null, 2) : '')),
  moreField('operations', operationsText),
];

const FIELDS: readonly WidgetField[] = [...OWN, ...TEXTS, ...OPTIONS, ...CONSENT, ...TYPED, ...GATEWAY, ...MORE];

/** A stored widget is known by its identity, a new one by its place in this form. */
const keyOf = (widget: WidgetDraft) => widget.id ?? widget.key;
const find = (draft: DesktopDraft, key: string) => draft.widgets.find((widget) => keyOf(widget) === key);

/** Texts of everything of a desktop, by path, in the order of the form. */
function textsOf(t: Translate, draft: DesktopDraft): Map<string, string> {
  const texts = new Map([
    ['name', draft.name.trim()],
    ['layout', t(LAYOUT_NAMES[draft.layout])],
  ]);
  for (const widget of draft.widgets) for (const [path, text] of widgetTexts(t, widget)) texts.set(path, text);
  return texts;
}

function widgetTexts(t: Translate, widget: WidgetDraft): [string, string][] {
  const own: [string, string][] = [[`${keyOf(widget)}/`, t('diff.there')]];
  for (const field of FIELDS) {
    const text = field.text(t, widget);
    if (text !== undefined) own.push([`${keyOf(widget)}/${field.id}`, text]);
  }
  return own;
}

/** The order of the widgets that both have. */
function orderOf(draft: DesktopDraft, other: DesktopDraft): string[] {
  return draft.widgets.map(keyOf).filter((key) => find(other, key));
}
const titles = (draft: DesktopDraft, keys: readonly string[]) => keys.map((key) => find(draft, key)?.title ?? '').join(', ');
const same = (one: readonly string[], other: readonly string[]) => one.join('\n') === other.join('\n');

function nameOf(t: Translate, path: string): string {
  if (path === 'name') return t('desktops.name');
  if (path === 'layout') return t('desktops.layout');
  if (path === 'order') return t('diff.order');
  const id = path.slice(path.indexOf('/') + 1);
  return FIELDS.find((field) => field.id === id)?.label(t) ?? t('diff.widget');
}

function titleOf(path: string, ...drafts: DesktopDraft[]): string {
  const key = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
  for (const draft of drafts) {
    const widget = find(draft, key);
    if (widget) return widget.title;
  }
  return '';
}

/** Every field that differs, the desktop's own first. */
export function difference(t: Translate, before: DesktopDraft, after: DesktopDraft): Row[] {
  const [old, now] = [textsOf(t, before), textsOf(t, after)];
  const found: Row[] = [];
  const [oldOrder, newOrder] = [orderOf(before, after), orderOf(after, before)];
  for (const path of new Set([...now.keys(), ...old.keys()])) {
    const [was, is] = [old.get(path) ?? '', now.get(path) ?? ''];
    if (was !== is && isShown(path, before, after)) found.push({ path, widget: titleOf(path, after, before), name: nameOf(t, path), before: was, after: is });
  }
  if (!same(oldOrder, newOrder)) found.push({ path: 'order', widget: '', name: nameOf(t, 'order'), before: titles(before, oldOrder), after: titles(after, newOrder) });
  return found.sort((one, other) => Number(one.widget !== '') - Number(other.widget !== ''));
}

/** Of a widget that one side does not have, its being there is all that is compared. */
function isShown(path: string, ...drafts: DesktopDraft[]): boolean {
  const slash = path.indexOf('/');
  if (slash < 0) return true;
  const everywhere = drafts.every((draft) => find(draft, path.slice(0, slash)));
  return path.endsWith('/') ? !everywhere : everywhere;
}

/** Everything that I or they changed since `base`. */
export function clashes(t: Translate, base: DesktopDraft, mine: DesktopDraft, theirs: DesktopDraft): Clash[] {
  const [myRows, theirRows] = [difference(t, base, mine), difference(t, base, theirs)];
  const gone = (draft: DesktopDraft, key: string) => find(base, key) !== undefined && find(draft, key) === undefined;
  const texts = { base: textsOf(t, base), mine: textsOf(t, mine), theirs: textsOf(t, theirs) };
  const found: Clash[] = [];
  const changed = new Set([...myRows, ...theirRows].map(({ path }) => path));
  const inFormOrder = new Set([...texts.base.keys(), ...texts.mine.keys(), ...texts.theirs.keys(), 'order']);
  for (const path of [...inFormOrder].filter((one) => changed.has(one))) {
    const key = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
    const removed = key !== '' && (gone(mine, key) || gone(theirs, key));
    // A widget that one removed and the other edited is one question, not one a field.
    if (removed && !path.endsWith('/')) continue;
    const edited = (rows: Row[]) => rows.some((row) => row.path === path || (removed && row.path.startsWith(`${key}/`)));
    const [iDid, theyDid] = [edited(myRows), edited(theirRows)];
    const text = (side: 'base' | 'mine' | 'theirs', draft: DesktopDraft) => {
      if (path === 'order') return titles(draft, draft.widgets.map(keyOf));
      const own = texts[side].get(path) ?? '';
      if (!removed || own === '') return removed ? t('diff.removed') : own;
      return side !== 'base' && (side === 'mine' ? myRows : theirRows).some((row) => row.path.startsWith(`${key}/`)) ? t('diff.edited') : own;
    };
    const clash = { path, widget: titleOf(path, mine, theirs, base), name: nameOf(t, path), base: text('base', base), mine: text('mine', mine), theirs: text('theirs', theirs) };
    if (clash.mine !== clash.theirs || (removed && iDid !== theyDid)) found.push({ ...clash, by: iDid && theyDid ? 'both' : iDid ? 'me' : 'them' });
  }
  return found.sort((one, other) => Number(one.widget !== '') - Number(other.widget !== ''));
}

/** Their desktop with what of mine is wanted. It is saved as the revision after theirs. */
export function merged(base: DesktopDraft, mine: DesktopDraft, theirs: DesktopDraft, takesMine: (path: string) => boolean): DesktopDraft {
  const next = { ...theirs };
  if (takesMine('name')) next.name = mine.name;
  if (takesMine('layout')) next.layout = mine.layout;
  const widgets = theirs.widgets
    .filter((widget) => find(mine, keyOf(widget)) || !find(base, keyOf(widget)) || !takesMine(`${keyOf(widget)}/`))
    .map((widget) => {
      const own = find(mine, keyOf(widget));
      const wanted = own ? FIELDS.filter(({ id }) => takesMine(`${keyOf(widget)}/${id}`)) : [];
      return wanted.reduce((taken, field) => (own ? field.take(taken, own) : taken), widget);
    });
  const added = mine.widgets.filter((widget) => !find(theirs, keyOf(widget)) && (!find(base, keyOf(widget)) || takesMine(`${keyOf(widget)}/`)));
  // A widget that they removed comes back as a new one; its password and its secrets are gone.
  next.widgets = [...widgets, ...added.map((widget) => (widget.id ? { ...widget, id: undefined, passwordSetAt: undefined, secretsSetAt: {} } : widget))];
  if (takesMine('order')) {
    const place = (widget: WidgetDraft) => {
      const at = mine.widgets.findIndex((other) => other.key === widget.key || keyOf(other) === keyOf(widget));
      return at < 0 ? Number.MAX_SAFE_INTEGER : at;
    };
    next.widgets = [...next.widgets].sort((one, other) => place(one) - place(other));
  }
  return next;
}
