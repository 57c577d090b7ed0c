/**
 * Revisions of something that is saved as a whole: who saved what when, the difference of any two, and Restore.
 * Never: knows what it is, or how it differs.
 */
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { sentenceOf } from '../lib/api/client';
import { Button, Chip, Icon, Notice, Question, SelectInput } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { agoText, dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';
import { Crumbs } from './crumbs';

type Brief = { revision: number; saved_at: number; saved_by: string };

export type RevisionsProps<R extends Brief> = {
  name: string;
  /** The last part of the breadcrumb. */
  below: ReactNode;
  /** What a revision is here. */
  text: string;
  /** The newest first. */
  revisions: readonly R[];
  more: boolean;
  /** What a revision that is not the first changed. */
  changesOf: (one: R) => string;
  /** Restore, for who may; what it means. */
  restore: { text: string; run: (revision: number, newest: number) => Promise<void> } | undefined;
  /** The difference of two. */
  children: (from: number, to: number) => ReactNode;
};

export function Revisions<R extends Brief>({ name, below, text, revisions, more, changesOf, restore, children }: RevisionsProps<R>) {
  const t = useT();
  const newest = revisions[0]?.revision ?? 0;
  const [from, setFrom] = useState(revisions[1]?.revision ?? newest);
  const [to, setTo] = useState(newest);
  const compare = (revision: number) => {
    const place = revisions.findIndex((one) => one.revision === revision);
    setFrom(revisions[place + 1]?.revision ?? revision);
    setTo(revision);
  };
  const choices = revisions.map((one) => ({ id: String(one.revision), label: t('history.number', { n: one.revision }) }));
  return (
    <>
      <Crumbs here="admin.agent_desktop" below={below} />
      <h1>{t('history.title', { name })}</h1>
      <p className={css.hint}>{text}</p>
      <div className={css.history}>
        <section className={css.panel} aria-labelledby="revisions-title">
          <h2 id="revisions-title">{t('history.revisions')}</h2>
          <List revisions={revisions} shown={to} changesOf={changesOf} onChoose={compare} />
          {more && <p className={css.hint}>{t('history.more')}</p>}
        </section>
        <section className={css.panel} aria-labelledby="difference-title">
          <h2 id="difference-title">{t('diff.table')}</h2>
          <div className={css.tools}>
            <SelectInput label={t('history.from')} value={String(from)} choices={choices} onChange={(value) => setFrom(Number(value))} />
            <SelectInput label={t('history.to')} value={String(to)} choices={choices} onChange={(value) => setTo(Number(value))} />
            {restore && [...new Set([from, to])].filter((one) => one !== newest).map((one) => <Restore key={one} revision={one} text={restore.text} onRestore={() => restore.run(one, newest)} />)}
          </div>
          {children(from, to)}
        </section>
      </div>
    </>
  );
}

type ListProps<R extends Brief> = { revisions: readonly R[]; shown: number; changesOf: (one: R) => string; onChoose: (revision: number) => void };

function List<R extends Brief>({ revisions, shown, changesOf, onChoose }: ListProps<R>) {
  const t = useT();
  const [now] = useState(Date.now);
  return (
    <ol className={css.revisions}>
      {revisions.map((one, place) => (
        <li key={one.revision}>
          <button type="button" className={css.revision} aria-pressed={shown === one.revision} onClick={() => onChoose(one.revision)}>
            <span className={css.revisionHead}>
              <strong>{t('history.number', { n: one.revision })}</strong>
              {place === 0 && <Chip>{t('history.now')}</Chip>}
            </span>
            <span className={css.hint}>
              <time dateTime={new Date(one.saved_at).toISOString()} title={dateTimeText(one.saved_at)}>
                {agoText(one.saved_at, now)}
              </time>
              {', '}
              {nameOf(t, one.saved_by)}
            </span>
            <span>{one.revision === 1 ? t('history.first') : changesOf(one)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

const nameOf = (t: Translate, name: string) => (name === '' || name === 'system' ? t('history.system') : name);

function Restore({ revision, text, onRestore }: { revision: number; text: string; onRestore: () => Promise<void> }) {
  const t = useT();
  const [asking, setAsking] = useState(false);
  const restore = useMutation({ mutationFn: onRestore, onSuccess: () => setAsking(false) });
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
        <p>{text}</p>
        {restore.isError && (
          <Notice tone="bad" role="alert">
            {sentenceOf(restore.error)}
          </Notice>
        )}
      </Question>
    </>
  );
}

/** What could not be read, in place of what would be compared. */
export function Unread({ error }: { error: unknown }) {
  return (
    <Notice tone="bad" role="alert">
      {sentenceOf(error)}
    </Notice>
  );
}
