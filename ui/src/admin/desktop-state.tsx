import type { Standing } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { STATES, reasonOf } from './desktop-words';

/** The state as a chip, and every reason below it. */
export function State({ standing }: { standing: Standing }) {
  const t = useT();
  const { name, tone, icon } = STATES[standing.state];
  return (
    <div className={css.state}>
      <Chip tone={tone} icon={icon}>
        {t(name)}
      </Chip>
      {standing.reasons.length > 0 && (
        <ul className={css.reasons}>
          {standing.reasons.map((reason) => (
            <li key={`${reason.what} ${reason.widget ?? reason.name}`}>{reasonOf(t, reason)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
