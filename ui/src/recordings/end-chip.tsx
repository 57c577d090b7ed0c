/** How a recording ended, in a word; that something was found in it comes first. */
import type { RecordingRow } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { isQuarantined } from './finds';

export function EndChip({ row }: { row: RecordingRow }) {
  const t = useT();
  if (isQuarantined(row)) return <Chip tone="bad" icon="lock">{t('recordings.quarantined')}</Chip>;
  if (!row.end) return <Chip tone="info" icon="record">{t('recordings.running')}</Chip>;
  return row.end.is_whole ? <Chip tone="good" icon="check">{t('recordings.whole')}</Chip> : <Chip tone="warn" icon="warning">{t('recordings.cut')}</Chip>;
}
