/** Deletes a desktop: blocked while it is in use, with its users named; else its name is typed. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, useDesktopUse } from '../lib/api/queries';
import type { DesktopBrief, DesktopUse } from '../lib/api/types';
import { Notice, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { FormSheet } from './form-sheet';

/** Names of one list that are shown; the others are counted. */
const NAMES_MAX = 12;

export default function DeleteSheet({ desktop, onClose, onDeleted = onClose }: { desktop: Pick<DesktopBrief, 'id' | 'name'>; onClose: () => void; onDeleted?: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const use = useDesktopUse(desktop.id);
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => api('DELETE', `/desktops/${encodeURIComponent(desktop.id)}`),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
      onDeleted();
    },
    onError: () => void use.refetch(),
  });
  const title = t('delete.title', { name: desktop.name });
  const failure = remove.error ?? use.error;
  const free = use.data !== undefined && !isUsed(use.data);
  const ready = free && typed.trim() === desktop.name && !remove.isPending;
  return (
    <FormSheet title={title} onClose={onClose} submit={free ? { label: t('delete.yes'), ready, look: 'danger', run: remove.mutate } : undefined}>
      {use.isPending && <p role="status">{t('app.loading')}</p>}
      {use.data && !free && <Uses use={use.data} />}
      {free && (
        <>
          <p>{t('delete.text')}</p>
          <TextInput label={t('delete.type_name')} value={typed} onChange={setTyped} hint={desktop.name} autoFocus required />
        </>
      )}
      {failure && (
        <Notice tone="bad" role="alert">
          {sentenceOf(failure)}
        </Notice>
      )}
    </FormSheet>
  );
}

function isUsed(use: DesktopUse): boolean {
  return use.agents.length + use.services.length + use.capturing.length > 0;
}

function Uses({ use }: { use: DesktopUse }) {
  const t = useT();
  const lists: [MessageId, string[]][] = [
    ['delete.capturing', use.capturing],
    ['delete.services', use.services.map(({ name }) => name)],
    ['delete.agents', use.agents.map(({ display_name }) => display_name)],
  ];
  return (
    <>
      <Notice tone="warn" role="status">
        <strong>{t('delete.blocked')}</strong>
      </Notice>
      {lists
        .filter(([, names]) => names.length > 0)
        .map(([title, names]) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            <ul className={css.wrongs}>
              {names.slice(0, NAMES_MAX).map((name) => (
                <li key={name}>{name}</li>
              ))}
              {names.length > NAMES_MAX && <li>{t('delete.more', { n: names.length - NAMES_MAX })}</li>}
            </ul>
          </section>
        ))}
    </>
  );
}
