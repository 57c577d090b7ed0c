/** Someone else saved meanwhile: both sides' changes field by field, and which of them is taken. Nothing of either is lost. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import type { DesktopView } from '../lib/api/types';
import { Button, Notice, RadioInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Clash } from './desktop-diff';
import { clashes, merged } from './desktop-diff';
import type { DesktopDraft } from './desktop-form';
import { Text } from './diff-table';
import { FormSheet } from './form-sheet';

export type ConflictProps = {
  base: DesktopDraft;
  mine: DesktopDraft;
  /** The form of what is stored. */
  draftOf: (view: DesktopView) => DesktopDraft;
  onMerged: (theirs: DesktopView, theirDraft: DesktopDraft, draft: DesktopDraft) => void;
  onClose: () => void;
};

export default function ConflictSheet({ id, ...props }: ConflictProps & { id: string }) {
  const t = useT();
  // Asked for once: what is merged is exactly what is shown.
  const theirs = useQuery({
    queryKey: ['desktop-conflict', id, props.base.revision],
    queryFn: ({ signal }) => api<DesktopView>('GET', `/desktops/${encodeURIComponent(id)}`, { signal }),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const title = t('conflict.title');
  if (theirs.data) return <Choices {...props} view={theirs.data} title={title} />;
  return (
    <FormSheet title={title} onClose={props.onClose}>
      {theirs.error ? <Notice tone="bad" role="alert">{sentenceOf(theirs.error)}</Notice> : <p role="status">{t('app.loading')}</p>}
    </FormSheet>
  );
}

function Choices({ base, mine, draftOf, onMerged, onClose, view, title }: ConflictProps & { view: DesktopView; title: string }) {
  const t = useT();
  const [theirs] = useState(() => draftOf(view));
  const [found] = useState(() => clashes(t, base, mine, theirs));
  const [chosen, setChosen] = useState<Readonly<Record<string, Clash['by']>>>(() => Object.fromEntries(found.map(({ path, by }) => [path, by === 'them' ? 'them' : 'me'])));
  const choose = (paths: readonly string[], by: 'me' | 'them') => setChosen({ ...chosen, ...Object.fromEntries(paths.map((path) => [path, by])) });
  const all = found.map(({ path }) => path);
  return (
    <FormSheet
      title={title}
      onClose={onClose}
      back={t('conflict.back')}
      submit={{ label: t('conflict.apply'), ready: true, run: () => onMerged(view, theirs, merged(base, mine, theirs, (path) => chosen[path] === 'me')) }}
    >
      <Notice tone="warn">{t('conflict.text', { name: view.saved_by, n: view.desktop.revision })}</Notice>
      {found.length === 0 && <p className={css.empty}>{t('conflict.same')}</p>}
      {found.length > 1 && (
        <div className={css.tools}>
          <Button size="small" onPress={() => choose(all, 'me')}>
            {t('conflict.all_mine')}
          </Button>
          <Button size="small" onPress={() => choose(all, 'them')}>
            {t('conflict.all_theirs')}
          </Button>
        </div>
      )}
      <ul className={css.clashes}>
        {found.map((clash) => (
          <li key={clash.path} className={css.clash}>
            <ClashChoice clash={clash} value={chosen[clash.path] === 'me' ? 'me' : 'them'} onChange={(by) => choose([clash.path], by)} />
          </li>
        ))}
      </ul>
    </FormSheet>
  );
}

function ClashChoice({ clash, value, onChange }: { clash: Clash; value: 'me' | 'them'; onChange: (by: 'me' | 'them') => void }) {
  const t = useT();
  const sides = [
    ['conflict.base', clash.base],
    ['conflict.mine', clash.mine],
    ['conflict.theirs', clash.theirs],
  ] as const;
  return (
    <>
      <RadioInput
        label={`${clash.widget || t('diff.desktop')}: ${clash.name}`}
        value={value}
        onChange={onChange}
        choices={[
          { id: 'me', label: t('conflict.take_mine') },
          { id: 'them', label: t('conflict.take_theirs') },
        ]}
        hint={t(`conflict.by.${clash.by}`)}
      />
      <dl className={css.sides}>
        {sides.map(([side, text]) => (
          <div key={side}>
            <dt>{t(side)}</dt>
            <dd>
              <Text text={text} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
