/** What tiles are called. */
import type { MessageId, Translate } from '../lib/i18n';
import type { Tile } from '../lib/api/types';
import type { TileContent, TileKind } from './grid';

const NAMES = {
  call_bar: 'designer.tile.call_bar',
  customer: 'designer.tile.customer',
  control_buttons: 'designer.tile.control_buttons',
  notes: 'designer.tile.notes',
  script: 'designer.tile.script',
} satisfies Record<Exclude<TileKind, 'payment' | 'web_page'>, MessageId>;

export function contentName(t: Translate, content: TileContent): string {
  if (content.kind === 'payment') return t(content.payment === 'card' ? 'designer.tile.card' : 'designer.tile.check');
  if (content.kind === 'web_page') return content.title || t('designer.tile.web_page');
  return t(NAMES[content.kind]);
}

/** "Card payment, column 5, row 2, 8 wide, 4 high". */
export function tileSentence(t: Translate, { content, place }: Tile): string {
  const { column, row, width, height } = place;
  return t('designer.place', { name: contentName(t, content), column, row, width, height });
}
