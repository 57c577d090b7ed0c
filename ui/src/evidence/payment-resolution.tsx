/**
 * An unknown outcome, settled by two people.
 * Owns: the first person's form, the second person's answer, and taking back what was said.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Payment, PaymentRow, ProposalView, ResolvedOutcome } from '../lib/api/types';
import { Button, Notice, RadioInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import { REASON_CHARS, isReason } from '../lib/reason';
import css from './evidence.module.css';
import { resolvedName } from './outcomes';

export function PaymentResolution({ row, mayResolve }: { row: PaymentRow; mayResolve: boolean }) {
  const t = useT();
  const { payment, proposal } = row;
  return (
    <section className={css.panel} aria-label={t('resolution.title')}>
      <h3>{t('resolution.title')}</h3>
      {!proposal && !mayResolve && <p>{t('resolution.ask')}</p>}
      {!proposal && mayResolve && <Say payment={payment} />}
      {proposal && <Said payment={payment} proposal={proposal} mayResolve={mayResolve} />}
    </section>
  );
}

/** Sends one step, and reads the payment anew whatever came of it: somebody may have been faster. */
function useStep(payment: Payment, path: 'proposal' | 'proposal/confirm' | 'proposal/reject') {
  const queries = useQueryClient();
  const step = useMutation({
    mutationFn: (body: { outcome?: ResolvedOutcome; reason?: string }) => api('POST', `/payments/${encodeURIComponent(payment.attempt)}/${path}`, { body }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.payments }),
  });
  const wrong = step.error instanceof ApiError ? step.error.problem.errors?.find(({ field }) => field === 'reason')?.message : undefined;
  const failure = step.isError && !wrong ? <Notice tone="bad" role="alert">{sentenceOf(step.error)}</Notice> : null;
  return { step, wrong, failure };
}

function Say({ payment }: { payment: Payment }) {
  const t = useT();
  const { step, wrong, failure } = useStep(payment, 'proposal');
  const [outcome, setOutcome] = useState<'' | ResolvedOutcome>('');
  const [reason, setReason] = useState('');
  return (
    <Form
      className={css.inputs!}
      onSubmit={(event) => {
        event.preventDefault();
        if (!step.isPending && outcome !== '') step.mutate({ outcome, reason: reason.trim() });
      }}
    >
      <p>{t('resolution.text')}</p>
      <RadioInput
        label={t('resolution.outcome')}
        value={outcome}
        onChange={setOutcome}
        choices={[
          { id: 'approved', label: t(resolvedName(payment, 'approved')) },
          { id: 'declined', label: t(resolvedName(payment, 'declined')) },
        ]}
      />
      <TextInput label={t('resolution.reason')} value={reason} onChange={setReason} lines={3} maxLength={REASON_CHARS.max} required error={wrong} />
      {failure}
      <div className={css.actions}>
        <Button look="primary" type="submit" isDisabled={outcome === '' || !isReason(reason) || step.isPending}>
          {t('resolution.submit')}
        </Button>
      </div>
    </Form>
  );
}

function Said({ payment, proposal, mayResolve }: { payment: Payment; proposal: ProposalView; mayResolve: boolean }) {
  const t = useT();
  const { step, failure } = useStep(payment, 'proposal/confirm');
  const [isRejecting, setRejecting] = useState(false);
  const outcome = t(resolvedName(payment, proposal.outcome));
  return (
    <>
      <p>{t('resolution.said', { name: proposal.by, outcome, time: dateTimeText(proposal.at) })}</p>
      <blockquote className={css.quote}>{proposal.reason}</blockquote>
      {(proposal.is_own || !mayResolve) && <p className={css.hint}>{t('resolution.second')}</p>}
      {failure}
      {mayResolve && isRejecting && <Reject payment={payment} isOwn={proposal.is_own} onCancel={() => setRejecting(false)} />}
      {mayResolve && !isRejecting && (
        <div className={css.actions}>
          <Button onPress={() => setRejecting(true)}>{t(proposal.is_own ? 'resolution.withdraw' : 'resolution.reject')}</Button>
          {!proposal.is_own && (
            <Button look="primary" isDisabled={step.isPending} onPress={() => step.mutate({ outcome: proposal.outcome })}>
              {t('resolution.confirm', { outcome })}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function Reject({ payment, isOwn, onCancel }: { payment: Payment; isOwn: boolean; onCancel: () => void }) {
  const t = useT();
  const { step, wrong, failure } = useStep(payment, 'proposal/reject');
  const [reason, setReason] = useState('');
  return (
    <Form
      className={css.inputs!}
      onSubmit={(event) => {
        event.preventDefault();
        if (!step.isPending) step.mutate({ reason: reason.trim() });
      }}
    >
      <TextInput label={t('resolution.why')} value={reason} onChange={setReason} lines={2} maxLength={REASON_CHARS.max} required autoFocus error={wrong} />
      {failure}
      <div className={css.actions}>
        <Button onPress={onCancel}>{t('widget.cancel')}</Button>
        <Button look="primary" type="submit" isDisabled={!isReason(reason) || step.isPending}>
          {t(isOwn ? 'resolution.withdraw' : 'resolution.reject')}
        </Button>
      </div>
    </Form>
  );
}
