/** Available Widgets on the left, the widgets of this desktop on the right. */
import { useState } from 'react';
import { ListBox, ListBoxItem } from 'react-aria-components';
import { may } from '../lib/api/queries';
import type { Login, WidgetKind } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, Chip, Icon, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { DesktopDraft, Errors, WidgetDraft } from './desktop-form';
import { KINDS, newWidget } from './desktop-form';
import { WidgetSheet } from './widget-sheet';

type Props = {
  draft: DesktopDraft;
  login: Login;
  responseVariables: boolean;
  errors: Record<string, Errors>;
  /** `cleared`: the widget whose errors are out of date now. */
  onChange: (widgets: WidgetDraft[], cleared?: string) => void;
};

export function WidgetsPanel(props: Props) {
  const { draft, login, errors, onChange, responseVariables } = props;
  const t = useT();
  const [open, setOpen] = useState<WidgetDraft>();
  const [said, setSaid] = useState('');
  const add = (kind: WidgetKind) => setOpen(newWidget(kind, '', may(login, 'gateway.edit')));
  const keep = (widget: WidgetDraft) => {
    const known = draft.widgets.some((other) => other.key === widget.key);
    onChange(known ? draft.widgets.map((other) => (other.key === widget.key ? widget : other)) : [...draft.widgets, widget], widget.key);
    setOpen(undefined);
  };
  return (
    <div className={css.widgets}>
      {may(login, 'desktop.edit') && <Available onAdd={add} />}
      <section className={css.panel} aria-labelledby="added-title">
        <h2 id="added-title">{t('editor.added')}</h2>
        {draft.widgets.length === 0 && <p className={css.empty}>{t('editor.none_added')}</p>}
        <ol className={css.added}>
          {draft.widgets.map((widget, place) => (
            <AddedWidget
              key={widget.key}
              widget={widget}
              place={place}
              total={draft.widgets.length}
              wrong={errors[widget.key] !== undefined}
              editable={may(login, 'desktop.edit')}
              onEdit={() => setOpen(widget)}
              onMove={(by) => {
                onChange(moved(draft.widgets, place, by));
                setSaid(t('editor.moved', { title: widget.title, place: place + by + 1, total: draft.widgets.length }));
              }}
              onRemove={() => {
                onChange(draft.widgets.filter((other) => other.key !== widget.key), widget.key);
                setSaid(t('editor.removed', { title: widget.title }));
              }}
            />
          ))}
        </ol>
        <p className="visually-hidden" role="status">
          {said}
        </p>
      </section>
      <Sheet label={open ? t('widget.sheet', { kind: t(KIND_NAMES[open.kind]), title: open.title || t('widget.new') }) : ''} open={open !== undefined} onClose={() => setOpen(undefined)}>
        {open && (
          <WidgetSheet
            key={open.key}
            widget={open}
            others={draft.widgets.filter((other) => other.key !== open.key).map((other) => other.title)}
            login={login}
            responseVariables={responseVariables}
            serverErrors={errors[open.key] ?? {}}
            onOk={keep}
            onCancel={() => setOpen(undefined)}
          />
        )}
      </Sheet>
    </div>
  );
}

function moved(widgets: readonly WidgetDraft[], place: number, by: number): WidgetDraft[] {
  const next = [...widgets];
  const [widget] = next.splice(place, 1);
  if (widget) next.splice(place + by, 0, widget);
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

function AddedWidget({
  widget,
  place,
  total,
  wrong,
  editable,
  onEdit,
  onMove,
  onRemove,
}: {
  widget: WidgetDraft;
  place: number;
  total: number;
  wrong: boolean;
  editable: boolean;
  onEdit: () => void;
  onMove: (by: 1 | -1) => void;
  onRemove: () => void;
}) {
  const t = useT();
  const title = widget.title || t('editor.untitled');
  return (
    <li className={css.addedItem} onDoubleClick={onEdit}>
      <span className={css.addedText}>
        <strong>{title}</strong>
        <span className={css.hint}>{t(KIND_NAMES[widget.kind])}</span>
      </span>
      <span className={css.addedChips}>
        {wrong && <Chip tone="bad" icon="warning">{t('editor.has_errors')}</Chip>}
        {widget.enabled ? <Chip tone="good" icon="check">{t('editor.enabled')}</Chip> : <Chip>{t('editor.not_enabled')}</Chip>}
      </span>
      <span className={css.addedActions}>
        <Button size="icon" look="quiet" aria-label={t('editor.edit', { title })} onPress={onEdit}>
          <Icon name="edit" />
        </Button>
        {editable && (
          <>
            <Button size="icon" look="quiet" aria-label={t('editor.up', { title })} isDisabled={place === 0} onPress={() => onMove(-1)}>
              <Icon name="up" />
            </Button>
            <Button size="icon" look="quiet" aria-label={t('editor.down', { title })} isDisabled={place === total - 1} onPress={() => onMove(1)}>
              <Icon name="down" />
            </Button>
            <Button size="icon" look="quiet" aria-label={t('editor.remove', { title })} onPress={onRemove}>
              <Icon name="remove" />
            </Button>
          </>
        )}
      </span>
    </li>
  );
}
