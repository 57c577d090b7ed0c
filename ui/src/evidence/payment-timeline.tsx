/** Owns: the words of a payment's steps, in order. */
import type { AttemptState, Payment, Step, TimelineStep } from '../lib/api/types';
import { doneAtOnce, onlyStores } from '../lib/capture/stored';
import { FIELD_NAMES } from '../lib/capture/words';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { clockText, dateTimeText, moneyText } from '../lib/i18n/format';
import css from './evidence.module.css';
import { DONE, KINDS, lookOfFollowUp } from './follow-up-words';
import { outcomeName, resolvedName } from './outcomes';

const HALF_A_DAY_MS = 12 * 3_600_000;

export function PaymentTimeline({ payment, steps }: { payment: Payment; steps: readonly TimelineStep[] }) {
  const t = useT();
  if (steps.length === 0) return <p className={css.hint}>{t('timeline.empty')}</p>;
  const when = (at: number) => (Math.abs(at - payment.created_at) < HALF_A_DAY_MS ? clockText(at) : dateTimeText(at));
  return (
    <ol className={css.timeline}>
      {steps.map((step, place) => (
        <li key={place} data-step={step.what.step}>
          <time dateTime={new Date(step.at).toISOString()}>{when(step.at)}</time>
          <span>{wordsOf(step.what, payment, t)}</span>
          <span className={css.hint}>{step.actor}</span>
        </li>
      ))}
    </ol>
  );
}

function wordsOf(step: Step, payment: Payment, t: Translate): string {
  switch (step.step) {
    case 'call_began':
    case 'capture_opened':
    case 'line_protected':
    case 'agreed':
    case 'intended':
    case 'sent':
    case 'not_sent':
    case 'capture_ended':
      return t(`timeline.${step.step}`);
    case 'field_obtained':
      return t('timeline.field_obtained', { field: t(FIELD_NAMES[step.field]), n: step.attempts });
    case 'ended':
      if (step.outcome === 'approved' && onlyStores(payment)) return t('timeline.ended', { outcome: t('due.stored', { done: doneAtOnce(payment) }) });
      return step.outcome === 'unknown' ? t('timeline.no_answer') : t('timeline.ended', { outcome: t(outcomeName(step.outcome)) });
    case 'found_open':
      return t('timeline.found_open', { outcome: t(step.outcome ? outcomeName(step.outcome) : 'outcome_name.not_sent') });
    case 'proposed':
      return t('timeline.proposed', { outcome: t(resolvedName(payment, step.outcome)), reason: step.reason });
    case 'rejected':
      return t('timeline.rejected', { reason: step.reason });
    case 'resolved':
      return t('timeline.resolved', { outcome: t(resolvedName(payment, step.outcome)) });
    case 'follow_up_intended':
      return t(step.reason ? 'timeline.follow_up_intended' : 'followup.go', { kind: t(KINDS[step.kind]), amount: moneyText(step.amount), reason: step.reason });
    case 'follow_up_sent':
      return t('timeline.follow_up_sent', { kind: t(KINDS[step.kind]) });
    case 'follow_up_ended': {
      const state: AttemptState = step.outcome ? { state: 'final', detail: step.outcome } : { state: 'not_sent', detail: 'busy' };
      return t('timeline.follow_up_ended', { kind: t(KINDS[step.kind]), outcome: t(lookOfFollowUp(state).name) });
    }
    case 'follow_up_settled':
      return t('timeline.follow_up_settled', { kind: t(KINDS[step.kind]), outcome: t(DONE[step.outcome]), reason: step.reason });
    default:
      return step satisfies never;
  }
}
