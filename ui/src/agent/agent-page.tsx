/** The agent desktop: call bar, customer, control buttons, widget. */
import { useEffect, useState } from 'react';
import { api } from '../lib/api/client';
import { useMyDesktop } from '../lib/api/queries';
import type { ButtonView, CallView, CaptureView, MyDesktop } from '../lib/api/types';
import type { Typed } from '../lib/capture/payment-form';
import { emptyForm } from '../lib/capture/payment-form';
import { Notice } from '../lib/controls';
import type { LiveStore } from '../lib/events/live-store';
import { useLive } from '../lib/events/use-live';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './agent.module.css';
import { CallBar } from './call-bar';
import { CapturePanel, useCommands } from './capture-panel';
import { ControlButtons } from './control-buttons';
import { CustomerPanel } from './customer-panel';
import { useNow } from './use-now';

/** The call on screen: the one with an open capture, else the newest that is not over. */
export function callOnScreen(calls: readonly CallView[]): CallView | undefined {
  return calls.find((call) => call.capture) ?? calls.find((call) => call.state !== 'ended');
}

export function AgentPage({ store, locked }: { store: LiveStore; locked: boolean }) {
  const t = useT();
  const now = useNow();
  const { connection, calls } = useLive(store);
  const call = callOnScreen(calls);
  const [form, setForm] = useFormOf(call);
  const { run, pending, refusal } = useCommands();
  const online = connection === 'open';
  const mine = useMyDesktop().data;
  const open = (widget: string) =>
    call && run(async () => store.applyCapture(await api<CaptureView>('POST', `/calls/${call.id}/captures`, { body: { widget } })));
  const end = () => call && run(() => api('POST', `/calls/${call.id}/hang-up`));
  return (
    <div className={css.page}>
      <CallBar call={call} now={now} busy={pending || !online} onEnd={end} />
      <ConnectionBand connection={connection} />
      <div className={css.columns} inert={locked}>
        <CustomerPanel form={form} onForm={setForm} disabled={call?.capture?.state === 'processing'} />
        <main className={css.work} id="content">
          <ControlButtons buttons={call ? call.buttons : buttonsBefore(mine)} waiting={!call} online={online} keyboard={!locked && !pending} onOpen={open} />
          {refusal && (
            <Notice tone="bad" role="alert">
              {refusal}
            </Notice>
          )}
          {call?.capture ? (
            <CapturePanel
              key={call.capture.id}
              call={call}
              view={call.capture}
              store={store}
              online={online}
              locked={locked}
              form={form}
              onForm={setForm}
            />
          ) : (
            <p className={css.empty}>{t(emptyText(call, mine))}</p>
          )}
        </main>
      </div>
    </div>
  );
}

/** Before a call the agent's own buttons show, disabled. */
function buttonsBefore(mine: MyDesktop | undefined): ButtonView[] {
  return (mine?.widgets ?? []).map(({ id, kind, title }) => ({ widget: id, kind, title, disabled: 'not_connected' }));
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

/** What the agent typed stays for the call and starts anew after it. Typing before a call carries over into it. */
function useFormOf(call: CallView | undefined) {
  const [form, setForm] = useState<Typed>(() => emptyForm());
  const [owner, setOwner] = useState<string>();
  useEffect(() => {
    if (!call || call.id === owner) return;
    if (owner !== undefined) setForm(emptyForm());
    setOwner(call.id);
  }, [call, owner]);
  return [form, setForm] as const;
}
