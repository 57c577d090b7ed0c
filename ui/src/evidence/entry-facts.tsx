/** What an entry of the trail says beyond who, when and on what. */
import { useT } from '../lib/i18n';
import css from './evidence.module.css';

/** Before and after side by side where it has both, everything else by name. */
export function EntryFacts({ detail }: { detail: Record<string, unknown> }) {
  const t = useT();
  const { before, after, ...facts } = detail;
  const entries = Object.entries(facts).filter(([, value]) => value !== null && value !== '');
  const changes = changesOf(before, after);
  if (entries.length === 0 && changes.length === 0) return null;
  return (
    <dl className={css.details}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{textOf(value)}</dd>
        </div>
      ))}
      {changes.map(({ name, was, is }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{t('audit.change', { was: textOf(was), is: textOf(is) })}</dd>
        </div>
      ))}
    </dl>
  );
}

type Fields = Record<string, unknown>;

function changesOf(before: unknown, after: unknown): { name: string; was: unknown; is: unknown }[] {
  if (before === undefined && after === undefined) return [];
  const fields = (value: unknown): Fields => (value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : { '': value });
  const [was, is] = [fields(before), fields(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name])).map((name) => ({ name, was: was[name], is: is[name] }));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
