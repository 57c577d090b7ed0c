/** Which agents work with a desktop: shown and changed here. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, useDesktopUse } from '../lib/api/queries';
import type { AgentBrief, DesktopBrief, DesktopUse } from '../lib/api/types';
import { CheckInput, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { FormSheet } from './form-sheet';

export function AssignSheet({ desktop, onClose }: { desktop: Pick<DesktopBrief, 'id' | 'name'>; onClose: () => void }) {
  const t = useT();
  const { data, error } = useDesktopUse(desktop.id);
  const title = t('assign.title', { name: desktop.name });
  if (data) return <AssignForm title={title} desktop={desktop.id} use={data} onClose={onClose} />;
  return (
    <FormSheet title={title} onClose={onClose}>
      {error ? <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice> : <p role="status">{t('app.loading')}</p>}
    </FormSheet>
  );
}

function AssignForm({ title, desktop, use, onClose }: { title: string; desktop: string; use: DesktopUse; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const before = new Set(use.agents.map(({ id }) => id));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(before);
  const [search, setSearch] = useState('');
  const add = [...chosen].filter((id) => !before.has(id));
  const remove = [...before].filter((id) => !chosen.has(id));
  const save = useMutation({
    mutationFn: () => api<DesktopUse>('PUT', `/desktops/${encodeURIComponent(desktop)}/agents`, { body: { add, remove } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: KEYS.desktops });
      void queries.invalidateQueries({ queryKey: KEYS.desktopUse });
      void queries.invalidateQueries({ queryKey: KEYS.users });
      onClose();
    },
  });
  const wanted = search.trim().toLowerCase();
  const fits = ({ name, display_name }: AgentBrief) => `${name} ${display_name}`.toLowerCase().includes(wanted);
  const all = [...use.agents, ...use.others];
  const found = all.filter(fits);
  const errors = save.error instanceof ApiError ? (save.error.problem.errors ?? []) : [];
  return (
    <FormSheet
      title={title}
      onClose={onClose}
      note={<span role="status">{t('assign.change', { added: add.length, removed: remove.length })}</span>}
      submit={{ label: t('assign.save'), ready: !save.isPending && add.length + remove.length > 0, run: save.mutate }}
    >
      <p>{t('assign.text')}</p>
      <TextInput label={t('assign.search')} value={search} onChange={setSearch} autoFocus />
      {all.length === 0 && <p className={css.empty}>{t('assign.none')}</p>}
      {all.length > 0 && found.length === 0 && <p className={css.empty}>{t('assign.nobody_found')}</p>}
      <ul className={css.people} aria-label={t('assign.agents')}>
        {found.map((agent) => (
          <li key={agent.id}>
            <CheckInput
              label={agent.display_name}
              value={chosen.has(agent.id)}
              onChange={(on) => setChosen(new Set(on ? [...chosen, agent.id] : [...chosen].filter((id) => id !== agent.id)))}
            />
            <span className={css.hint}>
              {agent.name} · {before.has(agent.id) ? t('assign.here') : agent.desktop ? t('assign.elsewhere', { desktop: agent.desktop }) : t('assign.nowhere')}
            </span>
          </li>
        ))}
      </ul>
      {save.isError && (
        <Notice tone="bad" role="alert">
          {[sentenceOf(save.error), ...errors.map(({ message }) => message)].join(' ')}
        </Notice>
      )}
    </FormSheet>
  );
}
