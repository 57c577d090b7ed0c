/** What can be put on the canvas: by a press under everything else, by a drag where it is let go. */
import type { PointerEvent } from 'react';
import { useRef } from 'react';
import type { Tile } from '../lib/api/types';
import { Icon } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './designer.module.css';
import type { TileContent } from './grid';
import { TILES_MAX, isThere } from './grid';
import { follow } from './pointer';
import { contentName } from './tile-words';

const CONTENTS: readonly TileContent[] = [
  { kind: 'customer' },
  { kind: 'control_buttons' },
  { kind: 'payment', payment: 'card' },
  { kind: 'payment', payment: 'check' },
  { kind: 'notes' },
  { kind: 'script', text: '' },
  { kind: 'web_page', title: '', address: '' },
];

export type PaletteProps = {
  tiles: readonly Tile[];
  onAdd: (content: TileContent) => void;
  /** It is dragged, and where in the window it is. */
  onDrag: (content: TileContent, x: number, y: number) => void;
  onDrop: (dropped: boolean) => void;
};

export function Palette({ tiles, onAdd, onDrag, onDrop }: PaletteProps) {
  const t = useT();
  // A drag that is let go over its own button would count as a press of it.
  const dragged = useRef(false);
  const drag = (content: TileContent) => (down: PointerEvent<HTMLElement>) => {
    dragged.current = false;
    follow(down, {
      onMove: ({ clientX, clientY }) => {
        dragged.current = true;
        onDrag(content, clientX, clientY);
      },
      onEnd: onDrop,
    });
  };
  return (
    <section className={css.palette} aria-labelledby="designer-palette">
      <h3 id="designer-palette">{t('designer.palette')}</h3>
      {CONTENTS.map((content) => {
        const name = contentName(t, content);
        return (
          <button
            key={name}
            type="button"
            className={css.paletteItem}
            aria-label={t('designer.add', { name })}
            disabled={isThere(tiles, content) || tiles.length >= TILES_MAX}
            onPointerDown={drag(content)}
            onClick={() => {
              if (!dragged.current) onAdd(content);
              dragged.current = false;
            }}
          >
            <Icon name="add" />
            {name}
          </button>
        );
      })}
    </section>
  );
}
