/** Owns: how voids, refunds, captures and schedules read, and what became of an amount. */
import type { Aftermath, AttemptState, FollowUpKind, FollowUpRefused, Payment, ResolvedOutcome } from '../lib/api/types';
import { doneAtOnce, onlyStores } from '../lib/capture/stored';
import type { MessageId, Translate } from '../lib/i18n';
import { moneyText } from '../lib/i18n/format';
import type { Look } from './outcomes';
import { isApproved, lookOf } from './outcomes';

export const KINDS = {
  void: 'followup.void',
  refund: 'followup.refund',
  capture: 'followup.capture',
  schedule: 'followup.schedule',
} satisfies Record<FollowUpKind, MessageId>;

/** What it does. */
export const WHAT = {
  void: 'followup.void_text',
  refund: 'followup.refund_text',
  capture: 'followup.capture_text',
  schedule: 'due.not_set_up_text',
} satisfies Record<FollowUpKind, MessageId>;

export const DONE = {
  approved: 'followup.done',
  declined: 'followup.not_done',
} satisfies Record<ResolvedOutcome, MessageId>;

export const REFUSED = {
  payment_open: 'followup.refused.payment_open',
  payment_unknown: 'followup.refused.payment_unknown',
  not_charged: 'followup.refused.not_charged',
  in_progress: 'followup.refused.in_progress',
  last_unknown: 'followup.refused.last_unknown',
  voided: 'followup.refused.voided',
  refunded: 'followup.refused.refunded',
  nothing_left: 'followup.refused.nothing_left',
  too_much: 'followup.refused.too_much',
  void_of_part: 'followup.refused.void_of_part',
  plan_of_part: 'followup.refused.plan_of_part',
  no_plan: 'followup.refused.no_plan',
  plan_set_up: 'followup.refused.plan_set_up',
  too_many: 'followup.refused.too_many',
  widget_gone: 'followup.refused.widget_gone',
  not_configured: 'followup.refused.not_configured',
} satisfies Record<FollowUpRefused, MessageId>;

/** As of a payment; but what the gateway refused was not done, whoever was charged. */
export function lookOfFollowUp(state: AttemptState): Look {
  const look = lookOf(state);
  return state.state === 'final' && state.detail === 'error' ? { ...look, name: DONE.declined } : look;
}

/** "Voided", "Refunded 20.00 USD", "Card stored, nothing charged today": what became of a payment's amount; empty: nothing. */
export function aftermathWords(payment: Payment, { voided, refunded_minor, captured_minor }: Aftermath, t: Translate): string[] {
  const of = (minor: number) => ({ amount: moneyText({ ...payment.amount, minor }) });
  const words: string[] = [];
  if (onlyStores(payment) && isApproved(payment)) words.push(t('due.stored', { done: doneAtOnce(payment) }));
  if (voided) words.push(t('followup.voided'));
  if (captured_minor > 0) words.push(t('followup.captured', of(captured_minor)));
  if (refunded_minor > 0) words.push(t('followup.refunded', of(refunded_minor)));
  return words;
}
