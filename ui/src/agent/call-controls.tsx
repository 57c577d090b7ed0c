/** What an agent does with a call: Mute, Hold, Record, Keypad, Transfer, End. */
import { Suspense, lazy, useState } from 'react';
import type { CallView } from '../lib/api/types';
import { useShortcuts } from '../lib/capture/shortcuts';
import { Button, Icon } from '../lib/controls';
import type { ButtonLook, IconName } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './agent.module.css';

const KeypadSheet = lazy(() => import('./keypad'));
const TransferSheet = lazy(() => import('./transfer-sheet'));

export type CallCommands = {
  mute: (on: boolean) => void;
  hold: (on: boolean) => void;
  record: (on: boolean) => void;
  /** Sends one key of the agent's to the customer's side; says whether it was taken. */
  key: (key: string) => Promise<void>;
  transfer: (to: string, discard: boolean) => void;
  cancelTransfer: () => void;
  end: () => void;
};

type Props = {
  call: CallView;
  /** A command is under way, or the page has lost the server. */
  busy: boolean;
  /** The page is locked: Mute and End are what is left of the call. */
  locked: boolean;
  commands: CallCommands;
};

/** Another agent's phone rings for the call. */
export const isTransferring = (call: CallView) => Boolean(call.transfer && !call.transfer.failed);

/** Why no keys can be sent; none: they can. */
export function keypadReason(call: CallView) {
  if (call.state === 'held') return 'disabled.on_hold' as const;
  return call.capture ? ('keypad.capture' as const) : undefined;
}

export function CallControls({ call, busy, locked, commands }: Props) {
  const t = useT();
  const [sheet, setSheet] = useState<'keypad' | 'transfer'>();
  const close = () => setSheet(undefined);
  const isUp = call.state === 'connected' || call.state === 'held';
  const holds = call.held_by === 'agent';
  const idle = busy || !isUp;
  const mute = () => commands.mute(!call.agent_muted);
  const hold = () => commands.hold(!holds);
  const { state: recorded, on_demand: records } = call.recording;
  const record = () => commands.record(recorded !== 'on');
  const mayRecord = !idle && !locked && !call.capture && recorded !== 'starting';
  const rings = isTransferring(call);
  const transfer = () => (rings ? commands.cancelTransfer() : setSheet('transfer'));
  useShortcuts({ 'Ctrl+Shift+M': mute }, !idle);
  // Also while it does nothing: browsers take pictures of the page at that.
  useShortcuts({ 'Ctrl+Shift+S': () => mayRecord && record() }, records);
  useShortcuts({ 'Ctrl+Shift+H': hold }, !idle && !locked && !rings);
  // Not Ctrl+Shift+T: browsers open the last tab again at that, and no page is asked.
  useShortcuts({ 'Ctrl+Shift+K': () => setSheet('keypad'), 'Ctrl+Shift+X': transfer }, !idle && !locked);
  useShortcuts({ 'Ctrl+Shift+E': commands.end }, !busy && call.state !== 'ended');
  return (
    <span className={css.callControls} role="group" aria-label={t('call.controls')}>
      <CallButton icon="mute" label={t('call.mute')} shortcut="M" pressed={call.agent_muted} disabled={idle} onPress={mute} />
      <CallButton icon="hold" label={t('call.hold')} shortcut="H" pressed={holds} disabled={idle || locked || rings} onPress={hold} />
      {records && <CallButton icon="record" label={t('call.record')} shortcut="S" pressed={recorded === 'on'} disabled={!mayRecord} onPress={record} />}
      <CallButton icon="keypad" label={t('call.keypad')} shortcut="K" disabled={idle || locked} onPress={() => setSheet('keypad')} />
      <CallButton icon="right" label={t(rings ? 'transfer.cancel' : 'call.transfer')} shortcut="X" disabled={idle || locked} onPress={transfer} />
      <CallButton icon="phone" label={t('call.end')} shortcut="E" look="danger" disabled={busy || call.state === 'ended'} onPress={commands.end} />
      {isUp && !locked && (
        <Suspense>
          {sheet === 'keypad' && <KeypadSheet refused={keypadReason(call)} onKey={commands.key} onClose={close} />}
          {sheet === 'transfer' && !rings && <TransferSheet call={call} onTransfer={commands.transfer} onClose={close} />}
        </Suspense>
      )}
    </span>
  );
}

type CallButtonProps = { icon: IconName; label: string; shortcut: string; pressed?: boolean; disabled: boolean; look?: ButtonLook; onPress: () => void };

function CallButton({ icon, label, shortcut, pressed, disabled, look = 'plain', onPress }: CallButtonProps) {
  return (
    <Button
      look={look}
      isDisabled={disabled}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      aria-keyshortcuts={`Control+Shift+${shortcut}`}
      onPress={onPress}
    >
      <Icon name={icon} />
      <span className={css.callLabel}>{label}</span>
      <kbd className={css.callKey} aria-hidden="true" title={`Ctrl+Shift+${shortcut}`}>
        {shortcut}
      </kbd>
    </Button>
  );
}
