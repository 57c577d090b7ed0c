/** Revisions of an agent desktop, and how any two differ. */
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import { api } from '../lib/api/client';
import { KEYS, may, useDesigns, useDesktop, useDesktopHistory, useRevision } from '../lib/api/queries';
import type { DesktopView, Difference, Login, RevisionBrief } from '../lib/api/types';
import type { MessageId, Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { placeOfDesktop } from './crumbs';
import type { Row } from './desktop-diff';
import { difference } from './desktop-diff';
import { draftOf } from './desktop-form';
import { DiffTable } from './diff-table';
import { Revisions, Unread } from './revisions';

const CHANGES = {
  name: 'history.changed.name',
  layout: 'history.changed.layout',
  design: 'history.changed.design',
  order: 'history.changed.order',
  added: 'history.changed.added',
  edited: 'history.changed.edited',
  removed: 'history.changed.removed',
} satisfies Record<Difference['what'], MessageId>;

export default function DesktopHistoryPage({ id, login }: { id: string; login: Login }) {
  const t = useT();
  const desktop = useDesktop(id);
  const history = useDesktopHistory(id);
  const onRestore = useRestore(id);
  const failure = desktop.error ?? history.error;
  if (failure) return <Unread error={failure} />;
  if (!desktop.data || !history.data) return <p role="status">{t('app.loading')}</p>;
  const { revisions, more } = history.data;
  const { name } = desktop.data.desktop;
  const editable = may(login, 'desktop.edit') || may(login, 'gateway.edit');
  return (
    <Revisions
      key={revisions[0]?.revision}
      name={name}
      below={<Link href={placeOfDesktop(id)}>{name}</Link>}
      text={t('history.text')}
      revisions={revisions}
      more={more}
      changesOf={(one) => changesOf(t, one)}
      restore={editable ? { text: t('history.restore_text', { agents: desktop.data.agents }), run: onRestore } : undefined}
    >
      {(from, to) => <Comparison id={id} from={from} to={to} />}
    </Revisions>
  );
}

function changesOf(t: Translate, { changed }: RevisionBrief): string {
  return changed.map(({ what, title }) => t(CHANGES[what], { title })).join(', ');
}

function Comparison({ id, from, to }: { id: string; from: number; to: number }) {
  const t = useT();
  const [before, after] = [useRevision(id, from), useRevision(id, to)];
  const failure = before.error ?? after.error;
  const designRow = useDesignRow();
  const draft = (data: typeof after.data) => data && draftOf({ desktop: data.desktop, passwords_set: [], secrets_set: [] }, () => true);
  const [old, now] = [draft(before.data), draft(after.data)];
  if (failure) return <Unread error={failure} />;
  if (!old || !now) return null;
  const rows = [...designRow(before.data?.desktop.design, after.data?.desktop.design), ...difference(t, old, now)];
  return <DiffTable rows={rows} before={t('history.number', { n: from })} after={t('history.number', { n: to })} />;
}

/** Which designer desktop is used, where that differs. */
function useDesignRow() {
  const t = useT();
  const { data } = useDesigns();
  const nameOf = (id: string | null | undefined) => (id ? (data?.designs.find(({ design }) => design.id === id)?.design.name ?? t('history.design_gone')) : '');
  return (before: string | null | undefined, after: string | null | undefined): Row[] =>
    (before ?? '') === (after ?? '') ? [] : [{ path: 'design', widget: '', name: t('history.changed.design'), before: nameOf(before), after: nameOf(after) }];
}

function useRestore(id: string) {
  const queries = useQueryClient();
  return async (revision: number, newest: number) => {
    const restored = await api<DesktopView>('POST', `/desktops/${encodeURIComponent(id)}/history/${revision}/restore`, { body: { revision: newest } });
    queries.setQueryData([...KEYS.desktop, id], restored);
    void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
    void queries.invalidateQueries({ queryKey: [...KEYS.desktopHistory, id], exact: true });
  };
}
