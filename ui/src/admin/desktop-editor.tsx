/** One desktop: layout, widgets, and the way to save them all or nothing. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useDesktop, useSettings } from '../lib/api/queries';
import type { DesktopView, Login } from '../lib/api/types';
import { Button, Chip, Notice, Question, RadioInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { Crumbs, PLACES } from './admin-pages';
import css from './admin.module.css';
import type { DesktopDraft, Errors, WidgetDraft } from './desktop-form';
import { LAYOUTS, draftOf, formOf, splitErrors } from './desktop-form';
import { LAYOUT_NAMES, SERVICE_NAMES } from './desktop-list';
import { useUnsaved } from './leave-guard';
import { WidgetsPanel } from './widgets-panel';

export function DesktopEditorPage({ id, login }: { id: string; login: Login }) {
  const t = useT();
  const { data, error, isPending, refetch } = useDesktop(id);
  const [saved, setSaved] = useState(-1);
  const settings = useSettings().data;
  if (isPending) return <p role="status">{t('app.loading')}</p>;
  if (!data) {
    return (
      <Notice tone="bad" role="alert">
        {sentenceOf(error)}
      </Notice>
    );
  }
  return (
    <DesktopEditor
      key={data.desktop.revision}
      view={data}
      login={login}
      responseVariables={settings?.response_variables ?? false}
      justSaved={saved === data.desktop.revision}
      onSaved={(view) => setSaved(view.desktop.revision)}
      onDiscard={() => void refetch()}
    />
  );
}

export type DesktopEditorProps = {
  view: DesktopView;
  login: Login;
  responseVariables: boolean;
  justSaved: boolean;
  onSaved: (view: DesktopView) => void;
  onDiscard: () => void;
};

export function DesktopEditor({ view, login, responseVariables, justSaved, onSaved, onDiscard }: DesktopEditorProps) {
  const t = useT();
  const [first] = useState(() => draftOf(view, (permission) => may(login, permission)));
  const [draft, setDraft] = useState(first);
  const [errors, setErrors] = useState<ReturnType<typeof splitErrors>>({ desktop: {}, widgets: {} });
  const changed = draft !== first;
  const editable = may(login, 'desktop.edit');
  useUnsaved(changed);
  const save = useSave(view.desktop.id, draft, setErrors, onSaved);
  const change = (next: Partial<DesktopDraft>) => setDraft({ ...draft, ...next });
  const changeWidgets = (widgets: WidgetDraft[], cleared?: string) => {
    change({ widgets });
    if (cleared) setErrors(({ desktop, widgets: { [cleared]: _, ...rest } }) => ({ desktop, widgets: rest }));
  };
  return (
    <>
      <Crumbs here="admin.agent_desktop" below={view.desktop.name} />
      <div className={css.head}>
        <h1>{view.desktop.name}</h1>
        <div className={css.tools}>
          <Chip>{t(SERVICE_NAMES[draft.service])}</Chip>
          <Chip>{t('editor.revision', { n: draft.revision })}</Chip>
          {changed && <Chip tone="warn" icon="edit">{t('editor.unsaved')}</Chip>}
        </div>
      </div>
      <section className={css.panel}>
        <TextInput
          label={t('desktops.name')}
          value={draft.name}
          onChange={(name) => change({ name })}
          error={errors.desktop.name}
          disabled={!editable}
          maxLength={60}
          required
        />
        <LayoutChoice draft={draft} onChange={change} disabled={!editable} error={errors.desktop.layout} />
      </section>
      <WidgetsPanel
        draft={draft}
        login={login}
        responseVariables={responseVariables}
        errors={errors.widgets}
        onChange={changeWidgets}
      />
      <SaveState error={save.error} errors={errors} saved={justSaved && !changed} />
      <footer className={css.foot}>
        {editable && <DeleteDesktop view={view} />}
        <span className={css.spacer} />
        <Button
          isDisabled={!changed || save.isPending}
          onPress={() => {
            setDraft(first);
            setErrors({ desktop: {}, widgets: {} });
            save.reset();
            onDiscard();
          }}
        >
          {t('editor.discard')}
        </Button>
        <Button look="primary" isDisabled={!changed || save.isPending} onPress={() => save.mutate()}>
          {t('editor.save')}
        </Button>
      </footer>
    </>
  );
}

/** All or nothing: the whole document goes, and comes back valid or with every error. */
function useSave(id: string, draft: DesktopDraft, onErrors: (errors: ReturnType<typeof splitErrors>) => void, onSaved: (view: DesktopView) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api<DesktopView>('PUT', `/desktops/${encodeURIComponent(id)}`, { body: formOf(draft) }),
    onSuccess: (view) => {
      onErrors({ desktop: {}, widgets: {} });
      onSaved(view);
      queries.setQueryData([...KEYS.desktop, id], view);
      void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
    },
    onError: (error) => onErrors(splitErrors(draft, error instanceof ApiError ? (error.problem.errors ?? []) : [])),
  });
}

function SaveState({ error, errors, saved }: { error: unknown; errors: { desktop: Errors; widgets: Record<string, Errors> }; saved: boolean }) {
  const t = useT();
  const all = [errors.desktop, ...Object.values(errors.widgets)];
  const count = all.reduce((sum, some) => sum + Object.keys(some).length, 0);
  if (saved) return <Notice tone="good" role="status">{t('editor.saved')}</Notice>;
  if (!error) return null;
  const conflict = error instanceof ApiError && error.problem.code === 'conflict';
  const text = conflict ? t('editor.conflict') : count > 0 ? t('editor.errors', { n: count }) : sentenceOf(error);
  const loose = Object.entries(errors.desktop).filter(([path]) => path !== 'name' && path !== 'layout');
  return (
    <Notice tone="bad" role="alert">
      {text}
      {loose.map(([path, message]) => (
        <p key={path}>{message}</p>
      ))}
    </Notice>
  );
}

function LayoutChoice({ draft, onChange, disabled, error }: { draft: DesktopDraft; onChange: (next: Partial<DesktopDraft>) => void; disabled: boolean; error: string | undefined }) {
  const t = useT();
  return (
    <div>
      <RadioInput
        label={t('desktops.layout')}
        value={draft.layout}
        onChange={(layout) => onChange({ layout })}
        disabled={disabled}
        choices={LAYOUTS.map((id) => {
          const refused = id === 'designer' && draft.service === 'standard';
          return { id, label: t(LAYOUT_NAMES[id]), disabled: refused, ...(refused ? { why: t('desktops.designer_refused') } : {}) };
        })}
        hint={t('editor.kept')}
      />
      {error && (
        <p className={css.error} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function DeleteDesktop({ view }: { view: DesktopView }) {
  const t = useT();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api('DELETE', `/desktops/${encodeURIComponent(view.desktop.id)}`),
    onSuccess: () => {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
      navigate(PLACES.desktops);
    },
  });
  return (
    <>
      <Button look="danger" onPress={() => setAsking(true)}>
        {t('editor.delete')}
      </Button>
      <Question
        title={t('editor.delete_question', { name: view.desktop.name })}
        open={asking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button autoFocus onPress={() => setAsking(false)}>
              {t('widget.cancel')}
            </Button>
            <Button look="danger" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
              {t('editor.delete_yes')}
            </Button>
          </>
        }
      >
        {remove.isError && (
          <Notice tone="bad" role="alert">
            {sentenceOf(remove.error)}
          </Notice>
        )}
      </Question>
    </>
  );
}
