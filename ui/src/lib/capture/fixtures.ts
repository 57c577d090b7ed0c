/**
 * Views for the gallery, the live preview and the tests, one per state that a person can meet.
 * Never: a digit of a card; values are given apart, and only a documented test number.
 */
import { FIRST_DEMOGRAPHIC, FIRST_PAYMENT } from './first-inputs';
import type { CallView, CaptureState, CaptureView, Field, FieldView, PaymentView, WidgetKind } from '../api/types';

export const NOW = Date.UTC(2026, 10, 25, 14, 3, 19);

const PROMPTS: Record<Field, string> = {
  card_number: 'Please key your card number, then press #.',
  expiry: 'Please key the month and year of the expiration date.',
  security_code: 'Please key the security code on the back.',
  routing_number: 'Please key the nine digits at the bottom left of your check.',
  account_number: 'Please key your account number, then press #.',
};
const EXPECTED: Record<Field, number | null> = {
  card_number: 16,
  expiry: 4,
  security_code: 3,
  routing_number: 9,
  account_number: null,
};

export function row(field: Field, change: Partial<FieldView> = {}): FieldView {
  return {
    field,
    prompt: PROMPTS[field],
    prompts: {},
    state: 'idle',
    count: 0,
    expected: EXPECTED[field],
    second_entry: false,
    error: null,
    attempt: 1,
    attempts_max: 3,
    brand: null,
    last_four: null,
    bank_name: null,
    refusal: null,
    revealable: false,
    ...change,
  };
}

export const obtained = (field: Field, change: Partial<FieldView> = {}) => row(field, { state: 'obtained', ...change });

function fieldsOf(kind: WidgetKind): Field[] {
  return kind.startsWith('check') ? ['routing_number', 'account_number'] : ['card_number', 'expiry', 'security_code'];
}

const TITLES: Record<WidgetKind, string> = {
  credit_card_basic: 'Card to CRM',
  check_basic: 'Check to CRM',
  credit_card_advanced: 'Card payment',
  check_advanced: 'Bank payment',
};

/** A view of a kind in a state; rows are all obtained from `ready` on. */
export function capture(kind: WidgetKind, state: CaptureState, change: Partial<CaptureView> = {}): CaptureView {
  const names = fieldsOf(kind);
  const complete = !['arming', 'blocked', 'armed', 'collecting', 'invalid'].includes(state);
  const fields = names.map((field) => (complete ? obtained(field) : row(field, state === 'arming' ? { prompt: '' } : {})));
  const advanced = kind.endsWith('advanced');
  const confirmed = state !== 'arming';
  const view: CaptureView = {
    id: `${kind}-${state}`,
    call: 'call-1',
    revision: 1,
    widget: {
      id: `widget-${kind}`,
      kind,
      title: TITLES[kind],
      titles: {},
      card_types: kind.startsWith('check') ? [] : ['visa', 'mastercard', 'american_express', 'discover'],
      reveal_security_code: false,
      hide_after_s: 60,
      security_code_optional: false,
      authorisation: 'none',
      authorisation_text: '',
      demographic: FIRST_DEMOGRAPHIC,
      payment: FIRST_PAYMENT,
    },
    state,
    reason: null,
    protection: advanced
      ? [
          { what: 'agent_leg_masked', name: '', confirmed: true },
          { what: 'recording_masked', name: '', confirmed },
        ]
      : [
          { what: 'call_recording_paused', name: '', confirmed: true },
          { what: 'screen_recording_paused', name: 'Desk recorder', confirmed },
        ],
    fields,
    listening: null,
    speaking: false,
    stray_keys: 0,
    missing: complete ? [] : names,
    ends_at: NOW + 8 * 60_000 + 12_000,
    may_keep_open: false,
    process_left: 3,
    confirm_gone: state === 'done',
    payment: null,
    ...change,
  };
  return { ...view, missing: change.missing ?? view.fields.filter((one) => one.state !== 'obtained' && one.state !== 'not_available').map((one) => one.field) };
}

/** A view in which one field is in a state and listens. */
export function atField(kind: WidgetKind, at: Field, change: Partial<FieldView>, state: CaptureState = 'collecting'): CaptureView {
  const names = fieldsOf(kind);
  const place = names.indexOf(at);
  const fields = names.map((field, other) => {
    if (other === place) return row(field, change);
    return other < place ? obtained(field, { revealable: kind.endsWith('basic') && field !== 'security_code' }) : row(field);
  });
  const listens = change.state !== 'obtained' && change.state !== 'locked';
  return capture(kind, state, { id: `${kind}-${at}-${change.state}-${change.error?.code ?? ''}`, fields, listening: listens ? at : null });
}

export function payment(change: Partial<PaymentView> = {}): PaymentView {
  return {
    attempt: 'attempt-1',
    reference: '7F2K-91QD',
    amount: { minor: 12_050, currency: 'USD' },
    has_plan: false,
    sent_at: NOW - 12_000,
    outcome: null,
    not_sent: null,
    message: '',
    status: null,
    ...change,
  };
}

/** Every outcome of an Advanced kind. */
export function outcomes(kind: 'credit_card_advanced' | 'check_advanced'): CaptureView[] {
  const after = (state: CaptureState, of: Partial<PaymentView>) =>
    capture(kind, state, { payment: payment(of), process_left: 2, protection: [] });
  return [
    capture(kind, 'processing', { payment: payment() }),
    after('approved', { outcome: 'approved', message: 'Thank you. Authorisation 004417.' }),
    after('declined', { outcome: 'declined', message: 'Insufficient funds' }),
    after('review', { outcome: 'review' }),
    after('error', { outcome: 'error', status: 401 }),
    capture(kind, 'not_sent', { payment: payment({ sent_at: null, not_sent: 'connect_timeout' }), process_left: 2 }),
    after('unknown', { outcome: 'unknown' }),
    after('checking', { outcome: 'unknown' }),
  ];
}

export function call(change: Partial<CallView> = {}): CallView {
  return {
    id: 'call-1',
    state: 'connected',
    caller: 'Jane Roe',
    caller_number: '+15550100199',
    called: '8005550100',
    began_at: NOW - 226_000,
    answered_at: NOW - 221_000,
    ended_at: null,
    line_silent: false,
    held_by: null,
    agent_muted: false,
    recording: { state: 'on', on_demand: false },
    transfer: null,
    line_protected: change.state !== 'ended' && (change.capture?.protection.some((part) => part.what === 'agent_leg_masked' && part.confirmed) ?? false),
    buttons: [
      { widget: 'w1', kind: 'credit_card_basic', title: 'Card to CRM', titles: {}, disabled: null },
      { widget: 'w2', kind: 'credit_card_advanced', title: 'Card payment', titles: {}, disabled: null },
      { widget: 'w3', kind: 'check_advanced', title: 'Bank payment', titles: {}, disabled: null },
    ],
    capture: null,
    ...change,
  };
}
