/** Which agents take the calls of a service. Owns: the choice among the groups in use, and how many are in each. Never: makes a group. */
import { useGroups } from '../lib/api/services';
import { SelectInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { isSame } from './groups-form';

/** No group is named so. */
const ALL = ',';

/** `value`: the group; empty: all agents. */
type Props = { value: string; onChange: (value: string) => void; error: string | undefined };

export default function GroupChoice({ value, onChange, error }: Props) {
  const t = useT();
  const groups = useGroups().data ?? [];
  const chosen = groups.find(({ name }) => isSame(name, value));
  const offered = value && !chosen ? [...groups, { name: value, agents: 0 }] : groups;
  const choices = [{ id: ALL, label: t('groups.all') }, ...offered.map(({ name, agents }) => ({ id: name, label: t('groups.choice', { name, n: agents }) }))];
  const isEmpty = value !== '' && !chosen?.agents;
  return (
    <SelectInput
      label={t('groups.which')}
      value={(chosen?.name ?? value) || ALL}
      onChange={(id) => onChange(id === ALL ? '' : id)}
      choices={choices}
      hint={t(isEmpty ? 'groups.nobody' : 'groups.which_hint')}
      error={error}
    />
  );
}
