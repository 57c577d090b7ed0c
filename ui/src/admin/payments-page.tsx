/** The ledger, and the resolution of unknown outcomes. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Cell, Column, Form, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, usePayments } from '../lib/api/queries';
import type { AttemptState, Login, Payment, PaymentRow } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, CheckInput, Chip, Notice, RadioInput, Sheet, TextInput } from '../lib/controls';
import type { IconName, Tone } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { dateTimeText, moneyText } from '../lib/i18n/format';
import css from './admin.module.css';

type Look = { name: MessageId; tone: Tone; icon: IconName };

const FINAL = {
  approved: { name: 'outcome_name.approved', tone: 'good', icon: 'check' },
  declined: { name: 'outcome_name.declined', tone: 'plain', icon: 'cross' },
  review: { name: 'outcome_name.review', tone: 'warn', icon: 'warning' },
  error: { name: 'outcome_name.error', tone: 'bad', icon: 'warning' },
  unknown: { name: 'outcome_name.unknown', tone: 'bad', icon: 'question' },
} satisfies Record<string, Look>;

function lookOf(state: AttemptState): Look {
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

function isUnknown({ state }: Payment): boolean {
  return state.state === 'final' && state.detail === 'unknown';
}

export default function PaymentsPage({ login }: { login: Login }) {
  const t = useT();
  const { data, error, isPending } = usePayments();
  return (
    <main className={css.wide} id="content">
      <h1>{t('payments.title')}</h1>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <Ledger rows={data} mayResolve={may(login, 'payment.resolve_unknown')} />}
    </main>
  );
}

export function Ledger({ rows, mayResolve }: { rows: readonly PaymentRow[]; mayResolve: boolean }) {
  const t = useT();
  const [only, setOnly] = useState(false);
  const [open, setOpen] = useState<Payment>();
  const unknown = rows.filter((row) => isUnknown(row.payment));
  const shown = only ? unknown : rows;
  return (
    <>
      <div className={css.head}>
        <p>
          {unknown.length > 0 ? <Notice tone="bad">{t('payments.unknown_count', { n: unknown.length })}</Notice> : t('payments.unknown_count', { n: 0 })}
        </p>
        <CheckInput label={t('payments.unknown_only')} value={only} onChange={setOnly} />
      </div>
      {shown.length === 0 ? (
        <p className={css.empty}>{t('payments.empty')}</p>
      ) : (
        <div className={css.tableFrame}>
          <Table className={css.table!} aria-label={t('payments.title')}>
            <TableHeader>
              <Column>{t('payments.when')}</Column>
              <Column isRowHeader>{t('payments.reference')}</Column>
              <Column>{t('payments.kind')}</Column>
              <Column>{t('payments.amount')}</Column>
              <Column>{t('payments.outcome')}</Column>
              <Column>{t('payments.agent')}</Column>
              <Column>{t('payments.message')}</Column>
              <Column>{t('payments.actions')}</Column>
            </TableHeader>
            <TableBody>
              {shown.map((row) => (
                <LedgerRow key={row.payment.attempt} row={row} onResolve={mayResolve ? setOpen : undefined} />
              ))}
            </TableBody>
          </Table>
        </div>
      )}
      <Sheet label={t('payments.resolve_title', { reference: open?.reference ?? '' })} open={open !== undefined} onClose={() => setOpen(undefined)}>
        {open && <Resolve payment={open} onClose={() => setOpen(undefined)} />}
      </Sheet>
    </>
  );
}

function LedgerRow({ row, onResolve }: { row: PaymentRow; onResolve: ((payment: Payment) => void) | undefined }) {
  const t = useT();
  const { payment } = row;
  const look = lookOf(payment.state);
  return (
    <Row id={payment.attempt} className={css.tableRow!}>
      <Cell>{dateTimeText(payment.created_at)}</Cell>
      <Cell>
        <code>{payment.reference}</code>
      </Cell>
      <Cell>{t(KIND_NAMES[payment.kind])}</Cell>
      <Cell className={css.amount!}>{moneyText(payment.amount)}</Cell>
      <Cell>
        <Chip tone={look.tone} icon={look.icon}>{t(look.name)}</Chip>
      </Cell>
      <Cell>{row.agent_name}</Cell>
      <Cell>{payment.message}</Cell>
      <Cell>
        {onResolve && isUnknown(payment) && (
          <Button size="small" onPress={() => onResolve(payment)} aria-label={t('payments.resolve_name', { reference: payment.reference })}>
            {t('payments.resolve')}
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function Resolve({ payment, onClose }: { payment: Payment; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<'' | 'approved' | 'declined'>('');
  const [reason, setReason] = useState('');
  const resolve = useMutation({
    mutationFn: () => api('POST', `/payments/${encodeURIComponent(payment.attempt)}/resolve`, { body: { outcome, reason: reason.trim() } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: KEYS.payments });
      onClose();
    },
  });
  const wrong = resolve.error instanceof ApiError ? resolve.error.problem.errors?.find((error) => error.field === 'reason')?.message : undefined;
  return (
    <Form
      className={css.sheetForm!}
      onSubmit={(event) => {
        event.preventDefault();
        if (!resolve.isPending) resolve.mutate();
      }}
    >
      <header className={css.sheetHead}>
        <h2>{t('payments.resolve_title', { reference: payment.reference })}</h2>
      </header>
      <div className={css.sheetBody}>
        <p>
          <strong>{moneyText(payment.amount)}</strong>, {dateTimeText(payment.created_at)}
        </p>
        <p>{t('payments.resolve_text')}</p>
        <RadioInput
          label={t('payments.resolve_outcome')}
          value={outcome}
          onChange={setOutcome}
          choices={[
            { id: 'approved', label: t('payments.resolve_approved') },
            { id: 'declined', label: t('payments.resolve_declined') },
          ]}
        />
        <TextInput label={t('payments.resolve_reason')} value={reason} onChange={setReason} lines={3} maxLength={500} required error={wrong} />
        {resolve.isError && !wrong && <Notice tone="bad" role="alert">{sentenceOf(resolve.error)}</Notice>}
      </div>
      <footer className={css.sheetFoot}>
        <Button onPress={onClose}>{t('widget.cancel')}</Button>
        <Button look="primary" type="submit" isDisabled={outcome === '' || reason.trim().length < 3 || resolve.isPending}>
          {t('payments.resolve_submit')}
        </Button>
      </footer>
    </Form>
  );
}
