import { describe, expect, it } from 'vitest';
import type { Place, Tile } from '../lib/api/types';
import type { TileContent } from './grid';
import { addTile, cellAt, fit, inReadingOrder, isThere, overlaps, putTile, rowsOf, stepTile } from './grid';

const place = (column: number, row: number, width: number, height: number): Place => ({ column, row, width, height });
const tile = (id: number, content: TileContent, at: Place): Tile => ({ id, place: at, content });
const BAR = tile(1, { kind: 'call_bar' }, place(1, 1, 12, 2));
const script = (id: number, at: Place) => tile(id, { kind: 'script', text: 'Hello' }, at);
const placeOf = (tiles: readonly Tile[], id: number) => tiles.find((one) => one.id === id)?.place;

/** Every pair of tiles is apart. */
function apart(tiles: readonly Tile[]): boolean {
  return tiles.every((one, index) => tiles.slice(index + 1).every((other) => !overlaps(one.place, other.place)));
}

describe('the grid', () => {
  it('keeps a tile on the grid and large enough', () => {
    expect(fit(place(14, 0, 1, 1), 'payment')).toEqual(place(10, 1, 3, 4));
    expect(fit(place(2.4, 3.6, 20, 5), 'script')).toEqual(place(1, 4, 12, 5));
  });

  it('moves down what is in the way, and what is in the way of that', () => {
    const tiles = [BAR, script(2, place(1, 3, 6, 4)), script(3, place(1, 7, 6, 4)), script(4, place(7, 3, 6, 4))];
    const moved = putTile(tiles, 4, place(4, 3, 6, 4));
    expect(placeOf(moved, 4)).toEqual(place(4, 3, 6, 4));
    expect(placeOf(moved, 2)).toEqual(place(1, 7, 6, 4));
    expect(placeOf(moved, 3)).toEqual(place(1, 11, 6, 4));
    expect(apart(moved)).toBe(true);
  });

  it('leaves alone what is not in the way', () => {
    const tiles = [BAR, script(2, place(1, 3, 6, 4)), script(3, place(7, 20, 6, 4))];
    expect(placeOf(putTile(tiles, 2, place(1, 5, 6, 4)), 3)).toEqual(place(7, 20, 6, 4));
  });

  it('never covers the call bar, and never moves it', () => {
    const tiles = [BAR, script(2, place(1, 3, 6, 4))];
    expect(placeOf(putTile(tiles, 2, place(1, 1, 6, 4)), 2)).toEqual(place(1, 3, 6, 4));
    expect(putTile(tiles, 1, place(1, 9, 12, 2))).toEqual(tiles);
  });

  it('keeps any sequence of moves apart and in reading order', () => {
    let tiles = [BAR, ...[2, 3, 4, 5, 6].map((id) => script(id, place(1, 3 + (id - 2) * 3, 4, 3)))];
    let seed = 7;
    const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let step = 0; step < 500; step++) {
      tiles = putTile(tiles, 2 + next(5), place(1 + next(12), 1 + next(20), 2 + next(11), 2 + next(6)));
      expect(apart(tiles)).toBe(true);
      expect(tiles).toEqual(inReadingOrder(tiles));
    }
  });

  it('adds under all others, with a new number', () => {
    const { tiles, id } = addTile([BAR, script(7, place(1, 3, 6, 4))], { kind: 'notes' });
    expect([id, placeOf(tiles, id)]).toEqual([8, place(1, 7, 4, 6)]);
    expect(rowsOf(tiles)).toBe(12);
  });

  it('adds at a cell, and what is there moves down', () => {
    const cell = cellAt(0.4, 3.7);
    expect(cell).toEqual({ column: 5, row: 4 });
    const { tiles, id } = addTile([BAR, script(2, place(3, 3, 6, 4))], { kind: 'notes' }, cell);
    expect([placeOf(tiles, id), placeOf(tiles, 2)]).toEqual([place(5, 4, 4, 6), place(3, 10, 6, 4)]);
    expect([cellAt(1, 900), cellAt(-1, -1)]).toEqual([{ column: 12, row: 240 }, { column: 1, row: 1 }]);
  });

  it('steps through the reading order', () => {
    const tiles = [BAR, script(2, place(1, 3, 6, 4)), script(3, place(1, 7, 6, 4))];
    expect(stepTile(tiles, 3, -1).map((one) => one.id)).toEqual([1, 3, 2]);
    expect(stepTile(tiles, 2, 1).map((one) => one.id)).toEqual([1, 3, 2]);
    expect(stepTile(tiles, 2, -1).map((one) => one.id)).toEqual([1, 2, 3]);
    expect(stepTile(tiles, 3, 1).map((one) => one.id)).toEqual([1, 2, 3]);
  });

  it('knows which tiles a design has once', () => {
    const tiles = [BAR, tile(2, { kind: 'payment', payment: 'card' }, place(1, 3, 6, 4)), script(3, place(1, 9, 6, 4))];
    expect(isThere(tiles, { kind: 'payment', payment: 'card' })).toBe(true);
    expect(isThere(tiles, { kind: 'payment', payment: 'check' })).toBe(false);
    expect(isThere(tiles, { kind: 'script', text: 'Hello' })).toBe(false);
  });
});
