/**
 * The canvas: tiles on twelve columns, moved and resized by pointer and by keyboard.
 * Owns: what a key or a pointer does to a tile. Never: saves; every finished step goes to its owner.
 */
import type { KeyboardEvent, PointerEvent, RefObject } from 'react';
import { useLayoutEffect, useRef } from 'react';
import type { Place, Tile } from '../lib/api/types';
import { Icon } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './designer.module.css';
import type { Cell } from './grid';
import { COLUMNS, cellAt, putTile, rowsOf } from './grid';
import { follow } from './pointer';
import { contentName, tileSentence } from './tile-words';

/** Height of a row in CSS pixels, as in designer.module.css. */
export const ROW_PX = 28;
/** Free rows below the last tile, so that there is a place to drop. */
const SPARE_ROWS = 6;

const ARROWS: Record<string, Cell> = {
  ArrowLeft: { column: -1, row: 0 },
  ArrowRight: { column: 1, row: 0 },
  ArrowUp: { column: 0, row: -1 },
  ArrowDown: { column: 0, row: 1 },
};

const moved = (place: Place, { column, row }: Cell): Place => ({ ...place, column: place.column + column, row: place.row + row });
const resized = (place: Place, { column, row }: Cell): Place => ({ ...place, width: place.width + column, height: place.height + row });

/** A tile in the hand, and where everything stands meanwhile. */
export type Held = { id: number; tiles: readonly Tile[] };

export type CanvasProps = {
  frame: RefObject<HTMLDivElement | null>;
  tiles: readonly Tile[];
  held: Held | undefined;
  selected: number | undefined;
  problems: ReadonlySet<number>;
  onHold: (held: Held | undefined) => void;
  onSelect: (id: number) => void;
  /** A finished step, and what is said of it. */
  onChange: (tiles: readonly Tile[], said?: string) => void;
  onSay: (text: string) => void;
};

export function Canvas(props: CanvasProps) {
  const { frame, tiles, held } = props;
  const onKey = useKeys(props);
  const onPointer = usePointer(props);
  const shown = held?.tiles ?? tiles;
  return (
    <div ref={frame} className={css.canvas} style={{ gridTemplateRows: `repeat(${rowsOf(shown) + SPARE_ROWS}, ${ROW_PX}px)` }}>
      {inStableOrder(shown, tiles).map((tile) => (
        <TileBox
          key={tile.id}
          tile={tile}
          held={held?.id === tile.id}
          selected={props.selected === tile.id}
          wrong={props.problems.has(tile.id)}
          onFocus={() => props.onSelect(tile.id)}
          onBlur={() => held?.id === tile.id && props.onHold(undefined)}
          onKeyDown={onKey(tile.id)}
          onMove={onPointer(tile.id, moved)}
          onResize={onPointer(tile.id, resized)}
        />
      ))}
    </div>
  );
}

/** While a tile is in the hand nothing changes its place in the document: an element that is moved there loses the focus. */
function inStableOrder(shown: readonly Tile[], tiles: readonly Tile[]): readonly Tile[] {
  const byId = new Map(shown.map((tile) => [tile.id, tile]));
  const known = tiles.flatMap(({ id }) => byId.get(id) ?? []);
  return [...known, ...shown.filter(({ id }) => !tiles.some((tile) => tile.id === id))];
}

type TileBoxProps = {
  tile: Tile;
  held: boolean;
  selected: boolean;
  wrong: boolean;
  onFocus: () => void;
  onBlur: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onMove: (event: PointerEvent<HTMLElement>) => void;
  onResize: (event: PointerEvent<HTMLElement>) => void;
};

function TileBox({ tile, held, selected, wrong, onFocus, onBlur, onKeyDown, onMove, onResize }: TileBoxProps) {
  const t = useT();
  const { column, row, width, height } = tile.place;
  const name = contentName(t, tile.content);
  return (
    <div
      className={css.tile}
      data-tile={tile.id}
      data-held={held || undefined}
      data-selected={selected || undefined}
      data-problem={wrong || undefined}
      style={{ gridColumn: `${column} / span ${width}`, gridRow: `${row} / span ${height}` }}
    >
      {tile.content.kind === 'call_bar' ? (
        <span className={css.fixed}>
          <Icon name="lock" />
          {name}
        </span>
      ) : (
        <>
          <button
            type="button"
            className={css.handle}
            aria-pressed={held}
            aria-label={tileSentence(t, tile)}
            aria-describedby="designer-keys"
            onFocus={onFocus}
            onBlur={onBlur}
            onKeyDown={onKeyDown}
            onPointerDown={onMove}
          >
            {name}
            {tile.content.kind === 'script' && <span className={css.sample}>{tile.content.text}</span>}
            {tile.content.kind === 'web_page' && <span className={css.sample}>{tile.content.address}</span>}
          </button>
          <span className={css.corner} aria-hidden="true" onPointerDown={onResize} />
        </>
      )}
    </div>
  );
}

/** Enter or Space picks up and drops, arrow keys move, with Shift they resize, Esc puts back. */
function useKeys({ frame, tiles, held, onHold, onChange, onSay }: CanvasProps) {
  const t = useT();
  const dropped = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (dropped.current === undefined) return;
    frame.current?.querySelector<HTMLElement>(`[data-tile="${dropped.current}"] button`)?.focus();
    dropped.current = undefined;
  });
  return (id: number) => (event: KeyboardEvent) => {
    const inHand = held?.id === id;
    const tile = (inHand ? held.tiles : tiles).find((one) => one.id === id);
    if (!tile) return;
    const arrow = ARROWS[event.key];
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (inHand) {
        dropped.current = id;
        onChange(held.tiles, t('designer.dropped', { place: tileSentence(t, tile) }));
      } else {
        onHold({ id, tiles });
        onSay(t('designer.picked_up', { place: tileSentence(t, tile) }));
      }
    } else if (event.key === 'Escape' && inHand) {
      event.stopPropagation();
      onHold(undefined);
      onSay(t('designer.restored', { name: contentName(t, tile.content) }));
    } else if (arrow && inHand) {
      event.preventDefault();
      const next = putTile(tiles, id, event.shiftKey ? resized(tile.place, arrow) : moved(tile.place, arrow));
      onHold({ id, tiles: next });
      const now = next.find((one) => one.id === id);
      if (now) onSay(tileSentence(t, now));
    }
  };
}

/** A tile follows the pointer from where it went down, and goes to the nearest cells. */
function usePointer({ frame, tiles, onHold, onSelect, onChange }: CanvasProps) {
  const t = useT();
  return (id: number, change: (place: Place, step: Cell) => Place) => (down: PointerEvent<HTMLElement>) => {
    const start = tiles.find((tile) => tile.id === id)?.place;
    const width = frame.current?.clientWidth;
    if (!start || !width) return;
    onSelect(id);
    let latest: readonly Tile[] | undefined;
    follow(down, {
      onMove: ({ x, y }) => {
        latest = putTile(tiles, id, change(start, { column: Math.round((x / width) * COLUMNS), row: Math.round(y / ROW_PX) }));
        onHold({ id, tiles: latest });
      },
      onEnd: (dropped) => {
        const now = dropped && latest?.find((one) => one.id === id);
        if (now && latest) onChange(latest, t('designer.dropped', { place: tileSentence(t, now) }));
        else onHold(undefined);
      },
    });
  };
}

/** The cell of the canvas under a point of the window; none: it is beside the canvas. */
export function cellUnder(frame: HTMLElement | null, x: number, y: number): Cell | undefined {
  const box = frame?.getBoundingClientRect();
  if (!box || x < box.left || x > box.right || y < box.top || y > box.bottom) return undefined;
  return cellAt((x - box.left) / box.width, (y - box.top) / ROW_PX);
}
