/** Before a save that agents will feel: what it changes, for how many, and from when on. */
import { Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import { difference } from './desktop-diff';
import type { DesktopDraft } from './desktop-form';
import { DiffTable } from './diff-table';
import { FormSheet } from './form-sheet';

export default function SaveSummary({ before, after, agents, onSave, onClose }: { before: DesktopDraft; after: DesktopDraft; agents: number; onSave: () => void; onClose: () => void }) {
  const t = useT();
  return (
    <FormSheet title={t('save.title')} onClose={onClose} submit={{ label: t('save.yes'), ready: true, run: onSave }}>
      <Notice tone="info">{t('save.effect', { n: agents })}</Notice>
      <DiffTable rows={difference(t, before, after)} before={t('diff.before')} after={t('diff.after')} />
    </FormSheet>
  );
}
