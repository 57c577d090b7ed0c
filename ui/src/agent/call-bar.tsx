/** The call: who, how long, what is recorded, what the agent can do with it; and whether others ring. */
import type { ReactNode } from 'react';
import type { CallView, TransferFailure } from '../lib/api/types';
import { Chip } from '../lib/controls';
import type { IconName, Tone } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { T, useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import css from './agent.module.css';
import type { CallCommands } from './call-controls';
import { CallControls } from './call-controls';

type ChipFacts = { tone: Tone; icon: IconName; state: MessageId };

/** What happens to the recording, as the capture's protection says, and beside a capture what records the call. */
export function recordingChip(call: CallView): ChipFacts {
  const capture = call.capture;
  const paused = capture?.protection.find((part) => part.what === 'call_recording_paused');
  const masked = capture?.protection.find((part) => part.what === 'recording_masked');
  if (capture?.state === 'blocked') return { tone: 'bad', icon: 'warning', state: 'chip.failed' };
  if (capture?.state === 'arming' && paused && !paused.confirmed) return { tone: 'warn', icon: 'clock', state: 'chip.pausing' };
  if (paused?.confirmed) return { tone: 'warn', icon: 'lock', state: 'chip.paused' };
  if (masked?.confirmed) return { tone: 'warn', icon: 'lock', state: 'chip.masked' };
  if (call.recording.state === 'failed') return { tone: 'bad', icon: 'warning', state: 'chip.broken' };
  const isOn = ['on', 'elsewhere'].includes(call.recording.state);
  return { tone: 'plain', icon: 'record', state: isOn ? 'chip.on' : 'chip.off' };
}

export function lineChip(call: CallView): ChipFacts {
  if (call.line_silent) return { tone: 'bad', icon: 'warning', state: 'chip.line_silent' };
  return call.line_protected
    ? { tone: 'warn', icon: 'lock', state: 'chip.line_protected' }
    : { tone: 'plain', icon: 'line', state: 'chip.line_normal' };
}

const STATES = {
  ringing: 'call.ringing',
  connected: 'call.connected',
  held: 'call.held',
  ended: 'call.ended',
} satisfies Record<CallView['state'], MessageId>;

const STEPS = {
  agent_phone: 'call.your_phone',
  calling: 'call.calling',
  ringing: 'call.ringing',
  answered: 'call.connected',
} satisfies Record<NonNullable<CallView['dialled']>['step'], MessageId>;

/** Where the call stands; of one that the agent makes also whose phone rings. */
function stateOf({ state, held_by, dialled }: CallView): MessageId {
  if (held_by === 'phone') return 'call.held_phone';
  return state === 'ringing' && dialled ? STEPS[dialled.step] : STATES[state];
}

export type CallBarProps = {
  call: CallView | undefined;
  now: number;
  busy: boolean;
  locked?: boolean;
  commands: CallCommands;
  /** Whether calls ring for the agent: where that is chosen, and what it is. */
  presence?: ReactNode;
  rings?: boolean;
};

const FAILURES = {
  busy: 'transfer.failed.busy',
  declined: 'transfer.failed.declined',
  no_answer: 'transfer.failed.no_answer',
  unreachable: 'transfer.failed.unreachable',
  cancelled: 'transfer.failed.cancelled',
} satisfies Record<TransferFailure, MessageId>;

/** Whom the call rings, or why it is still this agent's. It is read out. */
function TransferChip({ call }: { call: CallView }) {
  const t = useT();
  const failed = call.transfer?.failed;
  return (
    <span role="status">
      {call.transfer && (
        <Chip tone={failed ? 'warn' : 'info'} icon={failed ? 'warning' : 'phone'}>
          {t(failed ? FAILURES[failed] : 'transfer.rings', { name: call.transfer.to })}
        </Chip>
      )}
    </span>
  );
}

export function CallBar({ call, now, busy, locked = false, commands, presence, rings = true }: CallBarProps) {
  const t = useT();
  if (!call) {
    return (
      <section className={css.bar} aria-label={t('call.bar')}>
        {presence}
        <Chip icon="phone">{t('call.none')}</Chip>
        <span className={css.muted}>{t(rings ? 'call.waiting' : 'call.silent')}</span>
      </section>
    );
  }
  const recording = recordingChip(call);
  const line = lineChip(call);
  const since = call.answered_at ?? call.began_at;
  return (
    <section className={css.bar} aria-label={t('call.bar')} data-state={call.state}>
      {presence}
      <Chip tone={call.state === 'connected' ? 'good' : call.state === 'ended' ? 'bad' : 'info'} icon="phone">
        {t(stateOf(call))}
      </Chip>
      <time className={css.timer} aria-label={t('call.time')}>
        {durationText((call.ended_at ?? now) - since)}
      </time>
      <span className={css.caller}>
        <strong>{call.dialled ? call.called : call.caller || t('call.unknown_caller')}</strong>
        {!call.dialled && call.called && <span className={css.muted}> {t('call.called', { number: call.called })}</span>}
      </span>
      <CallControls key={call.id} call={call} busy={busy} locked={locked} commands={commands} />
      <span className={css.chips}>
        <TransferChip call={call} />
        {call.agent_muted && (
          <Chip tone="warn" icon="mute">
            {t('call.muted')}
          </Chip>
        )}
        <Chip tone={recording.tone} icon={recording.icon}>
          <T id="chip.recording" values={{ state: t(recording.state) }} />
        </Chip>
        <Chip tone={line.tone} icon={line.icon}>
          <T id="chip.line" values={{ state: t(line.state) }} />
        </Chip>
      </span>
    </section>
  );
}
