/**
 * The agent's screen beside the sound of its call: what it showed at that place.
 * Never: asks for a byte of video before the sound plays, since each playing stands in the trail; shows anything on a locked page.
 */
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordingDetail, RecordingRow } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { useOthersOfCall } from './companions';
import type { Playback } from './playback';
import css from './recordings.module.css';
import type { Shown } from './screens-at';
import { screensOf, shownAt } from './screens-at';

/** A picture may be so far from the sound: above, it is sought. */
const DRIFT_S = 0.4;

type Props = { row: RecordingRow; playback: Playback; locked: boolean };

export function ScreenBeside({ row, playback, locked }: Props) {
  const t = useT();
  const [wanted, setWanted] = useState(false);
  if (playback.playing && !wanted) setWanted(true);
  const others = useOthersOfCall(row).filter(({ medium, end }) => medium === 'screen' && end);
  const details = useQueries({
    queries: others.map(({ id }) => ({
      queryKey: [...KEYS.recordings, 'one', id],
      queryFn: ({ signal }: { signal: AbortSignal }) => api<RecordingDetail>('GET', `/recordings/${encodeURIComponent(id)}`, { signal }),
    })),
  });
  if (others.length === 0 || details.some(({ isPending }) => isPending)) return null;
  const known = details.flatMap(({ data }) => (data ? [data] : []));
  const shown = shownAt(screensOf(known), row.began + playback.positionMs);
  const isWhole = known.length === others.length && known.every(({ file }) => file);
  return (
    <section className={css.beside} aria-label={t('recordings.screen_beside')}>
      {shown.is !== 'part' && (shown.is === 'nothing' && !isWhole ? <p className={css.hint}>{t('recordings.screen_unread')}</p> : <Instead shown={shown} />)}
      {shown.is === 'part' && !wanted && <p className={css.hint}>{t('recordings.screen_waits')}</p>}
      {shown.is === 'part' && wanted && !locked && <Video key={`${shown.id} ${shown.part}`} shown={shown} playback={playback} />}
    </section>
  );
}

function Instead({ shown }: { shown: Exclude<Shown, { is: 'part' }> }) {
  const t = useT();
  if (shown.is === 'removed') return <Chip tone="info" icon="remove">{t('recordings.span.removed')}</Chip>;
  return shown.is === 'paused' ? <Chip tone="good" icon="lock">{t('recordings.screen_paused')}</Chip> : <p className={css.hint}>{t('recordings.screen_gap')}</p>;
}

/** Follows the sound: its place, its speed, whether it plays. */
function Video({ shown: { id, part, ms }, playback: { playing, rate } }: { shown: Extract<Shown, { is: 'part' }>; playback: Playback }) {
  const t = useT();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.playbackRate = rate;
    const place = ms / 1_000;
    // A video may be a little shorter than its part: its last picture stays.
    const isOver = element.ended && place >= element.currentTime;
    // While it plays one place after the other is wanted, and each would break off the search for the one before.
    const isSought = playing && element.seeking;
    if (!isOver && !isSought && Math.abs(element.currentTime - place) > DRIFT_S) element.currentTime = place;
    if (!playing) element.pause();
    // One that cannot be played stays a still picture; the sound goes on.
    else if (element.paused && !isOver) element.play().catch(() => undefined);
  }, [ms, playing, rate]);
  return (
    <video
      ref={video}
      muted
      playsInline
      preload="auto"
      controlsList="nodownload noremoteplayback"
      disablePictureInPicture
      aria-label={t('recordings.screen_part', { n: part })}
      src={`/api/v1/recordings/${encodeURIComponent(id)}/parts/${part}`}
    />
  );
}
