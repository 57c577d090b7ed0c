/**
 * What is done with a payment afterwards: void, refund, capture.
 * Owns: the list of what was done, the actions with the reason why one cannot be used, and how an unknown one is settled.
 * Never: asks the gateway without a question that names what happens and to which payment.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { FollowUpChoice, FollowUpKind, FollowUpView, Money, Payment, ResolvedOutcome } from '../lib/api/types';
import { NOT_SENT_REASONS } from '../lib/capture/words';
import { Button, Chip, Notice, Question, RadioInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { amountText, amountTyped, dateTimeText, exampleAmount, moneyText, parseMoney } from '../lib/i18n/format';
import { pressKey } from '../lib/press-key';
import { REASON_CHARS, isReason } from '../lib/reason';
import css from './evidence.module.css';
import { DONE, KINDS, REFUSED, WHAT, lookOfFollowUp } from './follow-up-words';

type Rights = { mayRefund: boolean; mayResolve: boolean };

/** Of a payment that was never charged there is nothing to say. */
const saysNothing = ({ refused }: FollowUpChoice) => refused === 'not_charged' || refused === 'payment_open' || refused === 'payment_unknown';

export function PaymentFollowUps({ payment, followUps, choices, rights }: { payment: Payment; followUps: readonly FollowUpView[]; choices: readonly FollowUpChoice[]; rights: Rights }) {
  const t = useT();
  const [open, setOpen] = useState<FollowUpKind>();
  if (followUps.length === 0 && (!rights.mayRefund || choices.every(saysNothing))) return null;
  const chosen = choices.find(({ kind, most }) => kind === open && most);
  return (
    <section className={css.panel} aria-label={t('followup.title')}>
      <h3>{t('followup.title')}</h3>
      {followUps.length > 0 && (
        <ul className={css.followUps}>
          {followUps.map((followUp) => (
            <FollowUp key={followUp.id} payment={payment} followUp={followUp} mayResolve={rights.mayResolve} />
          ))}
        </ul>
      )}
      {rights.mayRefund && chosen?.most && <Ask key={chosen.kind} payment={payment} kind={chosen.kind} most={chosen.most} onClose={() => setOpen(undefined)} />}
      {rights.mayRefund && !chosen && !choices.every(saysNothing) && <Actions choices={choices} onOpen={setOpen} />}
    </section>
  );
}

/** One button a kind; why one cannot be used stands beside it once, however many share the reason. */
function Actions({ choices, onOpen }: { choices: readonly FollowUpChoice[]; onOpen: (kind: FollowUpKind) => void }) {
  const t = useT();
  const reasons = [...new Set(choices.flatMap(({ refused }) => refused ?? []))];
  return (
    <>
      {reasons.map((reason) => {
        const kinds = choices.filter(({ refused }) => refused === reason).map(({ kind }) => t(KINDS[kind]));
        return (
          <p key={reason} className={css.hint}>
            {t('followup.why_not', { kinds: kinds.join(', '), reason: t(REFUSED[reason]) })}
          </p>
        );
      })}
      <div className={css.actions}>
        {choices.map(({ kind, most }) => (
          <Button key={kind} isDisabled={!most} onPress={() => onOpen(kind)}>
            {t(KINDS[kind])}
          </Button>
        ))}
      </div>
    </>
  );
}

function Ask({ payment, kind, most, onClose }: { payment: Payment; kind: FollowUpKind; most: Money; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const keys = useRef({ of: '', key: '' });
  const [typed, setTyped] = useState(amountTyped(most));
  const [reason, setReason] = useState('');
  const [isAsked, setAsked] = useState(false);
  const amount = kind === 'void' ? most : parseMoney(typed, most.currency);
  const isTooMuch = amount !== undefined && amount.minor > most.minor;
  const step = useMutation({
    mutationFn: (body: { kind: FollowUpKind; amount: string; reason: string }) => {
      // The same wish keeps its key, so that a second press after a lost answer asks for nothing twice.
      const of = JSON.stringify(body);
      if (keys.current.of !== of) keys.current = { of, key: pressKey() };
      return api('POST', `/payments/${encodeURIComponent(payment.attempt)}/follow-ups`, { body, headers: { 'Idempotency-Key': keys.current.key } });
    },
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.payments }),
  });
  const wrong = (name: string) => (step.error instanceof ApiError ? step.error.problem.errors?.find(({ field }) => field === name)?.message : undefined);
  const amountError = amount === undefined ? t('form.amount', { example: exampleAmount() }) : isTooMuch ? t('form.amount_max', { limit: moneyText(most) }) : wrong('amount');
  const isReady = amount !== undefined && !isTooMuch && isReason(reason) && !step.isPending;
  const words = { kind: t(KINDS[kind]), amount: moneyText(amount ?? most), reference: payment.reference };
  return (
    <Form
      className={css.inputs!}
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) setAsked(true);
      }}
    >
      <p>{t(WHAT[kind])}</p>
      {kind !== 'void' && <TextInput label={t('payments.amount')} value={typed} onChange={setTyped} inputMode="decimal" required autoFocus hint={t('form.amount_max', { limit: moneyText(most) })} error={amountError} />}
      <TextInput label={t('resolution.why')} value={reason} onChange={setReason} lines={2} maxLength={REASON_CHARS.max} required autoFocus={kind === 'void'} error={wrong('reason')} />
      {step.isError && !wrong('amount') && !wrong('reason') && <Notice tone="bad" role="alert">{sentenceOf(step.error)}</Notice>}
      {step.isPending && <p role="status">{t('followup.asking')}</p>}
      <div className={css.actions}>
        <Button onPress={onClose}>{t('widget.cancel')}</Button>
        <Button look="primary" type="submit" isDisabled={!isReady}>
          {t('followup.go', words)}
        </Button>
      </div>
      <Question
        title={t('followup.sure', words)}
        open={isAsked}
        onClose={() => setAsked(false)}
        actions={
          <>
            <Button onPress={() => setAsked(false)}>{t('widget.cancel')}</Button>
            <Button
              look="primary"
              onPress={() => {
                setAsked(false);
                if (amount) step.mutate({ kind, amount: amountText(amount), reason: reason.trim() });
              }}
            >
              {t('followup.yes', words)}
            </Button>
          </>
        }
      >
        <p>{t('followup.sure_text')}</p>
      </Question>
    </Form>
  );
}

function FollowUp({ payment, followUp, mayResolve }: { payment: Payment; followUp: FollowUpView; mayResolve: boolean }) {
  const t = useT();
  const look = lookOfFollowUp(followUp.state);
  const isUnknown = followUp.state.state === 'final' && followUp.state.detail === 'unknown';
  return (
    <li>
      <span className={css.chips}>
        <strong>{t('followup.go', { kind: t(KINDS[followUp.kind]), amount: moneyText(followUp.amount) })}</strong>
        <Chip tone={look.tone} icon={look.icon}>{t(look.name)}</Chip>
        <span className={css.hint}>{t('followup.by', { name: followUp.by, time: dateTimeText(followUp.created_at) })}</span>
      </span>
      {followUp.reason && <blockquote className={css.quote}>{followUp.reason}</blockquote>}
      {followUp.state.state === 'not_sent' && <p>{t(NOT_SENT_REASONS[followUp.state.detail])}</p>}
      {followUp.message && <p>{followUp.message}</p>}
      {followUp.outputs.map(({ name, value }) => (
        <p key={name} className={css.hint}>
          {t('payments.output', { name })} <code>{value}</code>
        </p>
      ))}
      {isUnknown && (
        <>
          <p>{t('followup.unknown')}</p>
          {followUp.is_own || !mayResolve ? <p className={css.hint}>{t('followup.second')}</p> : <Settle payment={payment} followUp={followUp} />}
        </>
      )}
    </li>
  );
}

function Settle({ payment, followUp }: { payment: Payment; followUp: FollowUpView }) {
  const t = useT();
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<'' | ResolvedOutcome>('');
  const [reason, setReason] = useState('');
  const step = useMutation({
    mutationFn: (body: { outcome: ResolvedOutcome; reason: string }) =>
      api('POST', `/payments/${encodeURIComponent(payment.attempt)}/follow-ups/${encodeURIComponent(followUp.id)}/outcome`, { body }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.payments }),
  });
  const wrong = step.error instanceof ApiError ? step.error.problem.errors?.find(({ field }) => field === 'reason')?.message : undefined;
  return (
    <Form
      className={css.inputs!}
      onSubmit={(event) => {
        event.preventDefault();
        if (!step.isPending && outcome !== '') step.mutate({ outcome, reason: reason.trim() });
      }}
    >
      <RadioInput
        label={t('resolution.outcome')}
        value={outcome}
        onChange={setOutcome}
        choices={[
          { id: 'approved', label: t(DONE.approved) },
          { id: 'declined', label: t(DONE.declined) },
        ]}
      />
      <TextInput label={t('resolution.reason')} value={reason} onChange={setReason} lines={2} maxLength={REASON_CHARS.max} required error={wrong} />
      {step.isError && !wrong && <Notice tone="bad" role="alert">{sentenceOf(step.error)}</Notice>}
      <div className={css.actions}>
        <Button look="primary" type="submit" isDisabled={outcome === '' || !isReason(reason) || step.isPending}>
          {t('followup.settle')}
        </Button>
      </div>
    </Form>
  );
}
