/** Which groups of agents a user is in. Owns: the input, and the names in use beside it. Never: makes a group; its name does. */
import { Button, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './groups.module.css';
import { toAdd, withName } from './groups-form';

/** Names that are offered: more would be a list to search in. */
const OFFERED_MAX = 12;

type Props = { value: string; inUse: readonly string[]; onChange: (value: string) => void; readOnly: boolean; error: string | undefined };

export default function GroupsInput({ value, inUse, onChange, readOnly, error }: Props) {
  const t = useT();
  const offered = readOnly ? [] : toAdd(value, inUse).slice(0, OFFERED_MAX);
  return (
    <div className={css.groups}>
      <TextInput label={t('groups.title')} value={value} onChange={onChange} disabled={readOnly} hint={t('groups.hint')} error={error} />
      {offered.length > 0 && (
        <div className={css.offered} role="group" aria-label={t('groups.in_use')}>
          {offered.map((name) => (
            <Button key={name} size="small" onPress={() => onChange(withName(value, name))}>
              {t('groups.add', { name })}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
