/** New, Duplicate, Rename and Delete of designer desktops. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FormSheet } from '../admin/form-sheet';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { DesignView, Tile } from '../lib/api/types';
import { Button, Notice, Question, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { Drafts } from './drafts';

type Naming = 'new' | 'duplicate' | 'rename';
const TITLES = { new: 'designer.new_title', duplicate: 'designer.duplicate_title', rename: 'designer.rename_title' } as const;

type MenuProps = { view: DesignView | undefined; /** Its tiles as they are drafted. */ tiles: readonly Tile[] | undefined; drafts: Drafts };

export function DesignMenu({ view, tiles, drafts }: MenuProps) {
  const t = useT();
  const [naming, setNaming] = useState<Naming>();
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <Button onPress={() => setNaming('new')}>{t('designer.new')}</Button>
      {view && (
        <>
          <Button onPress={() => setNaming('duplicate')}>{t('designer.duplicate')}</Button>
          <Button onPress={() => setNaming('rename')}>{t('designer.rename')}</Button>
          <Button look="danger" onPress={() => setDeleting(true)}>
            {t('designer.delete')}
          </Button>
        </>
      )}
      {naming && <NameSheet naming={naming} view={view} tiles={tiles} drafts={drafts} onClose={() => setNaming(undefined)} />}
      {view && deleting && <DeleteQuestion view={view} onClose={() => setDeleting(false)} onDeleted={() => drafts.choose(undefined)} />}
    </>
  );
}

function NameSheet({ naming, view, tiles, drafts, onClose }: MenuProps & { naming: Naming; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const old = view?.design;
  const [name, setName] = useState(naming === 'new' || !old ? '' : naming === 'rename' ? old.name : t('designer.copy_of', { name: old.name }).slice(0, 60));
  const save = useMutation({
    mutationFn: () => {
      const named = { name: name.trim() };
      if (naming === 'rename' && old) return api<DesignView>('PUT', `/designer-desktops/${old.id}`, { body: { ...named, revision: old.revision } });
      return api<DesignView>('POST', '/designer-desktops', { body: naming === 'duplicate' ? { ...named, tiles } : named });
    },
    onSuccess: async ({ design }) => {
      if (naming === 'rename' && old) drafts.follow(old, design);
      await queries.invalidateQueries({ queryKey: KEYS.designs });
      drafts.choose(design.id);
      onClose();
    },
  });
  const own = save.error instanceof ApiError ? save.error.problem.errors?.find(({ field }) => field === 'name')?.message : undefined;
  return (
    <FormSheet title={t(TITLES[naming])} onClose={onClose} submit={{ label: t('widget.ok'), ready: name.trim() !== '' && !save.isPending, run: save.mutate }}>
      <TextInput label={t('desktops.name')} value={name} onChange={setName} maxLength={60} required autoFocus error={own} />
      {save.isError && !own && (
        <Notice tone="bad" role="alert">
          {sentenceOf(save.error)}
        </Notice>
      )}
    </FormSheet>
  );
}

function DeleteQuestion({ view, onClose, onDeleted }: { view: DesignView; onClose: () => void; onDeleted: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const { id, name } = view.design;
  const remove = useMutation({
    mutationFn: () => api('DELETE', `/designer-desktops/${id}`),
    onSuccess: async () => {
      onDeleted();
      onClose();
      await queries.invalidateQueries({ queryKey: KEYS.designs });
    },
  });
  const used = view.used_by.length > 0;
  return (
    <Question
      title={t('designer.delete_question', { name })}
      open
      onClose={onClose}
      actions={
        <>
          <Button autoFocus onPress={onClose}>
            {t('widget.cancel')}
          </Button>
          <Button look="danger" isDisabled={used || remove.isPending} onPress={() => remove.mutate()}>
            {t('designer.delete')}
          </Button>
        </>
      }
    >
      {used && <p>{t('designer.delete_used', { names: view.used_by.join(', ') })}</p>}
      {remove.isError && (
        <Notice tone="bad" role="alert">
          {sentenceOf(remove.error)}
        </Notice>
      )}
    </Question>
  );
}
