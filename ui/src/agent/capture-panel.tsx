/** The open capture of a call: the widget, wired to the server. */
import { useCallback, useMemo, useRef, useState } from 'react';
import { ApiError, api, apiText, sentenceOf } from '../lib/api/client';
import type { CallView, CaptureAction, CaptureView, Field, ReadOut } from '../lib/api/types';
import { amountText } from '../lib/i18n/format';
import { AttemptKeys } from '../lib/capture/attempt-keys';
import { CaptureWidget } from '../lib/capture/capture-widget';
import type { SentForm, Typed } from '../lib/capture/payment-form';
import type { WidgetCommands } from '../lib/capture/props';
import type { LiveStore } from '../lib/events/live-store';
import { useNow } from './use-now';
import { useReveals } from './use-reveals';
import { useWalk } from './use-walk';

const fetchValue = (capture: string, field: Field) => apiText('POST', `/captures/${capture}/reveal`, { body: { field } });

export type CapturePanelProps = {
  call: CallView;
  view: CaptureView;
  store: LiveStore;
  online: boolean;
  locked: boolean;
  form: Typed;
  onForm: (form: Typed) => void;
};

export function CapturePanel({ call, view, store, online, locked, form, onForm }: CapturePanelProps) {
  const now = useNow();
  const { run, pending, refusal, formErrors } = useCommands();
  const keys = useRef(new AttemptKeys());
  const reveals = useReveals(view, fetchValue, { hidden: locked, automatic: store.isOpenedHere(view.id) });

  const act = useCallback(
    (action: CaptureAction) =>
      run(async () => store.applyCapture(await api<CaptureView>('POST', `/captures/${view.id}/actions`, { body: action }))),
    [run, store, view.id],
  );
  const process = useCallback(
    (form: SentForm) =>
      run(async () => {
        const { amount, ...rest } = form;
        const body = { amount: amountText(amount), currency: amount.currency, ...rest };
        try {
          const headers = { 'Idempotency-Key': keys.current.keyFor(view) };
          store.applyCapture(await api<CaptureView>('POST', `/captures/${view.id}/process`, { body, headers }));
        } catch (error) {
          if (error instanceof ApiError && error.isRefusal) keys.current.refused();
          throw error;
        }
      }),
    [run, store, view],
  );
  const readOut = useCallback(
    async ({ amount, ...rest }: SentForm, agreed: boolean) => {
      const payment = { amount: amountText(amount), currency: amount.currency, ...rest };
      return api<ReadOut>('POST', `/captures/${view.id}/authorisation`, { body: { ...payment, agreed } });
    },
    [view.id],
  );
  const newPayment = useCallback(
    () =>
      run(async () => {
        await api('POST', `/captures/${view.id}/actions`, { body: { do: 'close' } });
        store.applyOpened(await api<CaptureView>('POST', `/calls/${call.id}/captures`, { body: { widget: view.widget.id } }));
      }),
    [call.id, run, store, view.id, view.widget.id],
  );
  const commands = useMemo<WidgetCommands>(
    () => ({ act, process, readOut, newPayment, reveal: (field) => void reveals.reveal(field), conceal: reveals.conceal }),
    [act, newPayment, process, readOut, reveals.conceal, reveals.reveal],
  );
  const { walk, go } = useWalk(view, act);
  return (
    <CaptureWidget
      view={view}
      commands={commands}
      now={now}
      held={call.state === 'held'}
      lineSilent={call.line_silent}
      busy={pending || !online}
      refusal={refusal}
      formErrors={formErrors}
      values={locked ? {} : reveals.values}
      caller={call}
      form={form}
      onForm={onForm}
      walk={walk}
      onWalk={go}
      keyboard={!locked}
    />
  );
}

/** One command at a time; the guard is a ref, so that a double click cannot pass it. */
export function useCommands() {
  const running = useRef(false);
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const run = useCallback((command: () => Promise<unknown>) => {
    if (running.current) return;
    running.current = true;
    setPending(true);
    setFailure(undefined);
    command()
      .catch(setFailure)
      .finally(() => {
        running.current = false;
        setPending(false);
      });
  }, []);
  const errors = failure instanceof ApiError ? (failure.problem.errors ?? []) : [];
  const refusal = failure === undefined ? undefined : [sentenceOf(failure), ...errors.map(({ message }) => message)].join(' ');
  const formErrors = Object.fromEntries(errors.map(({ field, message }) => [field.replace(/^values\./, ''), message]));
  return { run, pending, refusal, formErrors };
}
