/** The agent desktop: call bar, customer, control buttons, widget. */
import type { ReactNode } from 'react';
import { Suspense, lazy, useCallback, useEffect, useState } from 'react';
import { api } from '../lib/api/client';
import { useMyDesktop } from '../lib/api/queries';
import type { ButtonView, CallView, CaptureView, MyDesktop } from '../lib/api/types';
import { emptyForm } from '../lib/capture/payment-form';
import { Button, Notice } from '../lib/controls';
import type { LiveStore } from '../lib/events/live-store';
import { useLive } from '../lib/events/use-live';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { withOffice } from '../lib/i18n/catalogue';
import { askedCall, forgetAsked } from '../pairing/asked';
import { withPairing } from '../pairing/with-pairing';
import css from './agent.module.css';
import { CallBar } from './call-bar';
import type { CallCommands } from './call-controls';
import { CapturePanel, useCommands } from './capture-panel';
import { ControlButtons } from './control-buttons';
import { CustomerPanel } from './customer-panel';
import { DesktopLayout, useIdleDesktop } from './layouts';
import { NotesPanel } from './notes-panel';
import { Presence, useAvailabilityAt } from './presence';
import { useNow } from './use-now';

const AskedCall = lazy(withPairing(() => import('../pairing/asked-call')));
const DialDoor = lazy(withPairing(() => import('../dial/dial-door')));
const ConnectDoor = lazy(withPairing(() => import('../pairing/connect-door')));
const QueueLine = lazy(withPairing(() => import('../queue/queue-line')));
const ScreenShare = lazy(withOffice(() => import('./screen/screen-share')));

/** The call on screen: the one the agent chose while it lasts, else the one with an open capture, else the newest that is not over. */
export function callOnScreen(calls: readonly CallView[], chosen?: string): CallView | undefined {
  const lasts = (call: CallView) => call.capture || call.state !== 'ended';
  return calls.find((call) => call.id === chosen && lasts(call)) ?? calls.find((call) => call.capture) ?? calls.find(lasts);
}

/** Another call that wants the agent: a capture is open on the one on screen, or on the other. */
export function callBehind(calls: readonly CallView[], shown: CallView | undefined): CallView | undefined {
  const others = calls.filter((call) => call.id !== shown?.id);
  return others.find((call) => call.state !== 'ended') ?? others.find((call) => call.capture);
}

/** `phone`: the page's own, in the call bar. */
export function AgentPage({ store, locked, phone }: { store: LiveStore; locked: boolean; phone: ReactNode }) {
  const t = useT();
  const now = useNow();
  const { connection, calls, screen, unreached } = useLive(store);
  const [chosen, setChosen] = useState<string>();
  const [asked, setAsked] = useState(() => askedCall(window.location.search));
  const call = callOnScreen(calls, chosen);
  const [form, setForm] = useKeptByCall(call, calls, EMPTY);
  const [notes, setNotes] = useKeptByCall(call, calls, '');
  const { run, pending, refusal } = useCommands();
  const online = connection === 'open';
  const availability = useAvailabilityAt(now);
  const mine = useMyDesktop().data;
  const open = (widget: string) =>
    call && run(async () => store.applyOpened(await api<CaptureView>('POST', `/calls/${call.id}/captures`, { body: { widget } })));
  const desktop = useIdleDesktop(mine, calls.some((one) => one.capture));
  const buttons = call ? call.buttons : buttonsBefore(mine);
  const commands = callCommands(call, run);
  return (
    <div className={css.page}>
      <CallBar
        call={call}
        now={now}
        busy={!online}
        locked={locked}
        commands={commands}
        rings={availability?.state !== 'not_ready'}
        presence={
          <>
            <Presence availability={availability} now={now} disabled={locked || !online} />
            {phone}
            {!call && mine?.pairing_code && (
              <Suspense>
                <ConnectDoor locked={locked} online={online} />
              </Suspense>
            )}
            {mine?.queue && (
              <Suspense>
                <QueueLine now={now} />
              </Suspense>
            )}
            {mine?.dials && (
              <Suspense>
                <DialDoor call={call} failed={unreached} disabled={locked || !online} onForget={() => store.forgetUnreached()} />
              </Suspense>
            )}
          </>
        }
      />
      {screen && (
        <Suspense>
          <ScreenShare view={calls.some(({ id, state }) => id === screen.call && state !== 'ended') ? screen : undefined} />
        </Suspense>
      )}
      <ConnectionBand connection={connection} />
      {asked && online && !locked && (
        <Suspense>
          <AskedCall
            call={asked}
            onDone={() => {
              forgetAsked();
              setAsked(undefined);
            }}
          />
        </Suspense>
      )}
      <CallBehind call={callBehind(calls, call)} onShow={setChosen} />
      <div inert={locked}>
        <DesktopLayout
          mine={desktop}
          capture={call?.capture ?? undefined}
          stack={{ buttons, open: call?.capture?.widget.id, waiting: !call, online, onOpen: open }}
          parts={{
            customer: <CustomerPanel form={form} call={call} onForm={setForm} disabled={call?.capture?.state === 'processing'} />,
            notes: <NotesPanel text={notes} onText={setNotes} />,
            buttons: (
              <>
                <ControlButtons buttons={buttons} waiting={!call} online={online} keyboard={!locked && !pending} onOpen={open} />
                {refusal && (
                  <Notice tone="bad" role="alert">
                    {refusal}
                  </Notice>
                )}
              </>
            ),
            widget: call?.capture && (
              <CapturePanel key={call.capture.id} call={call} view={call.capture} store={store} online={online} locked={locked} form={form} onForm={setForm} />
            ),
            empty: t(emptyText(call, mine)),
          }}
        />
      </div>
    </div>
  );
}

function callCommands(call: CallView | undefined, run: ReturnType<typeof useCommands>['run']): CallCommands {
  const at = (place: string) => `/calls/${call?.id ?? ''}/${place}`;
  return {
    mute: (on) => run(() => api('PUT', at('mute'), { body: { on } })),
    hold: (on) => run(() => api('PUT', at('hold'), { body: { on } })),
    record: (on) => run(() => api('PUT', at('recording'), { body: { on } })),
    key: (key) => api('POST', at('keys'), { body: { key } }),
    transfer: (to, discard) => run(() => api('POST', at('transfer'), { body: { to, discard } })),
    cancelTransfer: () => run(() => api('DELETE', at('transfer'))),
    end: () => run(() => api('POST', at('hang-up'))),
  };
}

/** Before a call the agent's own buttons show, disabled. */
function buttonsBefore(mine: MyDesktop | undefined): ButtonView[] {
  return (mine?.widgets ?? []).map(({ id, kind, title, titles }) => ({ widget: id, kind, title, titles, disabled: 'not_connected' }));
}

function emptyText(call: CallView | undefined, mine: MyDesktop | undefined): MessageId {
  const some = call ? call.buttons.length > 0 : !mine || mine.widgets.length > 0;
  if (some) return 'widgets.empty';
  return mine?.gate === 'system_switch' ? 'widgets.gate.system_switch' : 'widgets.none';
}

function ConnectionBand({ connection }: { connection: 'connecting' | 'open' | 'lost' }) {
  const t = useT();
  return (
    <div role="status">
      {connection === 'lost' && <p className={css.lost}>{t('connection.lost')}</p>}
      {connection === 'connecting' && <p className={css.lost}>{t('connection.connecting')}</p>}
    </div>
  );
}

/** A call is never hidden by the widget of another one: it is named, and one press shows it. */
function CallBehind({ call, onShow }: { call: CallView | undefined; onShow: (id: string) => void }) {
  const t = useT();
  const caller = call && (call.dialled ? call.called : call.caller || t('call.unknown_caller'));
  return (
    <div role="status">
      {call && (
        <p className={css.behind}>
          <span>{t(call.state === 'ended' ? 'call.behind_open' : 'call.behind', { caller: caller ?? '' })}</span>
          <Button size="small" onPress={() => onShow(call.id)}>
            {t('call.behind_show')}
          </Button>
        </p>
      )}
    </div>
  );
}

/** What the agent typed stays with its call, also while another one is on screen. What was typed before a call carries over into it. */
export function useKeptByCall<T>(call: CallView | undefined, calls: readonly CallView[], nothing: T) {
  const [all, setAll] = useState<ReadonlyMap<string, T>>(new Map());
  const id = call?.id;
  const set = useCallback((value: T) => setAll((kept) => new Map(kept).set(id ?? BEFORE, value)), [id]);
  useEffect(() => {
    setAll((kept) => {
      const isKept = (owner: string) => owner === BEFORE || calls.some((one) => one.id === owner);
      const next = new Map([...kept].filter(([owner]) => isKept(owner)));
      const before = next.get(BEFORE);
      if (id && before !== undefined && !next.has(id)) {
        next.set(id, before);
        next.delete(BEFORE);
      }
      return next.size === kept.size && (!id || next.get(id) === kept.get(id)) ? kept : next;
    });
  }, [id, calls]);
  return [all.get(id ?? BEFORE) ?? all.get(BEFORE) ?? nothing, set] as const;
}

/** Whose it is while there is no call. */
const BEFORE = '';

const EMPTY = emptyForm();
