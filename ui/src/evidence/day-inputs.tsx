/** The choice of days, shared by lists of what happened. */
import { SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { Days, Period } from './days';
import { PERIODS } from './days';

const NAMES = {
  today: 'days.today',
  yesterday: 'days.yesterday',
  week: 'days.week',
  month: 'days.month',
  all: 'days.all',
  days: 'days.days',
} satisfies Record<Period, MessageId>;

export function DayInputs({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const t = useT();
  const choices = PERIODS.map((id) => ({ id, label: t(NAMES[id]) }));
  return (
    <>
      <SelectInput label={t('days.label')} value={days.period} choices={choices} onChange={(period) => onChange({ ...days, period })} />
      {days.period === 'days' && (
        <>
          <TextInput label={t('days.first')} type="date" value={days.first} onChange={(first) => onChange({ ...days, first })} />
          <TextInput label={t('days.last')} type="date" value={days.last} onChange={(last) => onChange({ ...days, last })} />
        </>
      )}
    </>
  );
}
