/** The canvas where it does not fit: tiles in reading order, as agents on narrow screens get them. */
import type { Tile } from '../lib/api/types';
import { Button, Icon } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './designer.module.css';
import { inReadingOrder, stepTile } from './grid';
import { contentName, tileSentence } from './tile-words';

export type TileListProps = { tiles: readonly Tile[]; selected: number | undefined; onSelect: (id: number) => void; onChange: (tiles: readonly Tile[], said?: string) => void };

export function TileList({ tiles, selected, onSelect, onChange }: TileListProps) {
  const t = useT();
  const ordered = inReadingOrder(tiles);
  const step = (tile: Tile, by: -1 | 1) => {
    const next = stepTile(tiles, tile.id, by);
    const now = next.find(({ id }) => id === tile.id);
    onSelect(tile.id);
    onChange(next, now && tileSentence(t, now));
  };
  return (
    <ol className={css.rows} aria-label={t('designer.order')}>
      {ordered.map((tile, index) => {
        const name = contentName(t, tile.content);
        if (tile.content.kind === 'call_bar') {
          return (
            <li key={tile.id} className={css.rowItem}>
              <span className={css.fixed}>
                <Icon name="lock" />
                {name}
              </span>
            </li>
          );
        }
        return (
          <li key={tile.id} className={css.rowItem} data-selected={selected === tile.id || undefined}>
            <button type="button" className={css.rowName} aria-pressed={selected === tile.id} onClick={() => onSelect(tile.id)}>
              {name}
            </button>
            <Button size="icon" aria-label={t('designer.up', { name })} isDisabled={ordered[index - 1]?.content.kind === 'call_bar'} onPress={() => step(tile, -1)}>
              <Icon name="up" />
            </Button>
            <Button size="icon" aria-label={t('designer.down', { name })} isDisabled={index === ordered.length - 1} onPress={() => step(tile, 1)}>
              <Icon name="down" />
            </Button>
          </li>
        );
      })}
    </ol>
  );
}
