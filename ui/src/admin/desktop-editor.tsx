/** One desktop: layout, widgets, and the way to save them all or nothing. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useDesktop, useDesktops, useSettings } from '../lib/api/queries';
import type { DesktopView, Login, ResponseVariables } from '../lib/api/types';
import { Button, Chip, Icon, Notice, RadioInput, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { withOffice } from '../lib/i18n/catalogue';
import { Crumbs, PLACES, placeOfDesktop, placeOfHistory } from './crumbs';
import css from './admin.module.css';
import type { DesktopDraft, Errors, WidgetDraft } from './desktop-form';
import { LAYOUTS, draftOf, formOf, splitErrors } from './desktop-form';
import type { Panels } from './desktop-panels';
import { DesktopPanels, usePanels } from './desktop-panels';
import { State } from './desktop-state';
import { LAYOUT_NAMES, SERVICE_NAMES } from './desktop-words';
import { useUnsaved } from './leave-guard';

/** What opens at a press is read then. */
const ConflictSheet = lazy(withOffice(() => import('./desktop-conflict')));
const DeleteSheet = lazy(() => import('./desktop-delete'));
/** The agent's own widget follows the form: it is read once the form is there. */
const DesktopPreview = lazy(() => import('./desktop-preview'));
const SaveSummary = lazy(withOffice(() => import('./save-summary')));

export default function DesktopEditorPage(props: { id: string; login: Login }) {
  return <Editing key={props.id} {...props} />;
}

function Editing({ id, login }: { id: string; login: Login }) {
  const t = useT();
  const { data, error, isPending, refetch } = useDesktop(id);
  const [saved, setSaved] = useState(-1);
  const panels = usePanels();
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
      responseVariables={settings?.response_variables ?? NO_VARIABLES}
      justSaved={saved === data.desktop.revision}
      panels={panels}
      onSaved={(view) => setSaved(view.desktop.revision)}
      onDiscard={() => void refetch()}
    />
  );
}

export type DesktopEditorProps = {
  view: DesktopView;
  login: Login;
  responseVariables: ResponseVariables;
  justSaved: boolean;
  /** Which panel is shown, and what is drafted on it: that outlives a save. */
  panels: Panels;
  onSaved: (view: DesktopView) => void;
  onDiscard: () => void;
};

/** Until the settings are read. */
const NO_VARIABLES: ResponseVariables = { allow: 'none' };

export function DesktopEditor({ view, login, responseVariables, justSaved, panels, onSaved, onDiscard }: DesktopEditorProps) {
  const t = useT();
  const asDraft = (stored: DesktopView) => draftOf(stored, (permission) => may(login, permission));
  // What is compared with: the revision that was read, or the one that was merged with.
  const [base, setBase] = useState(() => ({ view, draft: asDraft(view) }));
  const [draft, setDraft] = useState(base.draft);
  const [errors, setErrors] = useState<SplitErrors>(NO_ERRORS);
  const [asking, setAsking] = useState<'summary' | 'conflict'>();
  const changed = draft !== base.draft;
  const editable = may(login, 'desktop.edit');
  useUnsaved(changed || panels.drafts.changed);
  const save = useSave(view.desktop.id, draft, (next, conflict) => {
    setErrors(next);
    if (conflict) setAsking('conflict');
  }, onSaved);
  // Rows of lists are kept while they look the same, so their callbacks may come from an earlier draft.
  const change = (next: Partial<DesktopDraft>) => setDraft((now) => ({ ...now, ...next }));
  const changeWidgets = (widgets: WidgetDraft[], cleared?: string) => {
    change({ widgets });
    if (cleared) setErrors(({ desktop, widgets: { [cleared]: _, ...rest } }) => ({ desktop, widgets: rest }));
  };
  const { agents, standing } = base.view;
  return (
    <>
      <Crumbs here="admin.agent_desktop" below={view.desktop.name} />
      <div className={css.head}>
        <h1>{view.desktop.name}</h1>
        <div className={css.tools}>
          <OtherDesktops id={view.desktop.id} />
          <Chip>{t(SERVICE_NAMES[draft.service])}</Chip>
          <Link href={placeOfHistory(view.desktop.id)} className={css.headLink}>
            <Icon name="history" />
            {t('editor.revision', { n: draft.revision })}
          </Link>
          {changed && <Chip tone="warn" icon="edit">{t('editor.unsaved')}</Chip>}
        </div>
      </div>
      {!changed && <State standing={standing} />}
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
      <DesktopPanels desktop={base.view.desktop} panels={panels} changed={changed} draft={draft} login={login} responseVariables={responseVariables} errors={errors.widgets} onChange={changeWidgets} />
      <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
        <DesktopPreview draft={draft} design={base.view.desktop.design} drafts={panels.drafts} />
      </Suspense>
      <SaveState error={save.error} errors={errors} saved={justSaved && !changed} merged={base.view !== view && changed} onConflict={() => setAsking('conflict')} />
      <footer className={css.foot}>
        {editable && <DeleteDesktop view={view} />}
        <span className={css.spacer} />
        <Button
          isDisabled={!changed || save.isPending}
          onPress={() => {
            setDraft(base.draft);
            setErrors(NO_ERRORS);
            save.reset();
            onDiscard();
          }}
        >
          {t('editor.discard')}
        </Button>
        <Button look="primary" isDisabled={!changed || save.isPending} onPress={() => (agents > 0 ? setAsking('summary') : save.mutate())}>
          {t('editor.save')}
        </Button>
      </footer>
      <Suspense>
        {asking === 'summary' && (
          <SaveSummary
            before={base.draft}
            after={draft}
            agents={agents}
            onClose={() => setAsking(undefined)}
            onSave={() => {
              setAsking(undefined);
              save.mutate();
            }}
          />
        )}
        {asking === 'conflict' && (
          <ConflictSheet
            id={view.desktop.id}
            base={base.draft}
            mine={draft}
            draftOf={asDraft}
            onClose={() => setAsking(undefined)}
            onMerged={(theirs, theirDraft, merged) => {
              setBase({ view: theirs, draft: theirDraft });
              setDraft(merged);
              save.reset();
              setAsking(undefined);
            }}
          />
        )}
      </Suspense>
    </>
  );
}

type SplitErrors = ReturnType<typeof splitErrors>;
const NO_ERRORS: SplitErrors = { desktop: {}, widgets: {} };

/** "Desktops": another one is a choice away. */
function OtherDesktops({ id }: { id: string }) {
  const t = useT();
  const [, navigate] = useLocation();
  const { data } = useDesktops();
  if (!data || data.length < 2) return null;
  return <SelectInput label={t('editor.desktops')} value={id} choices={data.map((one) => ({ id: one.id, label: one.name }))} onChange={(next) => next !== id && navigate(placeOfDesktop(next))} />;
}

/** All or nothing: the whole document goes, and comes back valid or with every error. */
function useSave(id: string, draft: DesktopDraft, onErrors: (errors: SplitErrors, conflict: boolean) => void, onSaved: (view: DesktopView) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api<DesktopView>('PUT', `/desktops/${encodeURIComponent(id)}`, { body: formOf(draft) }),
    onSuccess: (view) => {
      onErrors(NO_ERRORS, false);
      onSaved(view);
      queries.setQueryData([...KEYS.desktop, id], view);
      void queries.invalidateQueries({ queryKey: KEYS.desktops, exact: true });
    },
    onError: (error) => onErrors(splitErrors(draft, error instanceof ApiError ? (error.problem.errors ?? []) : []), isConflict(error)),
  });
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.problem.code === 'conflict';
}

type SaveStateProps = { error: unknown; errors: { desktop: Errors; widgets: Record<string, Errors> }; saved: boolean; merged: boolean; onConflict: () => void };

function SaveState({ error, errors, saved, merged, onConflict }: SaveStateProps) {
  const t = useT();
  const all = [errors.desktop, ...Object.values(errors.widgets)];
  const count = all.reduce((sum, some) => sum + Object.keys(some).length, 0);
  if (saved) return <Notice tone="good" role="status">{t('editor.saved')}</Notice>;
  if (!error) return merged ? <Notice tone="info" role="status">{t('editor.merged')}</Notice> : null;
  const conflict = isConflict(error);
  const text = conflict ? t('editor.conflict') : count > 0 ? t('editor.errors', { n: count }) : sentenceOf(error);
  const loose = Object.entries(errors.desktop).filter(([path]) => path !== 'name' && path !== 'layout');
  return (
    <Notice tone="bad" role="alert">
      {text}
      {loose.map(([path, message]) => (
        <p key={path}>{message}</p>
      ))}
      {conflict && (
        <Button size="small" onPress={onConflict}>
          {t('editor.compare')}
        </Button>
      )}
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
  const [, navigate] = useLocation();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button look="danger" onPress={() => setAsking(true)}>
        {t('editor.delete')}
      </Button>
      <Suspense>{asking && <DeleteSheet desktop={view.desktop} onClose={() => setAsking(false)} onDeleted={() => navigate(PLACES.desktops)} />}</Suspense>
    </>
  );
}
