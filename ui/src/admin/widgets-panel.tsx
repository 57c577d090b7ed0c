/** Available Widgets on the left, the widgets of this desktop on the right. */
import { Suspense, lazy, useState } from 'react';
import { ListBox, ListBoxItem } from 'react-aria-components';
import { may } from '../lib/api/queries';
import type { Login, ResponseVariables, WidgetKind } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, Icon, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import { AddedWidgets } from './added-widgets';
import css from './admin.module.css';
import type { DesktopDraft, Errors, WidgetDraft } from './desktop-form';
import { KINDS, newWidget } from './desktop-form';

export type WidgetsPanelProps = {
  draft: DesktopDraft;
  /** Identity of the desktop. */
  desktopId: string;
  login: Login;
  responseVariables: ResponseVariables;
  errors: Record<string, Errors>;
  /** `cleared`: the widget whose errors are out of date now. */
  onChange: (widgets: WidgetDraft[], cleared?: string) => void;
};

/** What was removed last, and from where. */
type Removed = { widget: WidgetDraft; place: number };

/** The forms of the four kinds are read when one opens. */
const WidgetSheet = lazy(() => import('./widget-sheet'));

export function WidgetsPanel({ draft, desktopId, login, errors, onChange, responseVariables }: WidgetsPanelProps) {
  const t = useT();
  const [open, setOpen] = useState<WidgetDraft>();
  const [said, setSaid] = useState('');
  const [removed, setRemoved] = useState<Removed>();
  const { widgets } = draft;
  const add = (kind: WidgetKind) => setOpen(newWidget(kind, '', may(login, 'gateway.edit')));
  const exchange = (widget: WidgetDraft) => onChange(widgets.map((other) => (other.key === widget.key ? widget : other)), widget.key);
  const keep = (widget: WidgetDraft) => {
    if (widgets.some((other) => other.key === widget.key)) exchange(widget);
    else onChange([...widgets, widget], widget.key);
    setOpen(undefined);
  };
  const move = (widget: WidgetDraft, place: number) => {
    onChange(placed(widgets, widget, place));
    setSaid(t('editor.moved', { title: widget.title, place: place + 1, total: widgets.length }));
  };
  const remove = (widget: WidgetDraft) => {
    setRemoved({ widget, place: widgets.indexOf(widget) });
    onChange(widgets.filter((other) => other !== widget), widget.key);
    setSaid('');
  };
  const undo = ({ widget, place }: Removed) => {
    setRemoved(undefined);
    onChange(placed(widgets, widget, place));
    setSaid(t('editor.back', { title: widget.title }));
  };
  return (
    <div className={css.widgets}>
      {may(login, 'desktop.edit') && <Available onAdd={add} />}
      <section className={css.panel} aria-labelledby="added-title">
        <h2 id="added-title">{t('editor.added')}</h2>
        <AddedWidgets
          widgets={widgets}
          errors={errors}
          editable={may(login, 'desktop.edit')}
          onEdit={setOpen}
          onToggle={(widget) => exchange({ ...widget, enabled: !widget.enabled })}
          onMove={move}
          onRemove={remove}
        />
        {widgets.length > 1 && may(login, 'desktop.edit') && <p className={css.hint}>{t('editor.order_hint')}</p>}
        <div role="status" className={css.removed}>
          {removed && !widgets.includes(removed.widget) && (
            <>
              <span>{t('editor.removed', { title: removed.widget.title })}</span>
              <Button size="small" onPress={() => undo(removed)}>
                <Icon name="undo" />
                {t('editor.undo')}
              </Button>
            </>
          )}
          <span className="visually-hidden">{said}</span>
        </div>
      </section>
      <Sheet label={open ? t('widget.sheet', { kind: t(KIND_NAMES[open.kind]), title: open.title || t('widget.new') }) : ''} open={open !== undefined} onClose={() => setOpen(undefined)}>
        {open && (
          <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
          <WidgetSheet
            key={open.key}
            widget={open}
            desktopId={desktopId}
            others={widgets.filter((other) => other.key !== open.key).map((other) => other.title)}
            login={login}
            responseVariables={responseVariables}
            serverErrors={errors[open.key] ?? {}}
            onOk={keep}
            onCancel={() => setOpen(undefined)}
          />
          </Suspense>
        )}
      </Sheet>
    </div>
  );
}

/** The widgets with this one at a place. */
function placed(widgets: readonly WidgetDraft[], widget: WidgetDraft, place: number): WidgetDraft[] {
  const next = widgets.filter((other) => other !== widget);
  next.splice(place, 0, widget);
  return next;
}

/** Select, then Add; double-click and Enter do the same. */
function Available({ onAdd }: { onAdd: (kind: WidgetKind) => void }) {
  const t = useT();
  const [chosen, setChosen] = useState<WidgetKind>();
  return (
    <section className={css.panel} aria-labelledby="available-title">
      <h2 id="available-title">{t('editor.available')}</h2>
      <ListBox
        className={css.list!}
        aria-labelledby="available-title"
        selectionMode="single"
        selectionBehavior="replace"
        selectedKeys={chosen ? [chosen] : []}
        onSelectionChange={(keys) => setChosen(keys === 'all' ? undefined : ([...keys][0] as WidgetKind | undefined))}
        onAction={(key) => onAdd(key as WidgetKind)}
      >
        {KINDS.map((kind) => (
          <ListBoxItem key={kind} id={kind} className={css.listItem!} textValue={t(KIND_NAMES[kind])}>
            <Icon name={kind.startsWith('check') ? 'bank' : 'card'} />
            {t(KIND_NAMES[kind])}
          </ListBoxItem>
        ))}
      </ListBox>
      <div>
        <Button isDisabled={!chosen} onPress={() => chosen && onAdd(chosen)}>
          <Icon name="add" />
          {t('editor.add')}
        </Button>
      </div>
    </section>
  );
}
