/**
 * The Designer tab of an agent desktop: which designer desktop it uses, and what stands where (SETTLED S7).
 * Owns: "Save Agent Desktop". Never: keeps the drafts; they outlive the tab.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import admin from '../admin/admin.module.css';
import { placeOfDesignHistory } from '../admin/crumbs';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, useDesigns } from '../lib/api/queries';
import type { Bound, DesignList, DesignView, Tile } from '../lib/api/types';
import { Button, Icon, Notice, SelectInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { DesignMenu } from './design-menu';
import css from './designer.module.css';
import type { Drafts } from './drafts';
import { isChanged } from './history';
import { Workbench } from './workbench';

/** What of a desktop the tab needs. */
export type DesignedDesktop = { id: string; name: string; revision: number; design?: string | null };

export type DesignerTabProps = {
  desktop: DesignedDesktop;
  drafts: Drafts;
  editable: boolean;
  /** The desktop's other changes are saved first. */
  blocked: boolean;
};

export default function DesignerTab({ desktop, drafts, editable, blocked }: DesignerTabProps) {
  const t = useT();
  const { data, error } = useDesigns();
  if (!data) return error ? <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice> : <p role="status">{t('app.loading')}</p>;
  const wanted = drafts.chosen ?? desktop.design;
  const view = data.designs.find(({ design }) => design.id === wanted) ?? data.designs[0];
  return (
    <section className={`${admin.panel} ${css.tab}`} aria-labelledby="designer-title">
      <h2 id="designer-title">{t('designer.title')}</h2>
      <div className={css.head}>
        {view && (
          <SelectInput label={t('designer.desktop')} value={view.design.id} choices={data.designs.map(({ design }) => ({ id: design.id, label: design.name }))} onChange={drafts.choose} />
        )}
        {view && (
          <Link href={placeOfDesignHistory(view.design.id)} className={admin.headLink}>
            <Icon name="history" />
            {t('editor.revision', { n: view.design.revision })}
          </Link>
        )}
        {editable && <DesignMenu view={view} tiles={view && drafts.of(view.design).now} drafts={drafts} />}
      </div>
      {!desktop.design && <p className={admin.hint}>{t('designer.unbound')}</p>}
      {view ? (
        <Design key={view.design.id} view={view} hosts={data.frame_hosts} desktop={desktop} drafts={drafts} editable={editable} blocked={blocked} />
      ) : (
        <p className={admin.empty}>{t('designer.none')}</p>
      )}
    </section>
  );
}

function Design({ view, hosts, desktop, drafts, editable, blocked }: DesignerTabProps & { view: DesignView; hosts: readonly string[] }) {
  const t = useT();
  const { design } = view;
  const history = drafts.of(design);
  const changed = isChanged(history);
  const { save, discard, problems, sentence } = useSave(view, desktop, drafts);
  const bound = drafts.bound?.view.design.id === design.id ? drafts.bound : undefined;
  return (
    <>
      <OtherUsers view={view} desktop={desktop} />
      <Workbench history={history} hosts={hosts} problems={problems} editable={editable} onHistory={(next) => drafts.set(design, next)} />
      {bound?.control_buttons_added && <Notice tone="info" role="status">{t('designer.buttons_added')}</Notice>}
      {bound && <Notice tone="good" role="status">{t('designer.saved')}</Notice>}
      {sentence && <Notice tone="bad" role="alert">{sentence}</Notice>}
      {editable && (
        <footer className={css.foot}>
          {blocked && <p className={admin.hint}>{t('designer.blocked')}</p>}
          <span className={admin.spacer} />
          <Button isDisabled={!changed || save.isPending} onPress={discard}>
            {t('designer.discard')}
          </Button>
          <Button look="primary" isDisabled={blocked || save.isPending || !(changed || desktop.design !== design.id)} onPress={() => save.mutate()}>
            {t('designer.save')}
          </Button>
        </footer>
      )}
    </>
  );
}

/** Others that use the same design change with it; they are named before saving. */
function OtherUsers({ view, desktop }: { view: DesignView; desktop: DesignedDesktop }) {
  const t = useT();
  const others = view.used_by.filter((name) => name !== desktop.name);
  if (others.length === 0) return null;
  return <Notice tone="warn">{t('designer.used_by', { names: others.join(', ') })}</Notice>;
}

export type TileErrors = ReadonlyMap<number, Partial<Record<string, string>>>;

/** Desktop and canvas, both or neither. */
function useSave(view: DesignView, desktop: DesignedDesktop, drafts: Drafts) {
  const t = useT();
  const queries = useQueryClient();
  const { design } = view;
  const { now: tiles } = drafts.of(design);
  const readAnew = () => Promise.all([queries.invalidateQueries({ queryKey: KEYS.designs }), queries.invalidateQueries({ queryKey: [...KEYS.desktop, desktop.id] })]);
  const save = useMutation({
    mutationFn: () =>
      api<Bound>('PUT', `/desktops/${encodeURIComponent(desktop.id)}/design`, {
        body: { desktop_revision: desktop.revision, design: design.id, name: design.name, tiles, revision: design.revision },
      }),
    onSuccess: async (bound) => {
      queries.setQueryData<DesignList>(KEYS.designs, (known) => known && { ...known, designs: known.designs.map((one) => (one.design.id === design.id ? bound.view : one)) });
      drafts.choose(design.id);
      drafts.forget(design.id);
      drafts.setBound(bound);
      await readAnew();
    },
  });
  const problem = save.error instanceof ApiError ? save.error.problem : undefined;
  const errors = problem?.errors ?? [];
  const said = problem?.code === 'conflict' ? t('designer.conflict') : [sentenceOf(save.error), ...errors.map(({ message }) => message)].join(' ');
  return {
    save,
    discard: () => {
      save.reset();
      drafts.forget(design.id);
      void readAnew();
    },
    problems: problemsOf(errors, tiles),
    sentence: save.isError ? said : undefined,
  };
}

/** "tiles[2].content.address" belongs to the third tile's address. */
function problemsOf(errors: readonly { field: string; message: string }[], tiles: readonly Tile[]): TileErrors {
  const found = new Map<number, Partial<Record<string, string>>>();
  for (const { field, message } of errors) {
    const [, index, path] = /^tiles\[(\d+)\]\.(?:content\.)?(\w+)$/.exec(field) ?? [];
    const tile = tiles[Number(index)];
    if (tile && path) found.set(tile.id, { ...found.get(tile.id), [path]: message });
  }
  return found;
}
