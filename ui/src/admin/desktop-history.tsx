/** Revisions of a desktop: who saved what when, the difference of any two, and Restore. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useDesigns, useDesktop, useDesktopHistory, useRevision } from '../lib/api/queries';
import type { DesktopView, Difference, Login, RevisionBrief } from '../lib/api/types';
import { Button, Chip, Icon, Notice, Question, SelectInput } from '../lib/controls';
import type { MessageId, Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { agoText, dateTimeText } from '../lib/i18n/format';
import { Crumbs, placeOfDesktop } from './crumbs';
import css from './admin.module.css';
import type { Row } from './desktop-diff';
import { difference } from './desktop-diff';
import { draftOf } from './desktop-form';
import { DiffTable } from './diff-table';

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
  const failure = desktop.error ?? history.error;
  if (failure) {
    return (
      <Notice tone="bad" role="alert">
        {sentenceOf(failure)}
      </Notice>
    );
  }
  if (!desktop.data || !history.data) return <p role="status">{t('app.loading')}</p>;
  const { revisions, more } = history.data;
  return <Revisions key={revisions[0]?.revision} view={desktop.data} revisions={revisions} more={more} editable={may(login, 'desktop.edit') || may(login, 'gateway.edit')} />;
}

function Revisions({ view, revisions, more, editable }: { view: DesktopView; revisions: readonly RevisionBrief[]; more: boolean; editable: boolean }) {
  const t = useT();
  const [now] = useState(Date.now);
  const newest = revisions[0]?.revision ?? 0;
  const [from, setFrom] = useState(revisions[1]?.revision ?? newest);
  const [to, setTo] = useState(newest);
  const compare = (revision: number) => {
    const place = revisions.findIndex((one) => one.revision === revision);
    setFrom(revisions[place + 1]?.revision ?? revision);
    setTo(revision);
  };
  return (
    <>
      <Crumbs here="admin.agent_desktop" below={<Link href={placeOfDesktop(view.desktop.id)}>{view.desktop.name}</Link>} />
      <h1>{t('history.title', { name: view.desktop.name })}</h1>
      <p className={css.hint}>{t('history.text')}</p>
      <div className={css.history}>
        <section className={css.panel} aria-labelledby="revisions-title">
          <h2 id="revisions-title">{t('history.revisions')}</h2>
          <ol className={css.revisions}>
            {revisions.map((one) => (
              <li key={one.revision}>
                <button type="button" className={css.revision} aria-pressed={to === one.revision} onClick={() => compare(one.revision)}>
                  <span className={css.revisionHead}>
                    <strong>{t('history.number', { n: one.revision })}</strong>
                    {one.revision === newest && <Chip>{t('history.now')}</Chip>}
                  </span>
                  <span className={css.hint}>
                    <time dateTime={new Date(one.saved_at).toISOString()} title={dateTimeText(one.saved_at)}>
                      {agoText(one.saved_at, now)}
                    </time>
                    {', '}
                    {nameOf(t, one.saved_by)}
                  </span>
                  <span>{changesOf(t, one)}</span>
                </button>
              </li>
            ))}
          </ol>
          {more && <p className={css.hint}>{t('history.more')}</p>}
        </section>
        <Comparison view={view} revisions={revisions} from={from} to={to} onFrom={setFrom} onTo={setTo} editable={editable} />
      </div>
    </>
  );
}

const nameOf = (t: Translate, name: string) => (name === '' || name === 'system' ? t('history.system') : name);

function changesOf(t: Translate, { changed, revision }: RevisionBrief): string {
  if (revision === 1) return t('history.first');
  return changed.map(({ what, title }) => t(CHANGES[what], { title })).join(', ');
}

type ComparisonProps = {
  view: DesktopView;
  revisions: readonly RevisionBrief[];
  from: number;
  to: number;
  onFrom: (revision: number) => void;
  onTo: (revision: number) => void;
  editable: boolean;
};

function Comparison({ view, revisions, from, to, onFrom, onTo, editable }: ComparisonProps) {
  const t = useT();
  const { id, revision: newest } = view.desktop;
  const [before, after] = [useRevision(id, from), useRevision(id, to)];
  const failure = before.error ?? after.error;
  const designRow = useDesignRow();
  const draft = (data: typeof after.data) => data && draftOf({ desktop: data.desktop, passwords_set: [] }, () => true);
  const [old, now] = [draft(before.data), draft(after.data)];
  const choices = revisions.map((one) => ({ id: String(one.revision), label: t('history.number', { n: one.revision }) }));
  return (
    <section className={css.panel} aria-labelledby="difference-title">
      <h2 id="difference-title">{t('diff.table')}</h2>
      <div className={css.tools}>
        <SelectInput label={t('history.from')} value={String(from)} choices={choices} onChange={(value) => onFrom(Number(value))} />
        <SelectInput label={t('history.to')} value={String(to)} choices={choices} onChange={(value) => onTo(Number(value))} />
        {editable && [...new Set([from, to])].filter((one) => one !== newest).map((one) => <Restore key={one} view={view} revision={one} />)}
      </div>
      {failure && (
        <Notice tone="bad" role="alert">
          {sentenceOf(failure)}
        </Notice>
      )}
      {old && now && <DiffTable rows={[...designRow(before.data?.desktop.design, after.data?.desktop.design), ...difference(t, old, now)]} before={t('history.number', { n: from })} after={t('history.number', { n: to })} />}
    </section>
  );
}

/** Which designer desktop is used, where that differs. */
function useDesignRow() {
  const t = useT();
  const { data } = useDesigns();
  const nameOf = (id: string | null | undefined) => (id ? (data?.designs.find(({ design }) => design.id === id)?.design.name ?? t('history.design_gone')) : '');
  return (before: string | null | undefined, after: string | null | undefined): Row[] =>
    (before ?? '') === (after ?? '') ? [] : [{ path: 'design', widget: '', name: t('history.changed.design'), before: nameOf(before), after: nameOf(after) }];
}

function Restore({ view, revision }: { view: DesktopView; revision: number }) {
  const t = useT();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const { id, revision: newest } = view.desktop;
  const restore = useMutation({
    mutationFn: () => api<DesktopView>('POST', `/desktops/${encodeURIComponent(id)}/history/${revision}/restore`, { body: { revision: newest } }),
    onSuccess: (restored) => {
      setAsking(false);
      queries.setQueryData([...KEYS.desktop, id], restored);
      void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
      void queries.invalidateQueries({ queryKey: [...KEYS.desktopHistory, id], exact: true });
    },
  });
  return (
    <>
      <Button onPress={() => setAsking(true)}>
        <Icon name="history" />
        {t('history.restore', { n: revision })}
      </Button>
      <Question
        title={t('history.restore_question', { n: revision })}
        open={asking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button autoFocus onPress={() => setAsking(false)}>
              {t('widget.cancel')}
            </Button>
            <Button look="primary" isDisabled={restore.isPending} onPress={() => restore.mutate()}>
              {t('history.restore', { n: revision })}
            </Button>
          </>
        }
      >
        <p>{t('history.restore_text', { agents: view.agents })}</p>
        {restore.isError && (
          <Notice tone="bad" role="alert">
            {sentenceOf(restore.error)}
          </Notice>
        )}
      </Question>
    </>
  );
}
