/** What one widget's form would come to: told in a sentence, and field by field. */
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Row } from './desktop-diff';
import { difference } from './desktop-diff';
import type { DesktopDraft, WidgetDraft } from './desktop-form';
import { DiffTable } from './diff-table';

export function changesOf(t: Translate, before: WidgetDraft, after: WidgetDraft): Row[] {
  return difference(t, alone(before), alone(after));
}

/** What is compared is one widget. */
const alone = (widget: WidgetDraft): DesktopDraft => ({ name: '', service: 'standard', layout: 'agent_panel', revision: 0, widgets: [widget] });

export function WidgetChanges({ rows }: { rows: readonly Row[] }) {
  const t = useT();
  return (
    <>
      <div role="status">{rows.length === 0 ? <p className={css.hint}>{t('more.file_same')}</p> : <p>{t('more.file_changes', { n: rows.length })}</p>}</div>
      {rows.length > 0 && <DiffTable rows={rows} before={t('diff.before')} after={t('diff.after')} />}
    </>
  );
}
