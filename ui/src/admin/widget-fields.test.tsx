/** Each field of the four Add screens: what is typed is what is sent, and what is stored is what the screen shows again. */
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Brand, DesktopForm, DesktopView, WidgetInDraft, WidgetKind, WidgetOptions } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { DesktopEditor } from './desktop-editor';
import { usePanels } from './desktop-panels';

afterEach(() => vi.unstubAllGlobals());

type Dialog = ReturnType<typeof within>;
const TABS = ['Message Config', 'Payment Gateway Config', 'Advanced Config'] as const;
type Tab = (typeof TABS)[number];

/** A field of the reference: how a person sets it, where the document has it, how the screen shows it again. */
type FieldCase = {
  tab: Tab;
  set: (dialog: Dialog) => Promise<unknown>;
  sent: (widget: WidgetInDraft) => unknown;
  value: unknown;
  shown: (dialog: Dialog) => void;
};

const EMPTY: DesktopView = {
  desktop: { id: 'd1', name: 'Collections', service: 'standard', layout: 'extended_panel', revision: 1, widgets: [] },
  passwords_set: [],
  agents: 0,
  standing: { state: 'live', reasons: [] },
  saved_at: 0,
  saved_by: 'm.lee',
};
const KIND_LABELS: Record<WidgetKind, string> = {
  credit_card_basic: 'Credit Card Basic',
  check_basic: 'Check Basic',
  credit_card_advanced: 'Credit Card Advanced',
  check_advanced: 'Check Advanced',
};
const KINDS = Object.keys(KIND_LABELS) as WidgetKind[];
const TITLE = 'Payment by telephone';

function edit(view: DesktopView) {
  const Page = () => (
    <DesktopEditor view={view} login={loginOf('desktop.edit', 'gateway.edit', 'gateway.secret.write')} responseVariables={{ allow: 'all' }} justSaved={false} panels={usePanels()} onSaved={vi.fn()} onDiscard={vi.fn()} />
  );
  return renderPage(<Page />);
}

/** As the server answers: what was sent, without passwords. */
function stored({ widgets = [], ...desktop }: DesktopForm): DesktopView {
  return {
    ...EMPTY,
    desktop: { ...desktop, id: 'd1', revision: 2, widgets: widgets.map(({ gateway_password: _, ...widget }) => ({ ...widget, id: 'w1' }) as DesktopView['desktop']['widgets'][number]) },
    passwords_set: widgets.some((widget) => widget.gateway_password) ? [{ widget: 'w1', set_at: Date.UTC(2026, 10, 12) }] : [],
  };
}

/** A label, with or without the mark of what is required. */
const named = (label: string) => new RegExp(`^${label}`);

const fill = async (input: HTMLElement, text: string) => {
  await userEvent.clear(input);
  await userEvent.click(input);
  await userEvent.paste(text);
};

async function openTab(dialog: Dialog, kind: WidgetKind, tab: Tab): Promise<void> {
  if (kind.endsWith('advanced')) await userEvent.click(dialog.getByRole('tab', { name: new RegExp(`^${tab}`) }));
  if (tab !== 'Message Config') return;
  const more = dialog.getByRole('button', { name: 'More' });
  if (more.getAttribute('aria-expanded') !== 'true') await userEvent.click(more);
}

/** The form of a widget, which is read when the first one opens. */
async function openSheet(): Promise<Dialog> {
  const dialog = within(await screen.findByRole('dialog'));
  await dialog.findByLabelText(named('Window Title'));
  return dialog;
}

/** The Add screen of a kind with everything in it that OK asks for. */
async function addWidget(kind: WidgetKind): Promise<Dialog> {
  await userEvent.click(screen.getByRole('option', { name: KIND_LABELS[kind] }));
  await userEvent.click(screen.getByRole('button', { name: 'Add' }));
  const dialog = await openSheet();
  await fill(dialog.getByLabelText(named('Window Title')), TITLE);
  if (kind.startsWith('credit_card')) await userEvent.click(dialog.getByRole('checkbox', { name: 'Visa' }));
  if (!kind.endsWith('advanced')) return dialog;
  await openTab(dialog, kind, 'Payment Gateway Config');
  await fill(dialog.getByLabelText(named('Service URL')), 'https://gateway.example/charge');
  await fill(dialog.getByLabelText(named('Response Success Key')), 'status');
  await fill(dialog.getByLabelText(named('Response Success Value')), 'OK');
  return dialog;
}

/** OK, then Save: the widget as it was sent, and the document that comes back. */
async function okAndSave(dialog: Dialog): Promise<{ sent: WidgetInDraft; view: DesktopView }> {
  const saved: DesktopForm[] = [];
  fakeServer(({ method, body }) => {
    if (method !== 'PUT') return { status: 404 };
    saved.push(body as DesktopForm);
    return { json: stored(body as DesktopForm) };
  });
  await userEvent.click(dialog.getByRole('button', { name: 'OK' }));
  expect(screen.queryByRole('dialog')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() => expect(saved).toHaveLength(1));
  const form = saved[0]!;
  return { sent: form.widgets![0]!, view: stored(form) };
}

/** The same desktop, loaded anew, with its widget open. */
async function reopen(view: DesktopView): Promise<Dialog> {
  edit(view);
  await userEvent.click(screen.getByRole('button', { name: `Edit ${view.desktop.widgets[0]!.title}` }));
  return openSheet();
}

const textCase = (tab: Tab, label: string, value: string, sent: FieldCase['sent'], as: unknown = value): FieldCase => ({
  tab,
  set: (dialog) => fill(dialog.getByLabelText(named(label)), value),
  sent,
  value: as,
  shown: (dialog) => expect(dialog.getByLabelText(named(label))).toHaveValue(value),
});

const choiceCase = (tab: Tab, label: string, choice: string, sent: FieldCase['sent'], as: unknown = choice): FieldCase => ({
  tab,
  set: async (dialog) => {
    await userEvent.click(dialog.getByRole('button', { name: new RegExp(label) }));
    await userEvent.click(screen.getByRole('option', { name: choice }));
  },
  sent,
  value: as,
  shown: (dialog) => expect(dialog.getByRole('button', { name: new RegExp(label) })).toHaveTextContent(choice),
});

const mappingCase = (tab: Tab, title: string, nameLabel: string, name: string, value: string, sent: FieldCase['sent']): FieldCase => {
  const rows = (dialog: Dialog) => within(dialog.getByRole('group', { name: title }));
  return {
    tab,
    set: async (dialog) => {
      await userEvent.click(dialog.getByRole('button', { name: `Add: ${title}` }));
      await userEvent.click(dialog.getByRole('button', { name: `Add: ${title}` }));
      await fill(rows(dialog).getAllByRole('textbox', { name: nameLabel })[0]!, 'goes');
      await fill(rows(dialog).getAllByRole('textbox', { name: nameLabel })[1]!, name);
      await fill(rows(dialog).getAllByRole('textbox', { name: 'Value' })[1]!, value);
      await userEvent.click(rows(dialog).getByRole('checkbox', { name: 'Select row 1' }));
      await userEvent.click(dialog.getByRole('button', { name: `Delete: ${title}` }));
    },
    sent,
    value: [{ name, value }],
    shown: (dialog) => {
      expect(rows(dialog).getAllByRole('textbox', { name: nameLabel }).map((input) => (input as HTMLInputElement).value)).toEqual([name]);
      expect(rows(dialog).getByRole('textbox', { name: 'Value' })).toHaveValue(value);
    },
  };
};

const checkCase = (label: string, sent: FieldCase['sent'], value: unknown): FieldCase => ({
  tab: 'Message Config',
  set: (dialog) => userEvent.click(dialog.getByRole('checkbox', { name: label })),
  sent,
  value,
  shown: (dialog) => expect(dialog.getByRole('checkbox', { name: label })).toBeChecked(),
});

const title = textCase('Message Config', 'Window Title', 'Card to the other system', (widget) => widget.title);
const enabled = checkCase('Enabled', (widget) => widget.enabled, true);
const prompt = (label: string, field: string) => {
  const text = `Kindly key it now: ${label}.\nThen wait.`;
  return textCase('Message Config', label, text, (widget) => widget.prompts.find((one) => one.field === field)?.text);
};
const brand = (label: string, id: Brand) => checkCase(label, (widget) => widget.card_types?.includes(id), true);
/** Ticked already: OK asks for one. */
const visa: FieldCase = { ...brand('Visa', 'visa'), set: async () => {} };
const url = textCase('Payment Gateway Config', 'Service URL', 'https://other.example/pay?merchant=7', (widget) => widget.gateway?.service_url);
const key = textCase('Payment Gateway Config', 'Response Success Key', 'result.code', (widget) => widget.gateway?.success_key);
const value = textCase('Payment Gateway Config', 'Response Success Value', 'APPROVED', (widget) => widget.gateway?.success_value);
const message = textCase('Payment Gateway Config', 'Response Agent Message Key', 'result.text', (widget) => widget.gateway?.agent_message_key);
const params = mappingCase('Payment Gateway Config', 'Request Param Mapping', 'Name', 'pan', '{card.number}', (widget) => widget.gateway?.request_params);
const headers = mappingCase('Advanced Config', 'Request Header Mapping', 'Header', 'X-Merchant', 'ACME', (widget) => widget.gateway?.request_headers);
const method = choiceCase('Advanced Config', 'Auth Method', 'Basic', (widget) => widget.gateway?.auth_method, 'basic');
const user = textCase('Advanced Config', 'Auth User Name', 'merchant', (widget) => widget.gateway?.auth_user_name);
const password: FieldCase = {
  tab: 'Advanced Config',
  set: (dialog) => fill(dialog.getByLabelText(named('Auth Password')), 'correct horse'),
  sent: (widget) => widget.gateway_password,
  value: 'correct horse',
  shown: (dialog) => {
    expect(dialog.getByLabelText(named('Auth Password'))).toHaveValue('');
    expect(dialog.getByLabelText(named('Auth Password'))).toHaveAccessibleDescription(/Nov 12, 2026/);
  },
};
const connecting = textCase('Advanced Config', 'Connection Timeout', '2500', (widget) => widget.gateway?.connection_timeout_ms, 2_500);
const reading = textCase('Advanced Config', 'Read Timeout', '9000', (widget) => widget.gateway?.read_timeout_ms, 9_000);
const requestType = choiceCase('Advanced Config', 'Request Type', 'application/x-www-form-urlencoded', (widget) => widget.gateway?.request_type);
const responseType = choiceCase('Advanced Config', 'Response Type', 'text/plain', (widget) => widget.gateway?.response_type);


/** A field of the tab Demographic that is not asked for. */
const demographic: FieldCase = {
  tab: 'Message Config',
  set: (dialog) => userEvent.click(dialog.getByRole('checkbox', { name: 'Company: shown' })),
  sent: (widget) => widget.options?.demographic?.map(({ name }) => name).slice(0, 3),
  value: ['firstName', 'lastName', 'address1'],
  shown: (dialog) => expect(dialog.getByRole('checkbox', { name: 'Company: shown' })).not.toBeChecked(),
};
const typed = (label: string, text: string, name: 'amount_min' | 'amount_max') => textCase('Message Config', label, text, (widget) => widget.options?.payment?.[name]);
const rule = (label: string, name: 'reference_required' | 'description_required') => checkCase(label, (widget) => widget.options?.payment?.[name], true);
const currencies = textCase('Message Config', 'Currencies', 'EUR, CHF', (widget) => widget.options?.payment?.currencies, ['EUR', 'CHF']);
const amountSource = choiceCase('Message Config', 'The amount', 'comes from the CRM only', (widget) => widget.options?.payment?.amount_source, 'api');
const plans = checkCase('Payment plan', (widget) => widget.options?.payment?.arrangements, ['now', 'plan']);
const typedCases: [string, string, FieldCase][] = [
  ['o13', 'Demographic fields', demographic],
  ['o14', 'Currencies', currencies],
  ['o14', 'The amount', amountSource],
  ['o14', 'Smallest amount', typed('Smallest amount', '5.00', 'amount_min')],
  ['o14', 'Largest amount', typed('Largest amount', '500', 'amount_max')],
  ['o14', 'Reference is required', rule('Reference is required', 'reference_required')],
  ['o14', 'Description is required', rule('Description is required', 'description_required')],
  ['o14', 'The customer may', plans],
];

/** Options under More, none as it is by default. */
type Option = keyof WidgetOptions;
const ofOption = (name: Option) => (widget: WidgetInDraft) => widget.options?.[name];
const pick = (name: Option, label: string, choice: string, id: string) => choiceCase('Message Config', label, choice, ofOption(name), id);
const number = (name: Option, label: string, text: string) => textCase('Message Config', label.replace(/[()]/g, '\\$&'), text, ofOption(name), Number(text));
const turnOn = (name: Option, label: string) => checkCase(label, ofOption(name), true);
const turnOff = (name: Option, label: string): FieldCase => ({
  ...checkCase(label, ofOption(name), false),
  shown: (dialog) => expect(dialog.getByRole('checkbox', { name: label })).not.toBeChecked(),
});
const code = pick('security_code', 'Security code', 'Optional', 'optional');
const expiryFormat = pick('expiry_format', 'Expiry format', 'MMYYYY', 'mmyyyy');
const numberShown = pick('card_number_shown', 'Card number shown', 'Last four', 'last_four');
const brandShown = turnOn('show_brand_and_last_four', 'Show brand and last four after Obtained');
const hideAfter = number('hide_after_s', 'Hide values after (s)', '25');
const twice = turnOn('account_number_twice', 'Account number is keyed twice');
const onEveryKind: [string, string, FieldCase][] = [
  ['o7', '* clears the field', turnOff('star_clears', '* clears the field')],
  ['o7', '# ends the field', turnOff('pound_ends', '# ends the field')],
  ['o8', 'First key time-out (s)', number('first_key_timeout_s', 'First key time-out (s)', '90')],
  ['o8', 'Time-out between keys (s)', number('inter_key_timeout_s', 'Time-out between keys (s)', '17')],
  ['o9', 'Attempts per field', number('attempts_max', 'Attempts per field', '7')],
  ['o9', 'Process presses per capture', number('process_max', 'Process presses per capture', '2')],
  ['o10', 'Session limit (min)', number('session_limit_min', 'Session limit (min)', '22')],
  ['o11', 'Mute the customer while keying', turnOn('mute_while_keying', 'Mute the customer while keying')],
  ['o12', '30 s to process after hang-up', turnOn('process_after_hang_up', '30 s to process after hang-up')],
];

const CASES: Record<WidgetKind, [rows: string, name: string, field: FieldCase][]> = {
  credit_card_basic: [
    ['w2', 'Window Title', title],
    ['w3', 'Enabled', enabled],
    ['w4', 'Credit Card Text', prompt('Credit Card Text', 'card_number')],
    ['w5', 'Expiry Text', prompt('Expiry Text', 'expiry')],
    ['w6', 'Security Text', prompt('Security Text', 'security_code')],
    ['w8', 'Visa', visa],
    ['w9', 'Master Card', brand('Master Card', 'mastercard')],
    ['w10', 'American Express', brand('American Express', 'american_express')],
    ['w11', 'Discover', brand('Discover', 'discover')],
    ['o1', 'Security code', code],
    ['o2', 'Agent may hold to show the security code', turnOn('reveal_security_code', 'Agent may hold to show the security code')],
    ['o3', 'Hide values after (s)', hideAfter],
    ['o4', 'Card number shown', numberShown],
    ['o6', 'Expiry format', expiryFormat],
    ...onEveryKind,
  ],
  check_basic: [
    ['w14', 'Window Title', title],
    ['w15', 'Enabled', enabled],
    ['w16', 'Check Routing Text', prompt('Check Routing Text', 'routing_number')],
    ['w17', 'Check Account Text', prompt('Check Account Text', 'account_number')],
    ['o3', 'Hide values after (s)', hideAfter],
    ['o15', 'Account number is keyed twice', twice],
  ],
  credit_card_advanced: [
    ['w21', 'Window Title', title],
    ['w22', 'Enabled', enabled],
    ['w24', 'Credit Card Text', prompt('Credit Card Text', 'card_number')],
    ['w25', 'Expiry Text', prompt('Expiry Text', 'expiry')],
    ['w26', 'Security Text', prompt('Security Text', 'security_code')],
    ['w27', 'Visa', visa],
    ['w28', 'Master Card', brand('Master Card', 'mastercard')],
    ['w29', 'American Express', brand('American Express', 'american_express')],
    ['w30', 'Discover', brand('Discover', 'discover')],
    ['w31', 'Service URL', url],
    ['w32', 'Response Success Key', key],
    ['w33', 'Response Success Value', value],
    ['w34', 'Response Agent Message Key', message],
    ['w36 w37 w38', 'Request Param Mapping', params],
    ['w41', 'Auth Method', method],
    ['w42', 'Auth User Name', user],
    ['w43', 'Auth Password', password],
    ['w44', 'Connection Timeout', connecting],
    ['w45', 'Read Timeout', reading],
    ['w46', 'Request Type', requestType],
    ['w47', 'Response Type', responseType],
    ['w48 w49 w50', 'Request Header Mapping', headers],
    ['o1', 'Security code', code],
    ['o5', 'Show brand and last four after Obtained', brandShown],
    ['o6', 'Expiry format', expiryFormat],
    ...typedCases,
  ],
  check_advanced: [
    ['w55', 'Window Title', title],
    ['w56', 'Enabled', enabled],
    ['w58', 'Check Routing Text', prompt('Check Routing Text', 'routing_number')],
    ['w59', 'Check Account Text', prompt('Check Account Text', 'account_number')],
    ['w61', 'Service URL', url],
    ['w62', 'Response Success Key', key],
    ['w63', 'Response Success Value', value],
    ['w64', 'Response Agent Message Key', message],
    ['w65 w66', 'Request Param Mapping', params],
    ['w67', 'Auth Method', method],
    ['w68', 'Auth User Name', user],
    ['w69', 'Auth Password', password],
    ['w70', 'Connection Timeout', connecting],
    ['w71', 'Read Timeout', reading],
    ['w72', 'Request Type', requestType],
    ['w73', 'Response Type', responseType],
    ['w74 w75', 'Request Header Mapping', headers],
    ['o5', 'Show brand and last four after Obtained', brandShown],
    ['o15', 'Account number is keyed twice', twice],
  ],
};

/** The rows that stand for a screen as a whole. */
const PURPOSE: Record<WidgetKind, string> = { credit_card_basic: 'w1 w7', check_basic: 'w13', credit_card_advanced: 'w19 w39', check_advanced: 'w53' };

type Kept = { sent: WidgetInDraft; wrong: Map<FieldCase, unknown> };

/** Every field of the Add screen set, OK, Save, and the desktop loaded anew: what was sent, and the fields that the screen then shows otherwise. */
async function keep(kind: WidgetKind): Promise<Kept> {
  const first = edit(EMPTY);
  const dialog = await addWidget(kind);
  const fields = CASES[kind].map(([, , field]) => field);
  for (const tab of TABS) {
    const ofTab = fields.filter((field) => field.tab === tab);
    if (ofTab.length > 0) await openTab(dialog, kind, tab);
    for (const field of ofTab) await field.set(dialog);
  }
  const { sent, view } = await okAndSave(dialog);
  first.unmount();
  const again = await reopen(view);
  const wrong = new Map<FieldCase, unknown>();
  for (const tab of TABS) {
    const ofTab = fields.filter((field) => field.tab === tab);
    if (ofTab.length > 0) await openTab(again, kind, tab);
    for (const field of ofTab) {
      try {
        field.shown(again);
      } catch (error) {
        wrong.set(field, error);
      }
    }
  }
  return { sent, wrong };
}

for (const kind of KINDS) {
  describe(KIND_LABELS[kind], () => {
    let kept: Kept;
    beforeAll(async () => {
      kept = await keep(kind);
    }, 60_000);

    test(`${PURPOSE[kind]} everything of it is kept together`, () => {
      expect([...kept.wrong.keys()]).toEqual([]);
      for (const [, , field] of CASES[kind]) expect(field.sent(kept.sent)).toEqual(field.value);
    });

    test.each(CASES[kind])('%s %s is kept as it was set', (_rows, _name, field) => {
      expect(kept.sent.kind).toBe(kind);
      expect(field.sent(kept.sent)).toEqual(field.value);
      expect(kept.wrong.get(field)).toBeUndefined();
    });
  });
}

const OK_ROWS: [string, WidgetKind][] = [
  ['n5 n6 p10 w12', 'credit_card_basic'],
  ['n5 n6 p10 w18', 'check_basic'],
  ['n5 n6 p10 w52', 'credit_card_advanced'],
  ['n5 n6 p10 w76', 'check_advanced'],
];

test.each(OK_ROWS)('%s OK closes the Add screen of %s, and the row is there', async (_rows, kind) => {
  edit(EMPTY);
  const dialog = await addWidget(kind);
  const screenIsOf = dialog.getByRole('heading', { name: KIND_LABELS[kind] });
  expect(screenIsOf).toBeVisible();
  await userEvent.click(dialog.getByRole('button', { name: 'OK' }));
  expect(screen.queryByRole('dialog')).toBeNull();
  const row = screen.getByRole('button', { name: `Edit ${TITLE}` }).closest('[role="row"]');
  expect(row).toHaveTextContent(KIND_LABELS[kind]);
});

test.each([
  ['w23', 'credit_card_advanced'],
  ['w57', 'check_advanced'],
] as const)('%s %s has the three tabs', async (_row, kind) => {
  edit(EMPTY);
  const dialog = await addWidget(kind);
  expect(dialog.getAllByRole('tab').map((tab: HTMLElement) => tab.textContent)).toEqual(['Message Config', 'Payment Gateway Config', 'Advanced Config']);
});

test('w60 a check has no card types', async () => {
  for (const kind of KINDS) {
    const page = edit(EMPTY);
    const dialog = await addWidget(kind);
    await openTab(dialog, kind, 'Message Config');
    const group = dialog.queryByRole('group', { name: 'Credit Card Types' });
    if (kind.startsWith('check')) expect(group).toBeNull();
    else expect(within(group!).getAllByRole('checkbox')).toHaveLength(4);
    page.unmount();
  }
});
