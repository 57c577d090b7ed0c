/**
 * The video of an agent's screen, part by part, with the pauses between them and the parts that were removed in words.
 * Never: asks for a byte of video before somebody plays it.
 */
import type { RecordingFileView } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import css from './recordings.module.css';

type Props = { id: string; file: RecordingFileView; locked: boolean };

/** For whoever may listen. A page that is locked shows nothing. */
export function ScreenParts({ id, file: { parts, spans }, locked }: Props) {
  const t = useT();
  const cards = spans.filter(({ kind }) => kind === 'paused' || kind === 'removed');
  const begins = [...parts.map((part) => ({ at: part.begin_ms, part })), ...cards.map((card) => ({ at: card.from_ms, card }))].sort((one, other) => one.at - other.at);
  return (
    <section className={css.screen} aria-label={t('recordings.screen_player')}>
      <h2>{t('recordings.screen_player')}</h2>
      {begins.length === 0 && <p className={css.hint}>{t('recordings.screen_none')}</p>}
      <ol className={css.videos}>
        {begins.map((one) =>
          'part' in one ? (
            <li key={`part ${one.part.number}`}>
              <p className={css.clock}>{t('recordings.from_to', { from: durationText(one.at), until: durationText(one.at + one.part.length_ms) })}</p>
              {!locked && (
                <video
                  controls
                  // What leaves as a file leaves with a reason; the browser's own menu asks for none.
                  controlsList="nodownload noremoteplayback"
                  disablePictureInPicture
                  preload="none"
                  aria-label={t('recordings.screen_part', { n: one.part.number })}
                  src={`/api/v1/recordings/${encodeURIComponent(id)}/parts/${one.part.number}`}
                />
              )}
            </li>
          ) : (
            <li key={`${one.card.kind} ${one.at}`}>
              <p className={css.clock}>{t('recordings.from_to', { from: durationText(one.at), until: durationText(one.card.until_ms) })}</p>
              <div className={css.card}>
                {one.card.kind === 'removed' ? <Chip tone="info" icon="remove">{t('recordings.span.removed')}</Chip> : <Chip tone="good" icon="lock">{t('recordings.screen_paused')}</Chip>}
              </div>
            </li>
          ),
        )}
      </ol>
    </section>
  );
}
