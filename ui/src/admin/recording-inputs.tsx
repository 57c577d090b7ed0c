/** What of a service's calls this server records: the audio, the agents' screens, and for how long each is kept. */
import { useKeepsRecordings } from '../lib/api/services';
import type { CallRecording, ScreenRecording, Service } from '../lib/api/types';
import { CheckInput, Notice, RadioInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';

type When = CallRecording['when'];
type ScreenWhen = ScreenRecording['when'];
type Surfaces = ScreenRecording['surfaces'];

/** What is typed; days as they are typed. */
export type Recorded = { calls: When; callDays: string; screens: ScreenWhen; screenDays: string; surfaces: Surfaces; required: boolean };

/** Days that recordings of a new service are kept, as the server has it. */
const KEEP_DAYS = 90;

const CALLS = { never: 'services.recorded.never', on_demand: 'services.recorded.on_demand', always: 'services.recorded.always' } satisfies Record<When, MessageId>;
const SCREENS = { never: 'services.screens.never', always: 'services.screens.always' } satisfies Record<ScreenWhen, MessageId>;
const SURFACES = { any: 'services.surfaces.any', entire_screen: 'services.surfaces.entire_screen' } satisfies Record<Surfaces, MessageId>;

export function recordedOf(service: Service | undefined): Recorded {
  const { call_recording: calls, screen_recording: screens } = service ?? {};
  return {
    calls: calls?.when ?? 'never',
    callDays: String(calls?.keep_days ?? KEEP_DAYS),
    screens: screens?.when ?? 'never',
    screenDays: String(screens?.keep_days ?? KEEP_DAYS),
    surfaces: screens?.surfaces ?? 'any',
    required: screens?.required ?? false,
  };
}

type Props = {
  value: Recorded;
  /** What the service has: what is not seen any more is as it was. */
  stored: Recorded;
  onChange: (value: Recorded) => void;
  problem: (field: string) => string | undefined;
};

export function RecordingInputs({ value, stored, onChange, problem }: Props) {
  const t = useT();
  const { data: keeps } = useKeepsRecordings();
  const { calls, callDays, screens, screenDays, surfaces, required } = value;
  const change = (part: Partial<Recorded>) => onChange({ ...value, ...part });
  const days = (label: MessageId, typed: string, field: string, onType: (days: string) => void) => (
    <TextInput label={t(label)} value={typed} onChange={onType} required inputMode="numeric" maxLength={4} hint={t('services.keep_days_hint')} error={problem(field)} />
  );
  return (
    <>
      <RadioInput
        label={t('services.recorded')}
        value={calls}
        onChange={(calls) => change({ calls, ...(calls === 'never' && { callDays: stored.callDays }) })}
        choices={choices(CALLS, t)}
        hint={t('services.recorded_hint')}
      />
      {calls !== 'never' && days('services.keep_days', callDays, 'call_recording.keep_days', (callDays) => change({ callDays }))}
      <RadioInput
        label={t('services.screens')}
        value={screens}
        onChange={(screens) => change({ screens, ...(screens === 'never' && { screenDays: stored.screenDays, surfaces: stored.surfaces, required: stored.required }) })}
        choices={choices(SCREENS, t)}
        hint={t('services.screens_hint')}
      />
      {screens !== 'never' && (
        <>
          <RadioInput label={t('services.surfaces')} value={surfaces} onChange={(surfaces) => change({ surfaces })} choices={choices(SURFACES, t)} />
          <CheckInput label={t('services.screens_required')} value={required} onChange={(required) => change({ required })} hint={t('services.screens_required_hint')} />
          {days('services.screens_keep_days', screenDays, 'screen_recording.keep_days', (screenDays) => change({ screenDays }))}
        </>
      )}
      {keeps === false && (calls !== 'never' || screens !== 'never') && <Notice tone="warn">{t('services.no_folder')}</Notice>}
    </>
  );
}

function choices<K extends string>(names: Record<K, MessageId>, t: (id: MessageId) => string): { id: K; label: string }[] {
  return (Object.keys(names) as K[]).map((id) => ({ id, label: t(names[id]) }));
}
