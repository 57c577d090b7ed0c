/** Forms for a tile: its place in numbers, and what a script or a web page says. */
import { useState } from 'react';
import admin from '../admin/admin.module.css';
import { FormSheet } from '../admin/form-sheet';
import type { Place, Tile } from '../lib/api/types';
import { TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { TileContent } from './grid';
import { contentName } from './tile-words';

const PLACE_NAMES = { column: 'designer.column', row: 'designer.row', width: 'designer.width', height: 'designer.height' } as const;
type PlaceKey = keyof typeof PLACE_NAMES;
const PLACE_KEYS: readonly PlaceKey[] = ['column', 'row', 'width', 'height'];

/** "Position...": for whoever does not drag. */
export function PositionSheet({ tile, onClose, onPlace }: { tile: Tile; onClose: () => void; onPlace: (place: Place) => void }) {
  const t = useT();
  const [texts, setTexts] = useState<Record<PlaceKey, string>>(() => {
    const { column, row, width, height } = tile.place;
    return { column: String(column), row: String(row), width: String(width), height: String(height) };
  });
  const number = (key: PlaceKey) => (/^[1-9]\d{0,2}$/.test(texts[key].trim()) ? Number(texts[key]) : undefined);
  const [column, row, width, height] = PLACE_KEYS.map(number);
  const place = column && row && width && height ? { column, row, width, height } : undefined;
  return (
    <FormSheet title={t('designer.position_of', { name: contentName(t, tile.content) })} onClose={onClose} submit={{ label: t('widget.ok'), ready: place !== undefined, run: () => place && onPlace(place) }}>
      {PLACE_KEYS.map((key) => (
        <TextInput
          key={key}
          label={t(PLACE_NAMES[key])}
          value={texts[key]}
          onChange={(text) => setTexts({ ...texts, [key]: text })}
          inputMode="numeric"
          autoFocus={key === 'column'}
          maxLength={3}
          error={number(key) === undefined ? t('designer.number_wrong') : undefined}
        />
      ))}
      <p className={admin.hint}>{t('designer.position_hint')}</p>
    </FormSheet>
  );
}

type Written = Extract<TileContent, { kind: 'script' | 'web_page' }>;

export const isWritten = (content: TileContent): content is Written => content.kind === 'script' || content.kind === 'web_page';

/** The words of a script, or a web page's name and address. */
export function ContentSheet({ content, errors, hosts, onClose, onContent }: { content: Written; errors: Partial<Record<string, string>>; hosts: readonly string[]; onClose: () => void; onContent: (content: Written) => void }) {
  const t = useT();
  const [draft, setDraft] = useState(content);
  const empty = draft.kind === 'script' ? draft.text.trim() === '' : draft.title.trim() === '' || draft.address.trim() === '';
  return (
    <FormSheet title={contentName(t, content)} onClose={onClose} submit={{ label: t('widget.ok'), ready: !empty, run: () => onContent(draft) }}>
      {draft.kind === 'script' ? (
        <TextInput label={t('designer.script_text')} value={draft.text} onChange={(text) => setDraft({ ...draft, text })} lines={8} maxLength={2_000} error={errors.text} required autoFocus />
      ) : (
        <>
          <TextInput label={t('designer.page_title')} value={draft.title} onChange={(title) => setDraft({ ...draft, title })} maxLength={60} error={errors.title} required autoFocus />
          <TextInput
            label={t('designer.page_address')}
            value={draft.address}
            onChange={(address) => setDraft({ ...draft, address: address.trim() })}
            type="url"
            maxLength={2_000}
            error={errors.address}
            hint={hosts.length > 0 ? t('designer.page_hosts', { hosts: hosts.join(', ') }) : t('designer.page_no_hosts')}
            required
          />
        </>
      )}
    </FormSheet>
  );
}
