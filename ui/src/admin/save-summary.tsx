/** Before a save that agents will feel: what it changes, for how many, and from when on. */
import { Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { Row } from './desktop-diff';
import { DiffTable } from './diff-table';
import { FormSheet } from './form-sheet';

export default function SaveSummary({ rows, agents, onSave, onClose }: { rows: readonly Row[]; agents: number; onSave: () => void; onClose: () => void }) {
  const t = useT();
  return (
    <FormSheet title={t('save.title')} onClose={onClose} submit={{ label: t('save.yes'), ready: true, run: onSave }}>
      <Notice tone="info">{t('save.effect', { n: agents })}</Notice>
      <DiffTable rows={rows} before={t('diff.before')} after={t('diff.after')} />
    </FormSheet>
  );
}
