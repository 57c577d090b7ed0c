/** The three layouts of an agent desktop: the same parts, at different places. */
import type { ReactNode } from 'react';
import { useId, useRef } from 'react';
import type { ButtonView, CaptureView, MyDesktop, Tile, WidgetKind } from '../lib/api/types';
import { isCheck } from '../lib/capture/words';
import { Button, Icon } from '../lib/controls';
import { useT, useWritten } from '../lib/i18n';
import css from './agent.module.css';
import type { ControlButtonsProps } from './control-buttons';
import { useReason } from './control-buttons';

/** What stands on the page, whatever the layout. */
export type Parts = {
  customer: ReactNode;
  buttons: ReactNode;
  notes: ReactNode;
  /** The open widget; none: nothing is open. */
  widget: ReactNode;
  /** Why nothing is open. */
  empty: string;
};

/** A layout that is changed while a capture is open waits until it is over (S5). */
export function useIdleDesktop(mine: MyDesktop | undefined, busy: boolean): MyDesktop | undefined {
  const shown = useRef(mine);
  if (!busy || !shown.current) shown.current = mine;
  return shown.current;
}

export type DesktopLayoutProps = { mine: MyDesktop | undefined; parts: Parts; stack: StackProps; capture: CaptureView | undefined };

export function DesktopLayout({ mine, parts, stack, capture }: DesktopLayoutProps) {
  if (mine?.layout === 'designer' && mine.design) {
    return (
      <main className={css.designed} id="content">
        <DesignedParts tiles={mine.design.tiles} parts={parts} open={capture?.widget.kind} />
      </main>
    );
  }
  const stacked = mine?.layout === 'extended_panel' && stack.buttons.length > 0;
  return (
    <div className={css.columns}>
      {parts.customer}
      <main className={css.work} id="content">
        {parts.buttons}
        {stacked ? <Stack {...stack} widget={parts.widget} /> : (parts.widget ?? <p className={css.empty}>{parts.empty}</p>)}
      </main>
    </div>
  );
}

export type StackProps = Omit<ControlButtonsProps, 'keyboard'> & {
  /** The widget that is open. */
  open: string | undefined;
};

/** Agent Panel + Extended Panel: all widgets, in the administrator's order; the open one is unfolded. */
function Stack({ widget, ...stack }: StackProps & { widget: ReactNode }) {
  const listed = stack.buttons.some((button) => button.widget === stack.open);
  return (
    <div className={css.stack}>
      {!listed && widget}
      {stack.buttons.map((button) => (button.widget === stack.open ? <div key={button.widget}>{widget}</div> : <Folded key={button.widget} button={button} {...stack} />))}
    </div>
  );
}

function Folded({ button, waiting, online, onOpen }: StackProps & { button: ButtonView }) {
  const reason = useReason(waiting, online)(button);
  const title = useWritten()(button.title, button.titles);
  const reasonId = useId();
  return (
    <div className={css.folded}>
      <Button look="quiet" aria-expanded={false} isDisabled={reason !== undefined} {...(reason ? { 'aria-describedby': reasonId } : {})} onPress={() => onOpen(button.widget)}>
        <Icon name="right" />
        {title}
      </Button>
      {reason && (
        <span className={css.reason} id={reasonId}>
          {reason}
        </span>
      )}
    </div>
  );
}

const isFor = ({ content }: Tile, kind: WidgetKind): boolean => content.kind === 'payment' && content.payment === (isCheck(kind) ? 'check' : 'card');

/** `open`: the kind of the widget that is open. */
type DesignedProps = { tiles: readonly Tile[]; parts: Parts; open: WidgetKind | undefined };

/** The same as a part of another page. */
export function DesignedPreview(props: DesignedProps) {
  return (
    <div className={css.designed}>
      <DesignedParts {...props} />
    </div>
  );
}

/** Agent Panel + Designer: tiles on twelve columns, in reading order; one below the other where there is no room. */
function DesignedParts({ tiles, parts, open: kind }: DesignedProps) {
  const home = kind && tiles.find((tile) => isFor(tile, kind))?.id;
  const showsPayment = tiles.some(({ content }) => content.kind === 'payment');
  // A widget without a tile of its kind opens under the buttons that opened it (S7).
  const buttons = (
    <div className={css.homeless}>
      {parts.buttons}
      {home === undefined && (parts.widget || (!showsPayment && <p className={css.empty}>{parts.empty}</p>))}
    </div>
  );
  // The call bar is above them all, so rows are counted from below it.
  const first = Math.max(1, ...tiles.map(({ content, place }) => (content.kind === 'call_bar' ? place.row + place.height : 1)));
  return (
    <>
      {!tiles.some(({ content }) => content.kind === 'control_buttons') && buttons}
      <div className={css.tiles}>
        {tiles
          .filter(({ content }) => content.kind !== 'call_bar')
          .map((tile) => {
            const { column, row, width, height } = tile.place;
            return (
              <div key={tile.id} className={css.tileCell} style={{ gridColumn: `${column} / span ${width}`, gridRow: `${row - first + 1} / span ${height}` }}>
                <TileContent content={tile.content} parts={parts} buttons={buttons} open={tile.id === home} />
              </div>
            );
          })}
      </div>
    </>
  );
}

function TileContent({ content, parts, buttons, open }: { content: Tile['content']; parts: Parts; buttons: ReactNode; open: boolean }): ReactNode {
  const t = useT();
  switch (content.kind) {
    case 'call_bar':
      return null;
    case 'customer':
      return parts.customer;
    case 'control_buttons':
      return buttons;
    case 'notes':
      return parts.notes;
    case 'script':
      return (
        <section className={css.script} aria-label={t('designer.tile.script')}>
          {content.text}
        </section>
      );
    case 'web_page':
      return <iframe className={css.frame} title={content.title} src={content.address} sandbox="allow-scripts allow-forms allow-popups allow-same-origin" referrerPolicy="no-referrer" loading="lazy" />;
    case 'payment':
      return open ? parts.widget : <p className={css.empty}>{t(content.payment === 'card' ? 'designer.waits_card' : 'designer.waits_check')}</p>;
    default:
      return content satisfies never;
  }
}
