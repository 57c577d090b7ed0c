/** The list of presets: found by the gateway's name, taken once it is seen what one changes. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import type { GatewayPreset } from '../lib/api/types';
import { Notice, RadioInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetDraft } from './desktop-form';
import { FormSheet } from './form-sheet';
import type { Begun } from './preset-form';
import { begun, presetsFor } from './preset-form';
import { isTelUnauthorised } from './trial-form';
import { WidgetChanges, changesOf } from './widget-changes';

export default function GatewayPresetSheet({ draft, onTake, onClose }: { draft: WidgetDraft; onTake: (begun: Begun) => void; onClose: () => void }) {
  const t = useT();
  const presets = useQuery({ queryKey: ['gateway-presets'], queryFn: () => api<GatewayPreset[]>('GET', '/gateway-presets'), staleTime: Infinity });
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState('');
  const found = presetsFor(draft, presets.data ?? [], search);
  const preset = found.find(({ id }) => id === chosen);
  const next = preset && begun(draft, preset);
  const take = () => {
    if (!next) return;
    onTake(next);
    onClose();
  };
  return (
    <FormSheet title={t('preset.start')} onClose={onClose} submit={{ label: t('more.file_take'), ready: next !== undefined, run: take }}>
      <p className={css.hint}>{t('preset.hint')}</p>
      {presets.isPending && <p role="status">{t('app.loading')}</p>}
      {presets.error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(presets.error)}
        </Notice>
      )}
      {presets.data && (
        <>
          <TextInput label={t('preset.search')} value={search} onChange={setSearch} spellCheck="false" autoFocus />
          {found.length > 0 && (
            <div className={css.radios}>
              <RadioInput label={t('preset.choice')} value={chosen} onChange={setChosen} choices={found.map(({ id, title }) => ({ id, label: title }))} />
            </div>
          )}
          <div role="status">{found.length === 0 ? <p className={css.hint}>{t('preset.none')}</p> : null}</div>
        </>
      )}
      {preset && preset.notes.length > 0 && (
        <Notice tone="info">
          <strong>{t('preset.notes')}</strong>
          <ul lang="en">
            {preset.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Notice>
      )}
      {next && isTelUnauthorised(next.draft) && <Notice tone="warn">{t('trial.tel')}</Notice>}
      {next && <WidgetChanges rows={changesOf(t, draft, next.draft)} />}
    </FormSheet>
  );
}
