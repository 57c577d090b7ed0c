/** Running calls of services whose route is a PBX, and who has them. Never: a caller's whole number; the server sends its last digits. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import type { ReactNode } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { useLocation } from 'wouter';
import { api, sentenceOf } from '../lib/api/client';
import { may } from '../lib/api/queries';
import type { CallState, Login, ServiceCall, ServiceCallList } from '../lib/api/types';
import { Button, Chip, Notice } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { clockText } from '../lib/i18n/format';
import table from '../evidence/evidence.module.css';
import { GiveSheet } from './give-sheet';
import css from './pairing.module.css';

/** Calls come and go by the second; events of a call go to its agent only. */
const READ_EVERY_MS = 2_000;
const CALLS = ['service-calls'];

const STATES = {
  ringing: 'call.ringing',
  connected: 'call.connected',
  held: 'call.held',
  ended: 'call.ended',
} satisfies Record<CallState, MessageId>;

/** `running`: the calls that this login may listen to. */
export default function ServiceCallsPage({ login, running }: { login: Login; running?: ReactNode }) {
  return (
    <main className={table.page} id="content">
      {running && <Suspense>{running}</Suspense>}
      {may(login, 'call.pick') && <ServiceCalls login={login} isFirst={!running} />}
    </main>
  );
}

function ServiceCalls({ login, isFirst }: { login: Login; isFirst: boolean }) {
  const t = useT();
  const Title = isFirst ? 'h1' : 'h2';
  const { data, error, isPending } = useQuery({
    queryKey: CALLS,
    queryFn: ({ signal }) => api<ServiceCallList>('GET', '/service-calls', { signal }),
    refetchInterval: READ_EVERY_MS,
  });
  return (
    <>
      <Title>{t('pairing.calls.title')}</Title>
      <p className={table.hint}>{t('pairing.calls.text')}</p>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error)}
        </Notice>
      )}
      {data && <Calls calls={data.calls} login={login} />}
    </>
  );
}

function Calls({ calls, login }: { calls: readonly ServiceCall[]; login: Login }) {
  const t = useT();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const [given, setGiven] = useState<ServiceCall>();
  const take = useMutation({
    mutationFn: (call: ServiceCall) => api('POST', `/calls/${encodeURIComponent(call.id)}/pick`, { body: {} }),
    onSuccess: () => go('/'),
    onSettled: () => queries.invalidateQueries({ queryKey: CALLS }),
  });
  const onTake = may(login, 'capture.start') ? (call: ServiceCall) => take.mutate(call) : undefined;
  return (
    <>
      {take.isError && (
        <Notice tone="bad" role="alert">
          {sentenceOf(take.error)}
        </Notice>
      )}
      {calls.length === 0 ? (
        <p className={table.empty}>{t('pairing.calls.empty')}</p>
      ) : (
        <div className={table.tableFrame}>
          <Table className={table.table!} aria-label={t('pairing.calls.title')}>
            <TableHeader className={table.tableHead!}>
              <Column isRowHeader>{t('pairing.calls.caller')}</Column>
              <Column>{t('pairing.calls.service')}</Column>
              <Column>{t('pairing.calls.since')}</Column>
              <Column>{t('pairing.calls.state')}</Column>
              <Column>{t('pairing.calls.agent')}</Column>
              <Column>{t('pairing.calls.actions')}</Column>
            </TableHeader>
            <TableBody>
              {calls.map((call) => (
                <CallRow key={call.id} call={call} pending={take.isPending} onTake={onTake} onGive={setGiven} />
              ))}
            </TableBody>
          </Table>
        </div>
      )}
      {given && (
        <GiveSheet
          call={given}
          onClose={() => {
            setGiven(undefined);
            void queries.invalidateQueries({ queryKey: CALLS });
          }}
        />
      )}
    </>
  );
}

type RowProps = {
  call: ServiceCall;
  pending: boolean;
  /** None: this login gets no calls. */
  onTake: ((call: ServiceCall) => void) | undefined;
  onGive: (call: ServiceCall) => void;
};

function CallRow({ call, pending, onTake, onGive }: RowProps) {
  const t = useT();
  const caller = call.caller || t('pairing.calls.hidden');
  return (
    <Row id={call.id} className={table.plainRow!} textValue={caller}>
      <Cell data-label={t('pairing.calls.caller')}>{caller}</Cell>
      <Cell data-label={t('pairing.calls.service')}>{call.service_name}</Cell>
      <Cell data-label={t('pairing.calls.since')}>{clockText(call.began_at)}</Cell>
      <Cell data-label={t('pairing.calls.state')}>
        <Chip tone={call.state === 'connected' ? 'good' : 'info'}>{t(STATES[call.state])}</Chip>
      </Cell>
      <Cell data-label={t('pairing.calls.agent')}>{call.agent_name ?? t('pairing.calls.nobody')}</Cell>
      <Cell data-label={t('pairing.calls.actions')}>
        <span className={css.acts}>
          {onTake && !call.agent && (
            <Button size="small" isDisabled={pending} onPress={() => onTake(call)} aria-label={t('pairing.calls.take_name', { caller })}>
              {t('pairing.calls.take')}
            </Button>
          )}
          <Button size="small" isDisabled={pending} onPress={() => onGive(call)} aria-label={t('pairing.calls.give_name', { caller })}>
            {t('pairing.calls.give')}
          </Button>
        </span>
      </Cell>
    </Row>
  );
}
