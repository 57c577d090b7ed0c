/** What can be done with the selected tile. */
import { useState } from 'react';
import type { Place, Tile } from '../lib/api/types';
import { Button, Icon } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { TileContent } from './grid';
import { ContentSheet, PositionSheet, isWritten } from './tile-sheets';
import { contentName } from './tile-words';

export type TileToolsProps = {
  tile: Tile;
  /** It was just added: what it says is asked for at once. */
  fresh: boolean;
  onAsked: () => void;
  errors: Partial<Record<string, string>>;
  hosts: readonly string[];
  onPlace: (place: Place) => void;
  onContent: (content: TileContent) => void;
  onRemove: () => void;
};

export function TileTools({ tile, fresh, onAsked, errors, hosts, onPlace, onContent, onRemove }: TileToolsProps) {
  const t = useT();
  const [open, setOpen] = useState<'place' | 'content' | undefined>(fresh && isWritten(tile.content) ? 'content' : undefined);
  const name = contentName(t, tile.content);
  const close = () => {
    setOpen(undefined);
    onAsked();
  };
  return (
    <>
      <Button size="small" onPress={() => setOpen('place')} aria-label={t('designer.position_of', { name })}>
        {t('designer.position')}
      </Button>
      {isWritten(tile.content) && (
        <Button size="small" onPress={() => setOpen('content')} aria-label={t('designer.edit', { name })}>
          <Icon name="edit" />
          {t('designer.edit_short')}
        </Button>
      )}
      <Button size="small" look="danger" onPress={onRemove} aria-label={t('designer.remove', { name })}>
        <Icon name="remove" />
        {t('designer.remove_short')}
      </Button>
      {open === 'place' && (
        <PositionSheet
          tile={tile}
          onClose={close}
          onPlace={(place) => {
            close();
            onPlace(place);
          }}
        />
      )}
      {open === 'content' && isWritten(tile.content) && (
        <ContentSheet
          content={tile.content}
          errors={errors}
          hosts={hosts}
          onClose={close}
          onContent={(content) => {
            close();
            onContent(content);
          }}
        />
      )}
    </>
  );
}
