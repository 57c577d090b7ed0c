/** Fields that differ, as a table: the field, then its texts side by side. */
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Row } from './desktop-diff';

type DiffTableProps = { rows: readonly Row[]; before: string; after: string; /** What a row belongs to that is of no part; the desktop. */ whole?: string };

export function DiffTable({ rows, before, after, whole }: DiffTableProps) {
  const t = useT();
  if (rows.length === 0) return <p className={css.empty}>{t('diff.none')}</p>;
  return (
    <div className={css.tableFrame} tabIndex={0} role="region" aria-label={t('diff.table')}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t('diff.field')}</th>
            <th scope="col">{before}</th>
            <th scope="col">{after}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path} className={css.diffRow}>
              <th scope="row">
                <span className={css.hint}>{row.widget || (whole ?? t('diff.desktop'))}</span>
                <span>{row.name}</span>
              </th>
              <td>
                <Text text={row.before} />
              </td>
              <td>
                <Text text={row.after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A value with its line breaks; an empty one is said to be empty. */
export function Text({ text }: { text: string }) {
  const t = useT();
  return text === '' ? <span className={css.hint}>{t('diff.nothing')}</span> : <span className={css.diffText}>{text}</span>;
}
