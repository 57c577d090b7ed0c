/** Revisions of a designer desktop, and how any two differ. */
import { useQueryClient } from '@tanstack/react-query';
import { DiffTable } from '../admin/diff-table';
import { Revisions, Unread } from '../admin/revisions';
import { api } from '../lib/api/client';
import { KEYS, may, useDesignHistory, useDesignRevision, useDesigns } from '../lib/api/queries';
import type { DesignDifference, DesignRevisionBrief, Login } from '../lib/api/types';
import type { MessageId, Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { designDifference } from './design-diff';

const CHANGES = {
  name: 'history.changed.name',
  added: 'history.tiles.added',
  moved: 'history.tiles.moved',
  edited: 'history.tiles.edited',
  removed: 'history.tiles.removed',
} satisfies Record<DesignDifference['what'], MessageId>;

export default function DesignHistoryPage({ id, login }: { id: string; login: Login }) {
  const t = useT();
  const designs = useDesigns();
  const history = useDesignHistory(id);
  const onRestore = useRestore(id);
  const failure = designs.error ?? history.error;
  const view = designs.data?.designs.find(({ design }) => design.id === id);
  if (failure) return <Unread error={failure} />;
  if (!view || !history.data) return <p role="status">{t('app.loading')}</p>;
  const { revisions, more } = history.data;
  const used = { count: view.used_by.length, names: view.used_by.join(', ') };
  return (
    <Revisions
      key={revisions[0]?.revision}
      name={view.design.name}
      below={view.design.name}
      text={t('history.design_text')}
      revisions={revisions}
      more={more}
      changesOf={(one) => changesOf(t, one)}
      restore={may(login, 'desktop.edit') ? { text: t('history.design_restore_text', used), run: onRestore } : undefined}
    >
      {(from, to) => <Comparison id={id} from={from} to={to} />}
    </Revisions>
  );
}

function changesOf(t: Translate, { changed }: DesignRevisionBrief): string {
  return changed.map(({ what, tiles }) => t(CHANGES[what], { n: tiles })).join(', ');
}

function Comparison({ id, from, to }: { id: string; from: number; to: number }) {
  const t = useT();
  const [before, after] = [useDesignRevision(id, from), useDesignRevision(id, to)];
  const failure = before.error ?? after.error;
  if (failure) return <Unread error={failure} />;
  if (!before.data || !after.data) return null;
  const rows = designDifference(t, before.data.design, after.data.design);
  return <DiffTable rows={rows} whole={t('designer.desktop')} before={t('history.number', { n: from })} after={t('history.number', { n: to })} />;
}

function useRestore(id: string) {
  const queries = useQueryClient();
  return async (revision: number, newest: number) => {
    await api('POST', `/designer-desktops/${encodeURIComponent(id)}/history/${revision}/restore`, { body: { revision: newest } });
    void queries.invalidateQueries({ queryKey: KEYS.designs });
    void queries.invalidateQueries({ queryKey: [...KEYS.designHistory, id], exact: true });
  };
}
