/** Owns: which message says what of a capture. Never: a word itself; those are in en.json. */
import type { Brand, ButtonDisabled, CaptureView, Field, FieldError, FieldView, NotSentReason, ProtectionPart, WidgetKind } from '../api/types';
import type { MessageId, Translate } from '../i18n';
import { currentCatalogue } from '../i18n/catalogue';

export const FIELD_NAMES = {
  card_number: 'field.card_number',
  expiry: 'field.expiry',
  security_code: 'field.security_code',
  routing_number: 'field.routing_number',
  account_number: 'field.account_number',
} satisfies Record<Field, MessageId>;

export const BRAND_NAMES = {
  visa: 'brand.visa',
  mastercard: 'brand.mastercard',
  american_express: 'brand.american_express',
  discover: 'brand.discover',
} satisfies Record<Brand, MessageId>;

export const KIND_NAMES = {
  credit_card_basic: 'kind.credit_card_basic',
  check_basic: 'kind.check_basic',
  credit_card_advanced: 'kind.credit_card_advanced',
  check_advanced: 'kind.check_advanced',
} satisfies Record<WidgetKind, MessageId>;

export const PROTECTION_NAMES = {
  agent_leg_masked: 'protection.agent_leg_masked',
  recording_masked: 'protection.recording_masked',
  call_recording_paused: 'protection.call_recording_paused',
  screen_recording_paused: 'protection.screen_recording_paused',
} satisfies Record<ProtectionPart, MessageId>;

export const NOT_SENT_REASONS = {
  resolve: 'not_sent.resolve',
  host_not_approved: 'not_sent.host_not_approved',
  connect_timeout: 'not_sent.connect_timeout',
  connect: 'not_sent.connect',
  tls: 'not_sent.tls',
  render: 'not_sent.render',
  step: 'not_sent.step',
  ledger: 'not_sent.ledger',
  busy: 'not_sent.busy',
} satisfies Record<NotSentReason, MessageId>;

export const DISABLED_REASONS = {
  not_connected: 'disabled.not_connected',
  on_hold: 'disabled.on_hold',
  capture_open: 'disabled.capture_open',
  recorders_undeclared: 'disabled.recorders_undeclared',
  host_not_approved: 'disabled.host_not_approved',
} satisfies Record<ButtonDisabled, MessageId>;

export function isAdvanced(kind: WidgetKind): boolean {
  return kind === 'credit_card_advanced' || kind === 'check_advanced';
}

export function isCheck(kind: WidgetKind): boolean {
  return kind === 'check_basic' || kind === 'check_advanced';
}

/** "Visa, Master Card or Discover": the types that this widget takes. */
export function acceptedText(t: Translate, brands: readonly Brand[], locale = currentCatalogue().tag): string {
  const names = brands.map((brand) => t(BRAND_NAMES[brand]));
  return new Intl.ListFormat(locale, { type: 'disjunction' }).format(names).replace(/,( or )/, '$1');
}

/** What the agent should say about a refused field. */
export function errorText(t: Translate, error: FieldError, row: FieldView, view: CaptureView): string {
  switch (error.code) {
    case 'too_short':
      return row.field === 'card_number'
        ? t('error.too_short.card', { n: error.arrived })
        : t('error.too_short', { n: error.arrived, field: row.field });
    case 'luhn':
      return t('error.luhn');
    case 'brand_not_accepted':
      return t('error.brand_not_accepted', {
        brand: t(BRAND_NAMES[error.brand]),
        accepted: acceptedText(t, view.widget.card_types),
      });
    case 'brand_unknown':
      return t('error.brand_unknown');
    case 'expiry_format':
      return t(row.expected === 6 ? 'error.expiry_format.six' : 'error.expiry_format');
    case 'expired':
      return t('error.expired');
    case 'cvv_length':
      return t('error.cvv_length', { n: error.needed });
    case 'aba_checksum':
      return t('error.aba_checksum');
    case 'routing_refused':
      return t('error.routing_refused', { reason: row.refusal ?? '' });
    case 'account_length':
      return t('error.account_length');
    case 'account_mismatch':
      return t('error.account_mismatch');
    case 'no_input':
      return t('error.no_input');
    case 'tones_unclear':
      return t('error.tones_unclear');
    case 'max_attempts':
      return t('error.max_attempts', { n: row.attempts_max });
    default:
      return error satisfies never;
  }
}

/** Reason codes of the server that have words here; others are shown as they are. */
const REASONS: Record<string, MessageId> = {
  no_media: 'reason.no_media',
  delay_line: 'reason.self_check',
  shadow_press: 'reason.self_check',
  sink: 'reason.sink',
  egress_guard: 'reason.egress_guard',
  heartbeat: 'reason.busy',
  busy: 'reason.busy',
  no_call: 'reason.no_call',
  timeout: 'reason.timeout',
  recorder_refused: 'reason.recorder',
  screen_not_shared: 'reason.screen',
  codec: 'reason.codec',
  time_limit: 'reason.session_limit',
  call_ended: 'reason.call_ended',
  party_changed: 'reason.party_changed',
  party_unanswered: 'reason.party_unanswered',
};

export function reasonText(t: Translate, reason: string | null | undefined): string {
  if (!reason) return t('reason.unknown');
  const id = REASONS[reason];
  return id ? t(id) : reason.replaceAll('_', ' ');
}

/** Outcomes after which nothing that was captured is kept (S10). */
const WIPED: readonly CaptureView['state'][] = ['approved', 'declined', 'review', 'error', 'unknown', 'checking'];

/** What the row says beside its dots. */
export function stateText(t: Translate, row: FieldView, view: CaptureView, held: boolean): string {
  if (held && (row.state === 'waiting' || row.state === 'keying' || row.state === 'slow')) return t('row.held');
  switch (row.state) {
    case 'idle': {
      const before = view.fields.find((other) => other.field === view.listening);
      return before && view.fields.indexOf(row) > view.fields.indexOf(before)
        ? t('row.waits_for', { field: before.field })
        : t('row.waits');
    }
    case 'waiting':
      if (row.second_entry) return t('row.second_entry');
      return row.attempt > 1
        ? t('row.waiting_again', { attempt: row.attempt, max: row.attempts_max })
        : t('row.waiting');
    case 'keying':
      return t('row.keying', { n: row.count });
    case 'slow':
      return t('row.slow');
    case 'invalid':
      return row.error ? errorText(t, row.error, row, view) : t('row.invalid');
    case 'obtained':
      return t(WIPED.includes(view.state) ? 'row.cleared' : 'row.obtained');
    case 'not_available':
      return t('row.not_available');
    case 'locked':
      return t('error.max_attempts', { n: row.attempts_max });
    default:
      return row.state satisfies never;
  }
}
