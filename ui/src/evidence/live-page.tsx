/** Open captures and used attempts of all agents, without a digit, and giving attempts back (S14). */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { CaptureState, LiveCapture, LiveCaptureList, LiveCaptureRow } from '../lib/api/types';
import { FIELD_NAMES, KIND_NAMES } from '../lib/capture/words';
import { Button, Chip, Notice } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { clockText } from '../lib/i18n/format';
import css from './evidence.module.css';

/** Captures change by the second; the events of a capture go to its agent only. */
const READ_EVERY_MS = 2_000;

const STATE_NAMES = {
  arming: 'live.state.arming',
  blocked: 'live.state.blocked',
  armed: 'live.state.armed',
  collecting: 'live.state.collecting',
  invalid: 'live.state.invalid',
  ready: 'live.state.ready',
  frozen: 'live.state.frozen',
  processing: 'live.state.processing',
  approved: 'outcome_name.approved',
  declined: 'outcome_name.declined',
  review: 'outcome_name.review',
  error: 'outcome_name.error',
  not_sent: 'outcome_name.not_sent',
  unknown: 'outcome_name.unknown',
  checking: 'live.state.checking',
  done: 'live.state.done',
  cancelled: 'live.state.cancelled',
  lost: 'live.state.lost',
  protection_lost: 'live.state.protection_lost',
} satisfies Record<CaptureState, MessageId>;

export default function LivePage() {
  const t = useT();
  const { data, error, isPending } = useQuery({
    queryKey: KEYS.live,
    queryFn: ({ signal }) => api<LiveCaptureList>('GET', '/captures', { signal }),
    refetchInterval: READ_EVERY_MS,
  });
  return (
    <main className={css.page} id="content">
      <h1>{t('live.title')}</h1>
      <p className={css.hint}>{t('live.text')}</p>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <Captures rows={data.captures} />}
    </main>
  );
}

function Captures({ rows }: { rows: readonly LiveCaptureRow[] }) {
  const t = useT();
  const queries = useQueryClient();
  const reset = useMutation({
    mutationFn: ({ call, kind }: LiveCapture) => api('POST', `/calls/${encodeURIComponent(call)}/reset-attempts`, { body: { kind } }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.live }),
  });
  if (rows.length === 0) return <p className={css.empty}>{t('live.empty')}</p>;
  return (
    <>
      {reset.isError && <Notice tone="bad" role="alert">{sentenceOf(reset.error)}</Notice>}
      <div className={css.tableFrame}>
        <Table className={css.table!} aria-label={t('live.title')}>
          <TableHeader className={css.tableHead!}>
            <Column isRowHeader>{t('live.agent')}</Column>
            <Column>{t('live.widget')}</Column>
            <Column>{t('live.call')}</Column>
            <Column>{t('live.state')}</Column>
            <Column>{t('live.attempts')}</Column>
            <Column>{t('live.actions')}</Column>
          </TableHeader>
          <TableBody>
            {rows.map((row) => (
              <CaptureRow key={`${row.capture.call} ${row.capture.kind}`} row={row} pending={reset.isPending} onReset={reset.mutate} />
            ))}
          </TableBody>
        </Table>
      </div>
    </>
  );
}

function CaptureRow({ row, pending, onReset }: { row: LiveCaptureRow; pending: boolean; onReset: (capture: LiveCapture) => void }) {
  const t = useT();
  const { capture, agent_name } = row;
  const { open } = capture;
  const used = [
    ...capture.fields.filter(({ attempts_used }) => attempts_used > 0).map(({ field, attempts_used, is_locked }) => ({ name: t(FIELD_NAMES[field]), n: attempts_used, is_locked })),
    ...(capture.process_used > 0 ? [{ name: t('live.process'), n: capture.process_used, is_locked: false }] : []),
  ];
  const widget = open?.title ?? t(KIND_NAMES[capture.kind]);
  return (
    <Row id={`${capture.call} ${capture.kind}`} className={css.plainRow!} textValue={agent_name}>
      <Cell data-label={t('live.agent')}>{agent_name}</Cell>
      <Cell data-label={t('live.widget')}>{widget}</Cell>
      <Cell data-label={t('live.call')}>{clockText(capture.began_at)}</Cell>
      <Cell data-label={t('live.state')}>
        <Chip tone={open ? 'info' : 'plain'}>{t(open ? STATE_NAMES[open.state] : 'live.closed')}</Chip>
      </Cell>
      <Cell data-label={t('live.attempts')}>
        <span className={css.chips}>
          {used.length === 0 && t('live.none')}
          {used.map(({ name, n, is_locked }) => (
            <Chip key={name} tone={is_locked ? 'bad' : 'plain'} {...(is_locked ? { icon: 'lock' as const } : {})}>
              {t(is_locked ? 'live.locked' : 'live.used', { name, n })}
            </Chip>
          ))}
        </span>
      </Cell>
      <Cell data-label={t('live.actions')}>
        {used.length > 0 && (
          <Button size="small" isDisabled={pending} onPress={() => onReset(capture)} aria-label={t('live.reset_name', { name: agent_name, widget })}>
            {t('live.reset')}
          </Button>
        )}
      </Cell>
    </Row>
  );
}
