/** Recordings of calls: narrowed by the server, page by page. Each has a page of its own. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Cell, Column, Form, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { DayInputs } from '../evidence/day-inputs';
import { boundsOf } from '../evidence/days';
import css from '../evidence/evidence.module.css';
import { queryOf, useSearchState } from '../evidence/search-state';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, may } from '../lib/api/queries';
import type { Login, RecordingChoices, RecordingList, RecordingRow } from '../lib/api/types';
import { Button, Chip, Notice, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText, durationText } from '../lib/i18n/format';
import { EndChip } from './end-chip';

const PAGE_ROWS = 50;
/** A choice that narrows nothing. No identity has a star. */
const ALL = '*';

export default function RecordingsPage({ login }: { login: Login }) {
  const t = useT();
  const state = useSearchState('week');
  const query = queryOf({ ...boundsOf(state.days), call: state.value('call'), service: state.value('service'), agent: state.value('agent') });
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [...KEYS.recordings, 'list', query],
    queryFn: ({ pageParam, signal }) => api<RecordingList>('GET', `/recordings?${query}&${queryOf({ limit: PAGE_ROWS, after: pageParam })}`, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = data?.pages.flatMap((page) => page.recordings) ?? [];
  return (
    <main className={css.page} id="content">
      <h1>{t('recordings.title')}</h1>
      <Filters state={state} />
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && (rows.length === 0 ? <None mayConfigure={may(login, 'spc.enable') || may(login, 'desktop.edit')} /> : <Rows rows={rows} />)}
      {hasNextPage && (
        <Button onPress={() => void fetchNextPage()} isDisabled={isFetchingNextPage}>
          {t('list.more')}
        </Button>
      )}
    </main>
  );
}

/** Either nothing fits, or nothing is recorded at all: what that needs is said. */
function None({ mayConfigure }: { mayConfigure: boolean }) {
  const t = useT();
  return (
    <div className={css.empty}>
      <p>{t('recordings.empty')}</p>
      <p className={css.hint}>{t('recordings.empty_hint')}</p>
      {mayConfigure && (
        <p>
          <Link href="/configure/calls/services">{t('recordings.services')}</Link>
        </p>
      )}
    </div>
  );
}

function Filters({ state }: { state: ReturnType<typeof useSearchState> }) {
  const t = useT();
  const { value, change, days, setDays } = state;
  const choices = useQuery({
    queryKey: [...KEYS.recordings, 'choices'],
    queryFn: ({ signal }) => api<RecordingChoices>('GET', '/recordings/choices', { signal }),
  });
  const select = (name: 'service' | 'agent', label: string, list: RecordingChoices['agents'] = []) => (
    <SelectInput
      label={label}
      value={value(name) || ALL}
      choices={[{ id: ALL, label: t('list.all') }, ...list.map(({ id, name }) => ({ id, label: name }))]}
      onChange={(id) => change({ [name]: id === ALL ? '' : id })}
    />
  );
  return (
    <section className={css.filters} aria-label={t('list.filters')}>
      <DayInputs days={days} onChange={setDays} />
      {select('service', t('recordings.service'), choices.data?.services)}
      {select('agent', t('recordings.agent'), choices.data?.agents)}
      <Call key={value('call')} call={value('call')} onChange={(call) => change({ call })} />
      {choices.error && <Notice tone="bad" role="alert">{sentenceOf(choices.error)}</Notice>}
    </section>
  );
}

/** Sent when it is complete, not at each key. */
function Call({ call, onChange }: { call: string; onChange: (call: string) => void }) {
  const t = useT();
  const [typed, setTyped] = useState(call);
  return (
    <Form
      className={css.search!}
      onSubmit={(event) => {
        event.preventDefault();
        onChange(typed.trim());
      }}
    >
      <TextInput label={t('recordings.call')} value={typed} onChange={setTyped} maxLength={64} spellCheck="false" />
      <Button type="submit">{t('list.search')}</Button>
    </Form>
  );
}

function Rows({ rows }: { rows: readonly RecordingRow[] }) {
  const t = useT();
  const [, go] = useLocation();
  return (
    <div className={css.tableFrame}>
      <Table className={css.table!} aria-label={t('recordings.title')} onRowAction={(id) => go(`/recordings/${String(id)}`)}>
        <TableHeader className={css.tableHead!}>
          <Column isRowHeader>{t('recordings.began')}</Column>
          <Column>{t('recordings.agent')}</Column>
          <Column>{t('recordings.service')}</Column>
          <Column className={css.amount!}>{t('recordings.length')}</Column>
          <Column>{t('recordings.state')}</Column>
          <Column>{t('recordings.keep_until')}</Column>
          <Column>{t('recordings.call')}</Column>
        </TableHeader>
        <TableBody>
          {rows.map((row) => (
            <Row key={row.id} id={row.id} className={css.tableRow!} textValue={dateTimeText(row.began)}>
              <Cell data-label={t('recordings.began')}>
                <span className={css.open}>{dateTimeText(row.began)}</span>
              </Cell>
              <Cell data-label={t('recordings.agent')}>{row.agent_name || t('recordings.nobody')}</Cell>
              <Cell data-label={t('recordings.service')}>{row.service_name || t('recordings.service_gone')}</Cell>
              <Cell data-label={t('recordings.length')} className={css.amount!}>
                {row.end && durationText(row.end.length_ms)}
              </Cell>
              <Cell data-label={t('recordings.state')}>
                <span className={css.chips}>
                  <EndChip row={row} />
                  {row.medium === 'screen' && <Chip tone="info">{t('recordings.medium.screen')}</Chip>}
                </span>
              </Cell>
              <Cell data-label={t('recordings.keep_until')}>{dateTimeText(row.keep_until)}</Cell>
              <Cell data-label={t('recordings.call')}>
                <code>{row.call}</code>
              </Cell>
            </Row>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
