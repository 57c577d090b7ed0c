/** The widgets of a desktop in their order: moved by drag, by Alt with an arrow key, or by a menu; every move is announced. */
import type { KeyboardEvent } from 'react';
import { Button as AriaButton, GridList, GridListItem, useDragAndDrop } from 'react-aria-components';
import { KIND_NAMES } from '../lib/capture/words';
import type { MenuEntry } from '../lib/controls';
import { ActionMenu, Button, Chip, Icon } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors, WidgetDraft } from './desktop-form';
import { lacksOf } from './desktop-form';

type Act = 'up' | 'down' | 'toggle' | 'remove';

export type AddedWidgetsProps = {
  widgets: readonly WidgetDraft[];
  errors: Record<string, Errors>;
  editable: boolean;
  onEdit: (widget: WidgetDraft) => void;
  onToggle: (widget: WidgetDraft) => void;
  /** To a place, counted from 0. */
  onMove: (widget: WidgetDraft, place: number) => void;
  onRemove: (widget: WidgetDraft) => void;
};

export function AddedWidgets({ widgets, errors, editable, onEdit, onToggle, onMove, onRemove }: AddedWidgetsProps) {
  const t = useT();
  const byKey = (key: unknown) => widgets.find((widget) => widget.key === key);
  const placeOf = (key: unknown) => widgets.findIndex((widget) => widget.key === key);
  const { dragAndDropHooks } = useDragAndDrop({
    isDisabled: !editable,
    getItems: (keys) => [...keys].map((key) => ({ 'text/plain': byKey(key)?.title ?? '' })),
    onReorder: ({ keys, target }) => {
      const widget = byKey([...keys][0]);
      if (!widget) return;
      const from = placeOf(widget.key);
      const to = placeOf(target.key) + (target.dropPosition === 'after' ? 1 : 0);
      onMove(widget, to > from ? to - 1 : to);
    },
  });
  const shift = (widget: WidgetDraft, by: 1 | -1) => {
    const to = placeOf(widget.key) + by;
    if (to >= 0 && to < widgets.length) onMove(widget, to);
  };
  const act = (what: Act, widget: WidgetDraft) => {
    if (what === 'up') shift(widget, -1);
    else if (what === 'down') shift(widget, 1);
    else if (what === 'toggle') onToggle(widget);
    else onRemove(widget);
  };
  // Before the list takes the arrow as a step to the next row.
  const onKeys = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : undefined;
    const widget = byKey((event.target as HTMLElement).closest('[data-key]')?.getAttribute('data-key'));
    if (!editable || !event.altKey || !by || !widget) return;
    event.preventDefault();
    event.stopPropagation();
    shift(widget, by);
  };
  return (
    <div onKeyDownCapture={onKeys}>
      <GridList
        className={css.added!}
        aria-label={t('editor.added')}
        items={widgets}
        dependencies={[errors, editable, widgets]}
        selectionMode="single"
        selectionBehavior="replace"
        dragAndDropHooks={dragAndDropHooks}
        onAction={(key) => {
          const widget = byKey(key);
          if (widget) onEdit(widget);
        }}
        renderEmptyState={() => <p className={css.empty}>{t('editor.none_added')}</p>}
      >
        {(widget) => (
          <GridListItem id={widget.key} className={css.addedItem!} textValue={titleOf(t, widget)}>
            {editable && (
              <AriaButton slot="drag" className={css.grip!} aria-label={t('editor.drag', { title: titleOf(t, widget) })}>
                <Icon name="grip" />
              </AriaButton>
            )}
            <AddedWidget widget={widget} wrong={errors[widget.key] !== undefined} />
            <span className={css.addedActions}>
              <Button size="icon" look="quiet" aria-label={t('editor.edit', { title: titleOf(t, widget) })} onPress={() => onEdit(widget)}>
                <Icon name="edit" />
              </Button>
              {editable && (
                <ActionMenu
                  label={t('desktops.actions_of', { name: titleOf(t, widget) })}
                  entries={actsOf(t, widget, placeOf(widget.key), widgets.length)}
                  onAction={(what) => act(what, widget)}
                />
              )}
            </span>
          </GridListItem>
        )}
      </GridList>
    </div>
  );
}

const titleOf = (t: Translate, widget: WidgetDraft) => widget.title || t('editor.untitled');

function actsOf(t: Translate, widget: WidgetDraft, place: number, total: number): MenuEntry<Act>[] {
  return [
    { id: 'up', label: t('editor.up'), icon: 'up', disabled: place === 0 },
    { id: 'down', label: t('editor.down'), icon: 'down', disabled: place === total - 1 },
    { id: 'toggle', label: t(widget.enabled ? 'editor.disable' : 'editor.enable'), icon: widget.enabled ? 'cross' : 'check' },
    { id: 'remove', label: t('editor.remove'), icon: 'remove', danger: true },
  ];
}

function AddedWidget({ widget, wrong }: { widget: WidgetDraft; wrong: boolean }) {
  const t = useT();
  return (
    <>
      <span className={css.addedText}>
        <strong>{titleOf(t, widget)}</strong>
        <span className={css.hint}>{t(KIND_NAMES[widget.kind])}</span>
      </span>
      <span className={css.addedChips}>
        {wrong && <Chip tone="bad" icon="warning">{t('editor.has_errors')}</Chip>}
        {lacksOf(widget).map((what) => (
          <Chip key={what} tone="warn" icon="warning">
            {t(`editor.lacks.${what}`)}
          </Chip>
        ))}
        {widget.enabled ? <Chip tone="good" icon="check">{t('editor.enabled')}</Chip> : <Chip>{t('editor.not_enabled')}</Chip>}
      </span>
    </>
  );
}
