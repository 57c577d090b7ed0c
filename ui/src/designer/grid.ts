/**
 * The grid of a designer desktop: where tiles may stand, and what makes way.
 * Owns: what the editor shows while a tile is moved. Never: decides; the server's rules do (domain::designer), and these agree with them.
 */
import type { Place, Tile } from '../lib/api/types';

export const COLUMNS = 12;
export const ROWS_MAX = 240;
export const TILES_MAX = 24;

export type TileContent = Tile['content'];
export type TileKind = TileContent['kind'];

type Size = { width: number; height: number };
/** A place without size, or a step. */
export type Cell = { column: number; row: number };

/** Least sizes in cells. */
const LEAST: Record<TileKind, Size> = {
  call_bar: { width: COLUMNS, height: 2 },
  customer: { width: 2, height: 2 },
  control_buttons: { width: 3, height: 2 },
  payment: { width: 3, height: 4 },
  notes: { width: 2, height: 2 },
  script: { width: 2, height: 2 },
  web_page: { width: 3, height: 4 },
};

/** What a tile begins with. */
const FIRST: Record<TileKind, Size> = {
  call_bar: { width: COLUMNS, height: 2 },
  customer: { width: 4, height: 10 },
  control_buttons: { width: COLUMNS, height: 2 },
  payment: { width: 8, height: 12 },
  notes: { width: 4, height: 6 },
  script: { width: 8, height: 4 },
  web_page: { width: 8, height: 12 },
};

export const endRow = (place: Place): number => place.row + place.height;
const endColumn = (place: Place): number => place.column + place.width;

export function overlaps(one: Place, other: Place): boolean {
  return one.column < endColumn(other) && other.column < endColumn(one) && one.row < endRow(other) && other.row < endRow(one);
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(Math.round(value), least), most);

/** The nearest place on the grid that is not too small for the tile. */
export function fit(place: Place, kind: TileKind): Place {
  const least = LEAST[kind];
  const width = clamp(place.width, least.width, COLUMNS);
  const height = clamp(place.height, least.height, ROWS_MAX);
  return { width, height, column: clamp(place.column, 1, COLUMNS + 1 - width), row: clamp(place.row, 1, ROWS_MAX + 1 - height) };
}

export function inReadingOrder(tiles: readonly Tile[]): Tile[] {
  return [...tiles].sort((one, other) => one.place.row - other.place.row || one.place.column - other.place.column);
}

/** Puts a tile at a place; what is in the way moves down, and nothing else moves. The call bar stays on top. */
export function putTile(tiles: readonly Tile[], id: number, place: Place): Tile[] {
  const bar = tiles.find((tile) => tile.content.kind === 'call_bar');
  const moved = tiles.find((tile) => tile.id === id);
  if (!moved || moved === bar) return [...tiles];
  const placed: Tile[] = bar ? [bar] : [];
  const settle = (tile: Tile, wanted: Place) => {
    let settled = wanted;
    for (let hit = placed.find((other) => overlaps(other.place, settled)); hit; hit = placed.find((other) => overlaps(other.place, settled))) {
      settled = { ...settled, row: endRow(hit.place) };
    }
    placed.push({ ...tile, place: settled });
  };
  settle(moved, fit(place, moved.content.kind));
  for (const tile of inReadingOrder(tiles)) if (tile !== bar && tile !== moved) settle(tile, tile.place);
  return inReadingOrder(placed);
}

/** A new tile under all others, or at a cell, where what is in the way moves down. */
export function addTile(tiles: readonly Tile[], content: TileContent, at?: Cell): { tiles: Tile[]; id: number } {
  const id = Math.max(0, ...tiles.map((tile) => tile.id)) + 1;
  const cell = at ?? { column: 1, row: rowsOf(tiles) + 1 };
  const place = fit({ ...cell, ...FIRST[content.kind] }, content.kind);
  return { tiles: putTile([...tiles, { id, place, content }], id, place), id };
}

/** The cell at a share of the width and that many rows from the top. */
export function cellAt(width: number, rows: number): Cell {
  return { column: clamp(Math.floor(width * COLUMNS) + 1, 1, COLUMNS), row: clamp(Math.floor(rows) + 1, 1, ROWS_MAX) };
}

/** A step in reading order: the tile takes the place of the one before or after it. */
export function stepTile(tiles: readonly Tile[], id: number, step: -1 | 1): Tile[] {
  const ordered = inReadingOrder(tiles);
  const index = ordered.findIndex((tile) => tile.id === id);
  const upper = ordered[step < 0 ? index - 1 : index];
  const lower = ordered[step < 0 ? index : index + 1];
  if (!upper || !lower || upper.content.kind === 'call_bar') return ordered;
  return putTile(ordered, lower.id, { ...lower.place, column: upper.place.column, row: upper.place.row });
}

/** A design has at most one tile like this. */
export function isThere(tiles: readonly Tile[], content: TileContent): boolean {
  if (content.kind === 'script' || content.kind === 'web_page') return false;
  return tiles.some(({ content: other }) => other.kind === content.kind && (other.kind !== 'payment' || content.kind !== 'payment' || other.payment === content.payment));
}

/** Rows that the tiles take. */
export function rowsOf(tiles: readonly Tile[]): number {
  return Math.max(0, ...tiles.map((tile) => endRow(tile.place) - 1));
}
