/** What else was recorded of the same call: its audio, or its agent's screen. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { queryOf } from '../evidence/search-state';
import { api } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordingList, RecordingRow } from '../lib/api/types';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './recordings.module.css';
import { MEDIUM_NAMES } from './spans';

const MOST = 20;

/** The other recordings of the same call, the newest first. */
export function useOthersOfCall(row: RecordingRow): RecordingRow[] {
  const query = queryOf({ call: row.call, limit: MOST });
  const { data } = useQuery({
    queryKey: [...KEYS.recordings, 'call', row.call],
    queryFn: ({ signal }) => api<RecordingList>('GET', `/recordings?${query}`, { signal }),
  });
  return data?.recordings.filter(({ id, call }) => id !== row.id && call === row.call) ?? [];
}

export function Companions({ row }: { row: RecordingRow }) {
  const t = useT();
  const others = useOthersOfCall(row);
  if (others.length === 0) return null;
  return (
    <nav className={css.companions} aria-label={t('recordings.companions')}>
      <span className={css.hint}>{t('recordings.companions')}</span>
      {others.map((other) => (
        <Link key={other.id} href={`/recordings/${encodeURIComponent(other.id)}`}>
          {t('recordings.companion', { medium: t(MEDIUM_NAMES[other.medium]), time: dateTimeText(other.began) })}
        </Link>
      ))}
    </nav>
  );
}
