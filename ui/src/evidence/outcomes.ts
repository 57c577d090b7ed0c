/** Owns: how the state of an attempt looks and reads. */
import type { AttemptState, Outcome, Payment, PaymentStanding, ResolvedOutcome } from '../lib/api/types';
import { onlyStores } from '../lib/capture/stored';
import type { IconName, Tone } from '../lib/controls';
import type { MessageId } from '../lib/i18n';

export type Look = { name: MessageId; tone: Tone; icon: IconName };

const FINAL = {
  approved: { name: 'outcome_name.approved', tone: 'good', icon: 'check' },
  declined: { name: 'outcome_name.declined', tone: 'plain', icon: 'cross' },
  review: { name: 'outcome_name.review', tone: 'warn', icon: 'warning' },
  error: { name: 'outcome_name.error', tone: 'bad', icon: 'warning' },
  unknown: { name: 'outcome_name.unknown', tone: 'bad', icon: 'question' },
} satisfies Record<Outcome, Look>;

export function lookOf(state: AttemptState): Look {
  switch (state.state) {
    case 'intent':
      return { name: 'outcome_name.intent', tone: 'plain', icon: 'clock' };
    case 'sent':
      return { name: 'outcome_name.sent', tone: 'info', icon: 'clock' };
    case 'not_sent':
      return { name: 'outcome_name.not_sent', tone: 'plain', icon: 'cross' };
    case 'final':
      return FINAL[state.detail];
    default:
      return state satisfies never;
  }
}

export const outcomeName = (outcome: Outcome): MessageId => FINAL[outcome].name;

export const STANDINGS = {
  unknown: 'outcome_name.unknown',
  approved: 'outcome_name.approved',
  declined: 'outcome_name.declined',
  review: 'outcome_name.review',
  error: 'outcome_name.error',
  not_sent: 'outcome_name.not_sent',
  open: 'outcome_name.open',
} satisfies Record<PaymentStanding, MessageId>;

const RESOLVED = {
  approved: 'resolution.approved',
  declined: 'resolution.declined',
} satisfies Record<ResolvedOutcome, MessageId>;

const STORE_RESOLVED = {
  approved: 'resolution.stored',
  declined: 'resolution.not_stored',
} satisfies Record<ResolvedOutcome, MessageId>;

/** What two people say of an unknown outcome: charged or not; of what is only stored, whether it is. */
export const resolvedName = (payment: Payment, outcome: ResolvedOutcome): MessageId => (onlyStores(payment) ? STORE_RESOLVED : RESOLVED)[outcome];

export function isApproved({ state }: Payment): boolean {
  return state.state === 'final' && state.detail === 'approved';
}

export function isUnknown({ state }: Payment): boolean {
  return state.state === 'final' && state.detail === 'unknown';
}
