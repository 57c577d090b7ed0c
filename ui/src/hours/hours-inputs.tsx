/** When a service takes calls. Owns: the inputs, a week as a table of days. Never: decides what is open; the server does. */
import { CheckInput, RadioInput, SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { Away, Day, HoursDraft } from './hours-form';
import { DAYS, problemOfDay } from './hours-form';
import css from './hours.module.css';

const NAMES = {
  monday: 'hours.monday',
  tuesday: 'hours.tuesday',
  wednesday: 'hours.wednesday',
  thursday: 'hours.thursday',
  friday: 'hours.friday',
  saturday: 'hours.saturday',
  sunday: 'hours.sunday',
} satisfies Record<Day, MessageId>;

const AWAY = { refuse: 'hours.away.refuse', uri: 'hours.away.uri', trunk: 'hours.away.trunk' } satisfies Record<Away, MessageId>;

/** `trunks`: those that can be chosen, the stored one among them. */
type Props = { value: HoursDraft; trunks: readonly string[]; onChange: (value: HoursDraft) => void; problem: (field: string) => string | undefined };

export default function HoursInputs({ value, trunks, onChange, problem }: Props) {
  const t = useT();
  const set = <K extends keyof HoursDraft>(name: K) => (next: HoursDraft[K]) => onChange({ ...value, [name]: next });
  const zones = [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', value.zone])];
  const ofDays = DAYS.map((day) => problemOfDay(value, day, problem));
  const ways = (['refuse', 'uri', 'trunk'] as const).filter((way) => way !== 'trunk' || trunks.length > 0);
  return (
    <fieldset className={css.hours}>
      <legend>{t('hours.title')}</legend>
      <CheckInput label={t('hours.on')} value={value.on} onChange={set('on')} hint={t('hours.on_hint')} />
      {value.on && (
        <>
          <SelectInput label={t('hours.zone')} value={value.zone} onChange={set('zone')} choices={zones.map((zone) => ({ id: zone, label: zone }))} error={problem('hours.zone')} />
          <div className={css.week} role="group" aria-label={t('hours.week')}>
            {DAYS.map((day, place) => (
              <TextInput key={day} label={t(NAMES[day])} value={value.week[day]} onChange={(text) => onChange({ ...value, week: { ...value.week, [day]: text } })} error={ofDays[place]} />
            ))}
          </div>
          <p className={css.hint}>{(!ofDays.some(Boolean) && problem('hours.open')) || t('hours.week_hint')}</p>
          <TextInput label={t('hours.dates')} value={value.dates} onChange={set('dates')} lines={2} hint={t('hours.dates_hint')} error={problem('hours.closed_dates')} />
          <RadioInput label={t('hours.away')} value={value.away} onChange={set('away')} choices={ways.map((id) => ({ id, label: t(AWAY[id]) }))} />
          {value.away === 'uri' && (
            <>
              <TextInput label={t('hours.uri')} value={value.uri} onChange={set('uri')} required hint={t('hours.uri_hint')} error={problem('hours.closed.uri')} />
              <TextInput label={t('hours.address')} value={value.address} onChange={set('address')} required hint={t('hours.address_hint')} error={problem('hours.closed.address')} />
            </>
          )}
          {value.away === 'trunk' && (
            <>
              <SelectInput label={t('hours.trunk')} value={value.trunk} onChange={set('trunk')} choices={trunks.map((name) => ({ id: name, label: name }))} error={problem('hours.closed.trunk')} />
              <TextInput label={t('hours.number')} value={value.number} onChange={set('number')} maxLength={40} hint={t('hours.number_hint')} error={problem('hours.closed.number')} />
            </>
          )}
        </>
      )}
    </fieldset>
  );
}
