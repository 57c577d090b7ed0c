/** The ledger: narrowed by the server, page by page, and one payment at the side. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, mayFindRecordings } from '../lib/api/queries';
import type { Login, PaymentChoices, PaymentList, PaymentRow } from '../lib/api/types';
import { planWords } from '../lib/capture/plan-panel';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, Chip, Notice, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText, moneyText } from '../lib/i18n/format';
import { boundsOf } from './days';
import css from './evidence.module.css';
import { ExportButton } from './export-button';
import { aftermathWords } from './follow-up-words';
import { lookOf, resolvedName } from './outcomes';
import { PaymentDrawer } from './payment-drawer';
import { PaymentFilters } from './payment-filters';
import { queryOf, useSearchState } from './search-state';

const PAGE_ROWS = 50;

export default function PaymentsPage({ login }: { login: Login }) {
  const t = useT();
  const state = useSearchState('today');
  const [open, setOpen] = useState<PaymentRow>();
  const query = queryOf({
    ...boundsOf(state.days),
    outcome: state.value('outcome'),
    agent: state.value('agent'),
    desktop: state.value('desktop'),
    search: state.value('search'),
  });
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [...KEYS.payments, 'list', query],
    queryFn: ({ pageParam, signal }) => api<PaymentList>('GET', `/payments?${query}&${queryOf({ limit: PAGE_ROWS, after: pageParam })}`, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const choices = useQuery({
    queryKey: [...KEYS.payments, 'choices'],
    queryFn: ({ signal }) => api<PaymentChoices>('GET', '/payments/choices', { signal }),
  });
  const searchError = error instanceof ApiError ? error.problem.errors?.find(({ field }) => field === 'search')?.message : undefined;
  const rows = data?.pages.flatMap((page) => page.payments) ?? [];
  return (
    <main className={css.page} id="content">
      <h1>{t('payments.title')}</h1>
      <PaymentFilters state={state} choices={choices.data} unknown={data?.pages[0]?.unknown} searchError={searchError}>
        {may(login, 'payment.export') && <ExportButton label={t('payments.export')} path={() => `/payments/export?${query}`} />}
      </PaymentFilters>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && !searchError && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <Ledger rows={rows} onOpen={setOpen} />}
      {hasNextPage && (
        <Button onPress={() => void fetchNextPage()} isDisabled={isFetchingNextPage}>
          {t('list.more')}
        </Button>
      )}
      <Sheet label={t('payments.one', { reference: open?.payment.reference ?? '' })} open={open !== undefined} onClose={() => setOpen(undefined)}>
        {open && <PaymentDrawer attempt={open.payment.attempt} listed={open} mayResolve={may(login, 'payment.resolve_unknown')} mayRefund={may(login, 'payment.refund')} mayProve={may(login, 'audit.read')} mayHear={mayFindRecordings(login)} onClose={() => setOpen(undefined)} />}
      </Sheet>
    </main>
  );
}

function Ledger({ rows, onOpen }: { rows: readonly PaymentRow[]; onOpen: (row: PaymentRow) => void }) {
  const t = useT();
  if (rows.length === 0) return <p className={css.empty}>{t('payments.empty')}</p>;
  const open = (attempt: unknown) => {
    const row = rows.find(({ payment }) => payment.attempt === attempt);
    if (row) onOpen(row);
  };
  return (
    <div className={css.tableFrame}>
      <Table className={css.table!} aria-label={t('payments.title')} onRowAction={open}>
        <TableHeader className={css.tableHead!}>
          <Column>{t('payments.when')}</Column>
          <Column isRowHeader>{t('payments.reference')}</Column>
          <Column>{t('payments.kind')}</Column>
          <Column className={css.amount!}>{t('payments.amount')}</Column>
          <Column>{t('payments.outcome')}</Column>
          <Column>{t('payments.agent')}</Column>
          <Column>{t('payments.desktop')}</Column>
          <Column>{t('payments.message')}</Column>
        </TableHeader>
        <TableBody>
          {rows.map((row) => (
            <LedgerRow key={row.payment.attempt} row={row} />
          ))}
        </TableBody>
      </Table>
    </div>
  );
}

function LedgerRow({ row }: { row: PaymentRow }) {
  const t = useT();
  const { payment, proposal, aftermath, plan } = row;
  const look = lookOf(payment.state);
  return (
    <Row id={payment.attempt} className={css.tableRow!} textValue={payment.reference}>
      <Cell data-label={t('payments.when')}>{dateTimeText(payment.created_at)}</Cell>
      <Cell data-label={t('payments.reference')}>
        <code className={css.open}>{payment.reference}</code>
      </Cell>
      <Cell data-label={t('payments.kind')}>{t(KIND_NAMES[payment.kind])}</Cell>
      <Cell data-label={t('payments.amount')} className={css.amount!}>
        {moneyText(payment.amount)}
      </Cell>
      <Cell data-label={t('payments.outcome')}>
        <span className={css.chips}>
          <Chip tone={look.tone} icon={look.icon}>{t(look.name)}</Chip>
          {aftermathWords(payment, aftermath, t).map((words) => <Chip key={words} tone="info" icon="check">{words}</Chip>)}
          {(plan === 'not_set_up' || plan === 'unknown') && <Chip tone="bad" icon="warning">{planWords(t, payment, plan)}</Chip>}
          {proposal && (
            <Chip tone="warn" icon="clock">{t('payments.proposed', { name: proposal.by, outcome: t(resolvedName(payment, proposal.outcome)) })}</Chip>
          )}
        </span>
      </Cell>
      <Cell data-label={t('payments.agent')}>{row.agent_name}</Cell>
      <Cell data-label={t('payments.desktop')}>{row.desktop_name}</Cell>
      <Cell data-label={t('payments.message')}>{payment.message}</Cell>
    </Row>
  );
}
