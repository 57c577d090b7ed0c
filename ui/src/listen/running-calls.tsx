/** Running calls, and listening to one with the phone of this page. Never: decides who hears whom; the server does, and takes nobody in while a call is protected. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import table from '../evidence/evidence.module.css';
import { api, sentenceOf } from '../lib/api/client';
import { may } from '../lib/api/queries';
import type { CallState, Login, RunningCall, RunningCallList, Voice } from '../lib/api/types';
import { useShortcuts } from '../lib/capture/shortcuts';
import { Button, Chip, Notice } from '../lib/controls';
import type { LiveStore } from '../lib/events/live-store';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { clockText } from '../lib/i18n/format';
import { withPairing } from '../pairing/with-pairing';
import { hasPhone } from '../phone/machine';
import type { Phone, PhoneView } from '../phone/phone';
import { usePhone } from '../phone/use-phone';
import type { PhoneNetwork } from '../phone/wire';
import css from './listen.module.css';

const WaitingCalls = lazy(withPairing(() => import('../queue/waiting-calls')));

/** Calls come and go by the second; events of a call go to its agent only. */
const READ_EVERY_MS = 2_000;
const CALLS = ['running-calls'];

const STATES = { ringing: 'call.ringing', connected: 'call.connected', held: 'call.held', ended: 'call.ended' } satisfies Record<CallState, MessageId>;
const VOICES = { nobody: 'listen.nobody', agent: 'listen.agent_voice', both: 'listen.both' } satisfies Record<Voice, MessageId>;
const SAYS = { nobody: 'listen.says.nobody', agent: 'listen.says.agent', both: 'listen.says.both' } satisfies Record<Voice, MessageId>;
const BY = { nobody: 'listen.by.nobody', agent: 'listen.by.agent', both: 'listen.by.both' } satisfies Record<Voice, MessageId>;
const KEYS = { nobody: 'Alt+Shift+L', agent: 'Alt+Shift+W', both: 'Alt+Shift+J' } satisfies Record<Voice, string>;
const LEAVE = 'Alt+Shift+X';

type Props = { login: Login; store: LiveStore; locked: boolean };

export default function RunningCalls({ login, store, locked }: Props) {
  const t = useT();
  const queries = useQueryClient();
  const { phone, view } = usePhone(store);
  const { data, error, isPending } = useQuery({
    queryKey: CALLS,
    queryFn: ({ signal }) => api<RunningCallList>('GET', '/running-calls', { signal }),
    refetchInterval: READ_EVERY_MS,
  });
  const listen = useMutation({
    mutationFn: (call: RunningCall) => phone.listen(call.id),
    onSettled: () => queries.invalidateQueries({ queryKey: CALLS }),
  });
  const mine = data?.calls.find(({ listeners }) => listeners.some(({ listener }) => listener === login.user.id));
  const canListen = hasPhone(view.state) && !mine && !listen.isPending && !locked;
  return (
    <section className={css.running} aria-labelledby="running-calls">
      <h1 id="running-calls">{t('listen.title')}</h1>
      <p className={table.hint}>{t('listen.text')}</p>
      <PhoneFirst phone={phone} view={view} locked={locked} />
      {isPending && <p role="status">{t('app.loading')}</p>}
      {(error ?? listen.error) && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error ?? listen.error)}
        </Notice>
      )}
      {mine && <Mine key={mine.id} call={mine} login={login} locked={locked} />}
      <Suspense>
        <WaitingCalls />
      </Suspense>
      {data && <Calls calls={data.calls} login={login} onListen={canListen ? (call) => listen.mutate(call) : undefined} />}
    </section>
  );
}

/** Nobody listens without a phone. */
function PhoneFirst({ phone, view, locked }: { phone: Phone; view: PhoneView; locked: boolean }) {
  const t = useT();
  const { phase } = view.state;
  const { isError } = useQuery({ queryKey: ['phone-network'], enabled: !locked, staleTime: Infinity, queryFn: ({ signal }) => api<PhoneNetwork>('GET', '/phone/network', { signal }) });
  if (isError) return <Notice tone="warn">{t('listen.no_phone')}</Notice>;
  if (hasPhone(view.state)) return null;
  const elsewhere = phase === 'elsewhere';
  return (
    <Notice tone="info">
      {t('listen.phone_off')}{' '}
      <Button size="small" isDisabled={locked || phase === 'starting'} onPress={() => phone.turnOn(elsewhere, !elsewhere)}>
        {t(elsewhere ? 'listen.take_over' : 'listen.turn_on')}
      </Button>
    </Notice>
  );
}

/** The call that this login listens to: who hears them, and the way out. */
function Mine({ call, login, locked }: { call: RunningCall; login: Login; locked: boolean }) {
  const t = useT();
  const queries = useQueryClient();
  const settled = () => queries.invalidateQueries({ queryKey: CALLS });
  const own = call.listeners.find(({ listener }) => listener === login.user.id);
  const place = `/listening/${encodeURIComponent(own?.id ?? '')}`;
  const speak = useMutation({ mutationFn: (voice: Voice) => api('PUT', `${place}/voice`, { body: { voice } }), onSettled: settled });
  const leave = useMutation({ mutationFn: () => api('DELETE', place), onSettled: settled });
  const error = speak.error ?? leave.error;
  const speaks = may(login, 'call.join');
  const is = (voice: Voice) => (voice === 'both' && call.is_protected) || speak.isPending || locked;
  const say = (voice: Voice) => {
    if (!is(voice)) speak.mutate(voice);
  };
  useShortcuts({ [LEAVE]: () => leave.mutate(), ...(speaks && { [KEYS.nobody]: () => say('nobody'), [KEYS.agent]: () => say('agent'), [KEYS.both]: () => say('both') }) }, !locked);
  if (!own) return null;
  return (
    <section className={css.mine} data-voice={own.voice} aria-label={t('listen.mine', { agent: call.agent_name })}>
      <p role="status">
        {t(SAYS[own.voice], { agent: call.agent_name })} {call.is_protected && t('listen.says.protected')}
      </p>
      <span className={css.acts}>
        {speaks &&
          (['nobody', 'agent', 'both'] as const).map((voice) => (
            <Button key={voice} look={voice === own.voice ? 'primary' : 'plain'} isDisabled={is(voice)} aria-pressed={voice === own.voice} aria-keyshortcuts={KEYS[voice]} onPress={() => say(voice)}>
              {t(VOICES[voice])}
            </Button>
          ))}
        <Button look="danger" isDisabled={leave.isPending} aria-keyshortcuts={LEAVE} onPress={() => leave.mutate()}>
          {t('listen.leave')}
        </Button>
      </span>
      {error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error)}
        </Notice>
      )}
    </section>
  );
}

type CallsProps = { calls: readonly RunningCall[]; login: Login; onListen: ((call: RunningCall) => void) | undefined };

function Calls({ calls, login, onListen }: CallsProps) {
  const t = useT();
  if (calls.length === 0) return <p className={table.empty}>{t('listen.empty')}</p>;
  return (
    <div className={table.tableFrame}>
      <Table className={table.table!} aria-label={t('listen.title')}>
        <TableHeader className={table.tableHead!}>
          <Column isRowHeader>{t('listen.agent')}</Column>
          <Column>{t('listen.caller')}</Column>
          <Column>{t('listen.since')}</Column>
          <Column>{t('listen.state')}</Column>
          <Column>{t('listen.who')}</Column>
          <Column>{t('listen.actions')}</Column>
        </TableHeader>
        <TableBody>
          {calls.map((call) => (
            <CallRow key={call.id} call={call} login={login} onListen={onListen} />
          ))}
        </TableBody>
      </Table>
    </div>
  );
}

function CallRow({ call, login, onListen }: { call: RunningCall; login: Login; onListen: CallsProps['onListen'] }) {
  const t = useT();
  const caller = call.caller || t('listen.hidden');
  const isOwn = call.agent === login.user.id;
  return (
    <Row id={call.id} className={table.plainRow!} textValue={call.agent_name}>
      <Cell data-label={t('listen.agent')}>{call.agent_name}</Cell>
      <Cell data-label={t('listen.caller')}>{caller}</Cell>
      <Cell data-label={t('listen.since')}>{clockText(call.began_at)}</Cell>
      <Cell data-label={t('listen.state')}>
        <Chip tone={call.state === 'connected' ? 'good' : 'info'}>{t(STATES[call.state])}</Chip> {call.is_protected && <Chip icon="lock">{t('listen.protected')}</Chip>}
      </Cell>
      <Cell data-label={t('listen.who')}>{call.listeners.map(({ name, voice }) => t(BY[voice], { name })).join(', ')}</Cell>
      <Cell data-label={t('listen.actions')}>
        {!isOwn && (
          <Button size="small" isDisabled={!onListen} onPress={() => onListen?.(call)} aria-label={t('listen.go_name', { agent: call.agent_name, caller })}>
            {t('listen.go')}
          </Button>
        )}
      </Cell>
    </Row>
  );
}
