/** Ways to a new desktop: from nothing, from another one, from a file. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FileTrigger } from 'react-aria-components';
import { useLocation } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { DesktopBrief, DesktopForm, DesktopService, DesktopView } from '../lib/api/types';
import { Button, Icon, Notice, RadioInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { placeOfDesktop } from './crumbs';
import css from './admin.module.css';
import { FormSheet } from './form-sheet';

/** Largest body that the server reads. */
const FILE_BYTES_MAX = 512 * 1_024;

/** Makes a desktop and opens it; what is wrong with its name stands at the name. */
function useMaking(make: () => Promise<DesktopView>) {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const making = useMutation({
    mutationFn: make,
    onSuccess: (view) => {
      void queries.invalidateQueries({ queryKey: KEYS.desktops });
      navigate(placeOfDesktop(view.desktop.id));
    },
  });
  const problem = making.error instanceof ApiError ? making.error.problem : undefined;
  const ofName = problem?.errors?.find((error) => error.field === 'name')?.message ?? (problem?.code === 'taken' ? problem.detail : undefined);
  return { making, problem, ofName };
}

function Failure({ error }: { error: unknown }) {
  return (
    <Notice tone="bad" role="alert">
      {sentenceOf(error)}
    </Notice>
  );
}

export function NewDesktopSheet({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [name, setName] = useState('');
  const [service, setService] = useState<DesktopService>('standard');
  const { making, ofName } = useMaking(() => {
    const body: DesktopForm = { name: name.trim(), service, layout: 'agent_panel', widgets: [], revision: 0 };
    return api<DesktopView>('POST', '/desktops', { body });
  });
  return (
    <FormSheet title={t('desktops.new_title')} onClose={onClose} submit={{ label: t('desktops.create'), ready: !making.isPending && name.trim() !== '', run: making.mutate }}>
      <TextInput label={t('desktops.name')} value={name} onChange={setName} required autoFocus maxLength={60} error={ofName} />
      <RadioInput
        label={t('desktops.service')}
        value={service}
        onChange={setService}
        choices={[
          { id: 'standard', label: t('desktops.service.standard') },
          { id: 'designer', label: t('desktops.service.designer') },
        ]}
        hint={t('desktops.service_fixed')}
      />
      {making.isError && !ofName && <Failure error={making.error} />}
    </FormSheet>
  );
}

export function DuplicateSheet({ original, gateways, onClose }: { original: DesktopBrief; gateways: boolean; onClose: () => void }) {
  const t = useT();
  const [name, setName] = useState(() => t('duplicate.name', { name: original.name }).slice(0, 60));
  const { making, ofName } = useMaking(() => api<DesktopView>('POST', `/desktops/${encodeURIComponent(original.id)}/duplicate`, { body: { name: name.trim() } }));
  return (
    <FormSheet
      title={t('duplicate.title', { name: original.name })}
      onClose={onClose}
      submit={{ label: t('duplicate.go'), ready: !making.isPending && name.trim() !== '', run: making.mutate }}
    >
      <p>{t(gateways ? 'duplicate.text' : 'duplicate.texts_only')}</p>
      <TextInput label={t('desktops.name')} value={name} onChange={setName} required autoFocus maxLength={60} error={ofName} />
      {making.isError && !ofName && <Failure error={making.error} />}
    </FormSheet>
  );
}

/** What can be told of a file before the server reads it. */
type Chosen = { file: string; content: { name?: unknown; widgets?: unknown } } | { file: string; wrong: 'desk_import.no_json' | 'desk_import.too_large' };

async function read(file: File): Promise<Chosen> {
  if (file.size > FILE_BYTES_MAX) return { file: file.name, wrong: 'desk_import.too_large' };
  try {
    const content: unknown = JSON.parse(await file.text());
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { file: file.name, content };
  } catch {
    // Said below.
  }
  return { file: file.name, wrong: 'desk_import.no_json' };
}

export function ImportSheet({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [chosen, setChosen] = useState<Chosen>();
  const [name, setName] = useState('');
  const content = chosen && 'content' in chosen ? chosen.content : undefined;
  const { making, problem, ofName } = useMaking(() => api<DesktopView>('POST', '/desktops/import', { body: { ...content, name: name.trim() } }));
  const choose = async (files: FileList | null) => {
    const file = files?.[0];
    if (!file) return;
    const next = await read(file);
    making.reset();
    setChosen(next);
    setName('content' in next && typeof next.content.name === 'string' ? next.content.name : '');
  };
  const wrong = (problem?.errors ?? []).filter((error) => error.field !== 'name');
  return (
    <FormSheet
      title={t('desk_import.title')}
      onClose={onClose}
      submit={{ label: t('desk_import.submit'), ready: !making.isPending && content !== undefined && name.trim() !== '', run: making.mutate }}
    >
      <p>{t('desk_import.text')}</p>
      <div className={css.tools}>
        <FileTrigger acceptedFileTypes={['application/json', '.json']} onSelect={(files) => void choose(files)}>
          <Button autoFocus>
            <Icon name="in" />
            {t('desk_import.file')}
          </Button>
        </FileTrigger>
        {content && <span>{t('desk_import.chosen', { file: chosen?.file ?? '', n: Array.isArray(content.widgets) ? content.widgets.length : 0 })}</span>}
      </div>
      {chosen && 'wrong' in chosen && (
        <Notice tone="bad" role="alert">
          {chosen.file}: {t(chosen.wrong)}
        </Notice>
      )}
      {content && <TextInput label={t('desktops.name')} value={name} onChange={setName} required maxLength={60} error={ofName} />}
      {wrong.length > 0 && (
        <Notice tone="bad" role="alert">
          <p>{t('desk_import.errors', { n: wrong.length })}</p>
          <ul className={css.wrongs}>
            {wrong.map((error) => (
              <li key={`${error.field} ${error.message}`}>
                <code>{error.field}</code> {error.message}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {making.isError && wrong.length === 0 && !ofName && <Failure error={making.error} />}
    </FormSheet>
  );
}
