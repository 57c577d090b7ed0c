/**
 * A capture without a call, for the live preview.
 * Owns: what a consumer, a line and a gateway would do to the view of a capture, step by step.
 * Never: a server's rule; the preview shows what agents see, it does not decide what may be captured.
 */
import type { CaptureAction, CaptureView, Field, FieldError, FieldView, PaymentForm, PaymentView } from '../lib/api/types';
import { capture, payment, row } from '../lib/capture/fixtures';
import { isAdvanced } from '../lib/capture/words';
import type { WidgetDraft } from './desktop-form';
import { fieldsOf } from './desktop-form';

/** What someone else than the agent does. */
export type Happening = 'key' | 'value' | 'wrong' | 'hang_up' | 'approve' | 'decline' | 'no_answer';

/** Digits of an account number that the simulated consumer keys before #. */
const ACCOUNT_DIGITS = 10;

/** A scheme's documented test number and made-up others: never a person's. */
const VALUES: Record<Field, string> = { card_number: '4111111111111111', expiry: '0929', security_code: '', routing_number: '021000021', account_number: '0001234567' };

const WRONG: Record<Field, FieldError> = {
  card_number: { code: 'luhn' },
  expiry: { code: 'expired' },
  security_code: { code: 'cvv_length', needed: 3 },
  routing_number: { code: 'aba_checksum' },
  account_number: { code: 'account_length' },
};

/** The widget as an agent finds it once the line is protected. */
export function opened(widget: WidgetDraft, now: number): CaptureView {
  const asked = fieldsOf(widget.kind).filter((field) => field !== 'security_code' || widget.options.security_code !== 'not_captured');
  const { options, numbers } = widget;
  const attempts = Number(numbers.attempts_max);
  const base = capture(widget.kind, 'armed');
  const fields = asked.map((field) =>
    row(field, {
      prompt: widget.prompts[field] ?? '',
      attempts_max: attempts,
      ...(field === 'expiry' && options.expiry_format === 'mmyyyy' ? { expected: 6 } : {}),
    }),
  );
  return settled({
    ...base,
    id: `preview-${widget.key}`,
    widget: {
      ...base.widget,
      title: widget.title,
      card_types: widget.card_types,
      reveal_security_code: options.reveal_security_code,
      hide_after_s: Number(numbers.hide_after_s),
      security_code_optional: options.security_code === 'optional',
      authorisation: 'none',
      authorisation_text: widget.kind === 'check_basic' && options.authorisation.rule !== 'none' ? options.authorisation.text : '',
      demographic: options.demographic,
      payment: options.payment,
    },
    fields,
    process_left: Number(numbers.process_max),
    ends_at: now + Number(numbers.session_limit_min) * 60_000,
  });
}

/** After something that the agent did; undefined: the widget is closed. */
export function acted(view: CaptureView, action: CaptureAction): CaptureView | undefined {
  switch (action.do) {
    case 'listen':
      return settled({ ...withRow(view, action.field, (one) => (one.state === 'obtained' ? one : { ...one, state: 'waiting', count: 0, error: null })), listening: action.field });
    case 'rest':
      return settled({ ...leave(view), listening: null });
    case 'recapture':
      return settled({ ...withRow(leave(view), action.field, (one) => ({ ...one, state: 'waiting', count: 0, error: null, attempt: one.attempt + 1, revealable: false })), listening: action.field });
    case 'not_available':
      return next(withRow(view, action.field, (one) => ({ ...one, state: 'not_available', error: null })));
    case 'done':
      return { ...view, state: 'done', listening: null, confirm_gone: true };
    case 'confirm_gone':
      return { ...view, confirm_gone: false };
    case 'cancel':
      return { ...view, state: 'cancelled', listening: null };
    case 'try_again':
      return again(view);
    case 'keep_open':
    case 'same_person':
    case 'other_person':
      return view;
    case 'customer_speaking':
      return { ...view, speaking: true };
    case 'customer_spoke':
      return { ...view, speaking: false };
    case 'close':
      return undefined;
    default:
      return action satisfies never;
  }
}

/** Process Payment was pressed: the gateway has the request. */
export function processed(view: CaptureView, { amount }: PaymentForm, now: number): CaptureView {
  return { ...view, state: 'processing', listening: null, process_left: view.process_left - 1, payment: payment({ amount, sent_at: now }) };
}

/** Whether it can happen now. */
export function canHappen(view: CaptureView | undefined, what: Happening): boolean {
  if (!view) return false;
  if (what === 'approve' || what === 'decline' || what === 'no_answer') return view.state === 'processing';
  const live = ['armed', 'collecting', 'invalid', 'ready'].includes(view.state);
  if (what === 'hang_up' || what === 'key') return live;
  return live && listeningRow(view) !== undefined;
}

export function happened(view: CaptureView, what: Happening): CaptureView {
  switch (what) {
    case 'key':
      return keyed(view);
    case 'value':
      return obtained(view);
    case 'wrong':
      return refused(view);
    case 'hang_up':
      return { ...view, state: 'lost', reason: 'call_ended', listening: null, protection: [] };
    case 'approve':
      return ended(view, 'approved', { outcome: 'approved', message: '' });
    case 'decline':
      return ended(view, 'declined', { outcome: 'declined', message: '' });
    case 'no_answer':
      return ended(view, 'unknown', { outcome: 'unknown' });
    default:
      return what satisfies never;
  }
}

/** What Basic shows of a field, by the widget's own options. */
export function valuesOf(view: CaptureView, { options }: WidgetDraft): Partial<Record<Field, string>> {
  const shown = view.fields.filter((one) => one.revealable);
  const text = (field: Field) => (field === 'card_number' && options.card_number_shown === 'last_four' ? VALUES[field].slice(-4) : VALUES[field]);
  return Object.fromEntries(shown.map(({ field }) => [field, field === 'expiry' && options.expiry_format === 'mmyyyy' ? '092029' : text(field)]));
}

const listeningRow = (view: CaptureView) => view.fields.find((one) => one.field === view.listening && one.state !== 'obtained' && one.state !== 'locked');

function withRow(view: CaptureView, field: Field, change: (one: FieldView) => FieldView): CaptureView {
  return { ...view, fields: view.fields.map((one) => (one.field === field ? change(one) : one)) };
}

/** A field that is left half keyed loses its digits. */
function leave(view: CaptureView): CaptureView {
  const row = listeningRow(view);
  return row ? withRow(view, row.field, (one) => ({ ...one, state: 'idle', count: 0, error: null })) : view;
}

const isThere = (one: FieldView) => one.state === 'obtained' || one.state === 'not_available';

/** The state that follows from the rows. */
function settled(view: CaptureView): CaptureView {
  const missing = view.fields.filter((one) => !isThere(one)).map(({ field }) => field);
  const wrong = view.fields.some((one) => one.state === 'invalid' || one.state === 'locked');
  const begun = view.listening !== null || view.fields.some((one) => one.state !== 'idle');
  const state = missing.length === 0 ? 'ready' : wrong ? 'invalid' : begun ? 'collecting' : 'armed';
  return { ...view, missing, state, revision: view.revision + 1 };
}

/** The next field without a value listens by itself. */
function next(view: CaptureView): CaptureView {
  const open = view.fields.find((one) => one.state === 'idle');
  if (!open) return settled({ ...view, listening: null });
  return settled({ ...withRow(view, open.field, (one) => ({ ...one, state: 'waiting' })), listening: open.field });
}

function keyed(view: CaptureView): CaptureView {
  const row = listeningRow(view);
  if (!row) return { ...view, stray_keys: view.stray_keys + 1, revision: view.revision + 1 };
  const count = (row.state === 'keying' ? row.count : 0) + 1;
  const keying = withRow(view, row.field, (one) => ({ ...one, state: 'keying', count, error: null }));
  return count >= (row.expected ?? ACCOUNT_DIGITS) ? obtained(keying) : settled(keying);
}

function obtained(view: CaptureView): CaptureView {
  const basic = !isAdvanced(view.widget.kind);
  const field = view.listening;
  if (!field) return view;
  const revealable = basic && field !== 'security_code';
  const change = { state: 'obtained', error: null, revealable, ...(basic && field === 'card_number' ? { brand: 'visa' as const } : {}) } as const;
  return next(withRow(view, field, (one) => ({ ...one, ...change, count: one.expected ?? ACCOUNT_DIGITS })));
}

function refused(view: CaptureView): CaptureView {
  const row = listeningRow(view);
  if (!row) return view;
  const last = row.attempt >= row.attempts_max;
  const wrong = { state: last ? 'locked' : 'invalid', error: last ? null : WRONG[row.field], count: 0, attempt: last ? row.attempt : row.attempt + 1 } as const;
  return settled({ ...withRow(view, row.field, (one) => ({ ...one, ...wrong })), listening: last ? null : view.listening });
}

/** A final outcome wipes everything that was captured. */
function ended(view: CaptureView, state: 'approved' | 'declined' | 'unknown', change: Partial<PaymentView>): CaptureView {
  return { ...view, state, protection: [], payment: { ...payment(), ...view.payment, ...change }, revision: view.revision + 1 };
}

function again(view: CaptureView): CaptureView {
  const fields = view.fields.map((one) => row(one.field, { prompt: one.prompt, attempts_max: one.attempts_max, expected: one.expected ?? null }));
  return settled({ ...view, protection: capture(view.widget.kind, 'armed').protection, fields, listening: null, payment: null, reason: null });
}
