/** Callers who wait for an agent, as supervisors see them. */
import { useQuery } from '@tanstack/react-query';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { useNow } from '../agent/use-now';
import table from '../evidence/evidence.module.css';
import { api } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { QueueView, WaitingCall, WaitingCallList } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { clockText, durationText } from '../lib/i18n/format';

/** Nothing where no service has a queue. */
export default function WaitingCalls() {
  const queue = useQuery({ queryKey: KEYS.queue, queryFn: ({ signal }) => api<QueueView>('GET', '/queue', { signal }) });
  const { data } = useQuery({ queryKey: [...KEYS.queue, 'calls'], queryFn: ({ signal }) => api<WaitingCallList>('GET', '/waiting-calls', { signal }) });
  if (!queue.data?.has_queue || !data) return null;
  return <Waiting calls={data.calls} />;
}

export function Waiting({ calls }: { calls: readonly WaitingCall[] }) {
  const t = useT();
  const now = useNow();
  return (
    <section aria-labelledby="waiting-calls">
      <h2 id="waiting-calls">{t('queue.who')}</h2>
      {calls.length === 0 ? (
        <p className={table.empty}>{t('queue.nobody')}</p>
      ) : (
        <div className={table.tableFrame}>
          <Table className={table.table!} aria-label={t('queue.who')}>
            <TableHeader className={table.tableHead!}>
              <Column>{t('queue.place')}</Column>
              <Column isRowHeader>{t('queue.caller')}</Column>
              <Column>{t('queue.service')}</Column>
              <Column>{t('queue.since')}</Column>
              <Column>{t('queue.so_far')}</Column>
            </TableHeader>
            <TableBody items={calls} dependencies={[now]}>
              {(call) => (
                <Row className={table.plainRow!} textValue={call.caller || t('queue.hidden')}>
                  <Cell data-label={t('queue.place')}>{call.place}</Cell>
                  <Cell data-label={t('queue.caller')}>{call.caller || t('queue.hidden')}</Cell>
                  <Cell data-label={t('queue.service')}>{call.service_name}</Cell>
                  <Cell data-label={t('queue.since')}>{clockText(call.since)}</Cell>
                  <Cell data-label={t('queue.so_far')}>
                    {durationText(now - call.since)} {call.rings && <Chip tone="info">{t('queue.rings')}</Chip>}
                  </Cell>
                </Row>
              )}
            </TableBody>
          </Table>
        </div>
      )}
    </section>
  );
}
