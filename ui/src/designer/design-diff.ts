/** What differs between two revisions of a designer desktop, as rows of texts. */
import type { Row } from '../admin/desktop-diff';
import type { DesignerDesktop, Tile } from '../lib/api/types';
import type { MessageId, Translate } from '../lib/i18n';
import { contentName, tileSentence } from './tile-words';

type TileField = { id: string; label: MessageId; text: (t: Translate, tile: Tile) => string };

const FIELDS: readonly TileField[] = [
  { id: 'place', label: 'history.tile_place', text: tileSentence },
  { id: 'text', label: 'designer.script_text', text: (_, { content }) => (content.kind === 'script' ? content.text : '') },
  { id: 'title', label: 'designer.page_title', text: (_, { content }) => (content.kind === 'web_page' ? content.title : '') },
  { id: 'address', label: 'designer.page_address', text: (_, { content }) => (content.kind === 'web_page' ? content.address : '') },
];

/** A number that stands for another kind of tile is another tile, as the server counts. */
const find = ({ tiles }: DesignerDesktop, tile: Tile) => tiles.find((other) => other.id === tile.id && other.content.kind === tile.content.kind);

/** Every field that differs: the name, then the tiles as they are read, those that are gone last. */
export function designDifference(t: Translate, before: DesignerDesktop, after: DesignerDesktop): Row[] {
  const rows: Row[] = before.name === after.name ? [] : [{ path: 'name', widget: '', name: t('desktops.name'), before: before.name, after: after.name }];
  const gone = before.tiles.filter((tile) => !find(after, tile));
  for (const tile of [...after.tiles, ...gone]) {
    const [old, now] = [find(before, tile), find(after, tile)];
    for (const { id, label, text } of FIELDS) {
      const [was, is] = [old ? text(t, old) : '', now ? text(t, now) : ''];
      if (was !== is) rows.push({ path: `${tile.id}/${tile.content.kind}/${id}`, widget: contentName(t, tile.content), name: t(label), before: was, after: is });
    }
  }
  return rows;
}
