/**
 * What of a payment is due later, and how that stands at the gateway.
 * Owns: the schedule as a table, the one sentence that says whether it is set up, and setting it up alone.
 * Never: offers that while nobody knows whether it is set up; the server says when.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { api, sentenceOf } from '../api/client';
import { KEYS } from '../api/queries';
import type { Payment, PaymentDetail, PaymentRow, PlanStanding, PlanView } from '../api/types';
import { Button, Notice } from '../controls';
import type { MessageId, Translate } from '../i18n';
import { useT } from '../i18n';
import { dayText, moneyText } from '../i18n/format';
import { pressKey } from '../press-key';
import css from './plan-panel.module.css';
import { doneAtOnce, onlyStores } from './stored';

const STANDINGS = {
  in_sale: { name: 'due.in_sale', tone: 'info' },
  not_set_up: { name: 'due.not_set_up', tone: 'bad', text: 'due.not_set_up_text' },
  in_progress: { name: 'due.in_progress', tone: 'info' },
  set_up: { name: 'due.set_up', tone: 'good' },
  held: { name: 'due.held', tone: 'warn' },
  unknown: { name: 'due.unknown', tone: 'bad', text: 'due.unknown_text' },
} satisfies Record<PlanStanding, { name: MessageId; tone: 'info' | 'good' | 'warn' | 'bad'; text?: MessageId }>;

/** "Card stored, plan not set up". */
export const planWords = (t: Translate, payment: Payment, standing: PlanStanding): string => t(STANDINGS[standing].name, { done: doneAtOnce(payment) });

/** On the agent's page, once the sale is approved. */
export default function PlanPanel({ attempt }: { attempt: string }) {
  const t = useT();
  const { data, error } = useQuery({
    queryKey: [...KEYS.payments, 'one', attempt],
    queryFn: ({ signal }) => api<PaymentDetail>('GET', `/payments/${encodeURIComponent(attempt)}`, { signal }),
  });
  if (error) return <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>;
  return data?.plan ? <PlanDetails row={data.row} plan={data.plan} /> : <p role="status">{t('app.loading')}</p>;
}

export function PlanDetails({ row, plan }: { row: PaymentRow; plan: PlanView }) {
  const t = useT();
  const { payment, aftermath } = row;
  const arrangement = payment.arrangement;
  const standing = row.plan ? { ...STANDINGS[row.plan], words: planWords(t, payment, row.plan) } : undefined;
  const wentBack = aftermath.voided || aftermath.refunded_minor > 0;
  if (!arrangement) return null;
  return (
    <section className={css.plan} aria-label={t('due.title')}>
      <h3>{t('due.title')}</h3>
      {standing && (
        <Notice tone={standing.tone} role="status">
          <strong>{standing.words}</strong>
          {onlyStores(payment) && <p>{t('due.nothing_charged')}</p>}
          {'text' in standing && (row.plan === 'unknown' || plan.may_set_up) && <p>{t(standing.text)}</p>}
          {wentBack && row.plan !== 'not_set_up' && <p>{t('due.stays')}</p>}
        </Notice>
      )}
      {plan.may_set_up && <SetUp attempt={payment.attempt} />}
      <table>
        <thead>
          <tr>
            <th scope="col">{t('due.day')}</th>
            <th scope="col">{t('due.amount')}</th>
          </tr>
        </thead>
        <tbody>
          {arrangement.down_minor > 0 && (
            <tr>
              <th scope="row">{t('due.down')}</th>
              <td>{moneyText({ ...arrangement.total, minor: arrangement.down_minor })}</td>
            </tr>
          )}
          {plan.parts.map(({ day, amount }) => (
            <tr key={day}>
              <th scope="row">{dayText(day)}</th>
              <td>{moneyText(amount)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{t('due.total')}</th>
            <td>{moneyText(arrangement.total)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

/** A second press after a lost answer has the key of the first, so that nothing is set up twice. */
function SetUp({ attempt }: { attempt: string }) {
  const t = useT();
  const queries = useQueryClient();
  const key = useRef<string>(undefined);
  const step = useMutation({
    mutationFn: () => api('POST', `/payments/${encodeURIComponent(attempt)}/plan`, { headers: { 'Idempotency-Key': (key.current ??= pressKey()) } }),
    onSuccess: () => {
      key.current = undefined;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.payments }),
  });
  return (
    <>
      {step.isError && <Notice tone="bad" role="alert">{sentenceOf(step.error)}</Notice>}
      {step.isPending && <p role="status">{t('due.asking')}</p>}
      <div>
        <Button look="primary" isDisabled={step.isPending} onPress={() => step.mutate()}>
          {t('due.go')}
        </Button>
      </div>
    </>
  );
}
