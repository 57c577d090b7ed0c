/** The audit trail: whether its chains fit, who did what, and days of it as a file. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useState } from 'react';
import { Cell, Column, Form, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { Link } from 'wouter';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, mayFindRecordings } from '../lib/api/queries';
import type { AuditAction, AuditList, AuditRow, AuditVerification, Login } from '../lib/api/types';
import { looksLikeCard } from '../lib/capture/payment-form';
import { Button, Chip, Notice, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { clockText, dateTimeText, numberText } from '../lib/i18n/format';
import { ACTION_NAMES, isRefusal } from './audit-words';
import { DayInputs } from './day-inputs';
import type { Bounds } from './days';
import { boundsOf, endOf } from './days';
import { EntryFacts } from './entry-facts';
import { ExportButton } from './export-button';
import css from './evidence.module.css';
import { queryOf, useSearchState } from './search-state';

const PAGE_ROWS = 50;
const DAY_MS = 86_400_000;
/** The server's bound: 31 days and the hour that a clock is put back. */
const EXPORT_MS_MAX = 31 * DAY_MS + DAY_MS / 24;
/** The object of a capture's entries. */
const CAPTURE = /^capture ([0-9a-z]{26})$/;
/** The object of a recording's entries. */
const RECORDING = /^recording ([0-9a-z]{26})$/;
/** A choice that narrows nothing. */
const ALL = '*';

export default function AuditPage({ login }: { login: Login }) {
  const t = useT();
  const state = useSearchState('today');
  const bounds = boundsOf(state.days);
  const query = queryOf({ ...bounds, actor: state.value('actor'), action: state.value('action'), object: state.value('object') });
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [...KEYS.audit, query],
    queryFn: ({ pageParam, signal }) => api<AuditList>('GET', `/audit?${query}&${queryOf({ limit: PAGE_ROWS, before: pageParam || undefined })}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: ({ entries }) => (entries.length < PAGE_ROWS ? undefined : entries.at(-1)?.position),
    placeholderData: keepPreviousData,
  });
  const rows = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <main className={css.page} id="content">
      <div className={css.head}>
        <h1>{t('audit.title')}</h1>
        <Verification />
      </div>
      <Filters state={state} bounds={bounds} />
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <Entries rows={rows} mayHear={mayFindRecordings(login)} />}
      {hasNextPage && (
        <Button onPress={() => void fetchNextPage()} isDisabled={isFetchingNextPage}>
          {t('list.more')}
        </Button>
      )}
    </main>
  );
}

/** Recomputed by the server when the page opens, and when it is asked to. */
function Verification() {
  const t = useT();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: KEYS.verification,
    queryFn: ({ signal }) => api<AuditVerification>('GET', '/audit/verification', { signal }),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  if (error) return <Notice tone="bad" role="alert">{t('audit.not_verified', { reason: sentenceOf(error) })}</Notice>;
  if (!data) return <p role="status">{t('audit.verifying')}</p>;
  return (
    <div className={css.chips} role="status">
      {data.intact ? (
        <Chip tone="good" icon="check">{t('audit.verified', { position: numberText(data.position), time: clockText(data.at) })}</Chip>
      ) : (
        <Notice tone="bad" role="alert">
          {data.broken ? t('audit.broken_at', { position: numberText(data.broken.position), chain: data.broken.chain, seq: data.broken.seq }) : t('audit.broken')}
        </Notice>
      )}
      <Button size="small" look="quiet" isDisabled={isFetching} onPress={() => void refetch()}>
        {t(isFetching ? 'audit.verifying' : 'audit.verify')}
      </Button>
    </div>
  );
}

function Filters({ state, bounds }: { state: ReturnType<typeof useSearchState>; bounds: Bounds }) {
  const t = useT();
  const { value, change, days, setDays } = state;
  const actions = (Object.keys(ACTION_NAMES) as AuditAction[]).map((id) => ({ id, label: t(ACTION_NAMES[id]) }));
  const sorted = actions.toSorted((left, right) => left.label.localeCompare(right.label));
  const until = endOf(bounds);
  const mayExport = bounds.from !== undefined && until > bounds.from && until - bounds.from <= EXPORT_MS_MAX;
  return (
    <section className={css.filters} aria-label={t('list.filters')}>
      <DayInputs days={days} onChange={setDays} />
      <SelectInput
        label={t('audit.action')}
        value={value('action') || ALL}
        choices={[{ id: ALL, label: t('list.all') }, ...sorted]}
        onChange={(action) => change({ action: action === ALL ? '' : action })}
      />
      <Words key={`${value('actor')} ${value('object')}`} actor={value('actor')} object={value('object')} onChange={change} />
      <div className={css.filterActions}>
        <ExportButton
          label={t('audit.export')}
          path={() => `/audit/export?${queryOf({ from: bounds.from, until })}`}
          disabled={mayExport ? undefined : t('audit.export_days')}
        />
      </div>
      <Evidence object={value('object')} />
    </section>
  );
}

/** For the object of a capture: its signed evidence, and the keys that it is verified with. */
function Evidence({ object }: { object: string }) {
  const t = useT();
  const capture = CAPTURE.exec(object)?.[1];
  if (capture === undefined) return null;
  return (
    <div className={css.filterActions}>
      <ExportButton label={t('audit.evidence')} path={() => `/captures/${capture}/evidence`} />
      <Link href={`/evidence/${capture}`}>{t('audit.evidence_read')}</Link>
      <a href="/api/v1/evidence/keys" download="evidence-keys.json">{t('audit.evidence_keys')}</a>
      <span className={css.hint}>{t('audit.evidence_hint')}</span>
    </div>
  );
}

/** Sent when they are complete, not at each key. */
function Words({ actor, object, onChange }: { actor: string; object: string; onChange: (values: { actor: string; object: string }) => void }) {
  const t = useT();
  const [typed, setTyped] = useState({ actor, object });
  const isCard = looksLikeCard(typed.actor) || looksLikeCard(typed.object);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!isCard) onChange({ actor: typed.actor.trim(), object: typed.object.trim() });
  };
  return (
    <Form className={`${css.search} ${css.twoWords}`} onSubmit={send}>
      <TextInput label={t('audit.actor')} value={typed.actor} onChange={(text) => setTyped({ ...typed, actor: text })} maxLength={64} />
      <TextInput
        label={t('audit.object_begins')}
        value={typed.object}
        onChange={(text) => setTyped({ ...typed, object: text })}
        maxLength={80}
        error={isCard ? t('form.card_typed') : undefined}
      />
      <Button type="submit">{t('list.search')}</Button>
    </Form>
  );
}

function Entries({ rows, mayHear }: { rows: readonly AuditRow[]; mayHear: boolean }) {
  const t = useT();
  if (rows.length === 0) return <p className={css.empty}>{t('audit.empty')}</p>;
  return (
    <div className={css.tableFrame}>
      <Table className={css.table!} aria-label={t('audit.title')}>
        <TableHeader className={css.tableHead!}>
          <Column>{t('audit.position')}</Column>
          <Column>{t('audit.time')}</Column>
          <Column>{t('audit.actor')}</Column>
          <Column>{t('audit.address')}</Column>
          <Column isRowHeader>{t('audit.action')}</Column>
          <Column>{t('audit.object')}</Column>
          <Column>{t('audit.result')}</Column>
          <Column>{t('audit.facts')}</Column>
        </TableHeader>
        <TableBody>
          {rows.map((row) => (
            <Row key={row.position} id={row.position} className={css.plainRow!} textValue={t(ACTION_NAMES[row.action])}>
              <Cell data-label={t('audit.position')}>{`#${numberText(row.position)}`}</Cell>
              <Cell data-label={t('audit.time')}>
                <time dateTime={new Date(row.at).toISOString()}>{dateTimeText(row.at)}</time>
              </Cell>
              <Cell data-label={t('audit.actor')}>{row.actor}</Cell>
              <Cell data-label={t('audit.address')}>{row.address}</Cell>
              <Cell data-label={t('audit.action')}>{t(ACTION_NAMES[row.action])}</Cell>
              <Cell data-label={t('audit.object')}>
                <AboutWhat object={row.object} mayHear={mayHear} />
              </Cell>
              <Cell data-label={t('audit.result')}>
                {isRefusal(row.action) ? <Chip tone="bad" icon="cross">{t('audit.refused')}</Chip> : <Chip icon="check">{t('audit.done')}</Chip>}
              </Cell>
              <Cell data-label={t('audit.facts')}>
                <EntryFacts detail={row.detail} />
              </Cell>
            </Row>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}

/** A recording is one press away for whoever may listen to it; the trail names it also when it is gone. */
function AboutWhat({ object, mayHear }: { object: string; mayHear: boolean }) {
  const recording = mayHear ? RECORDING.exec(object)?.[1] : undefined;
  return recording ? <Link href={`/recordings/${recording}`}>{object}</Link> : object;
}
