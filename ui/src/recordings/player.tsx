/** What was recorded, to be seen and heard: both sides drawn, the audio, the parts that are not plain audio. */
import { useQuery } from '@tanstack/react-query';
import type { RefObject } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordingDetail, RecordingFileView, RecordingPeaks, RecordingRow } from '../lib/api/types';
import { Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import { usePlayback } from './playback';
import css from './recordings.module.css';
import { ScreenBeside } from './screen-beside';
import { SpanList } from './span-list';
import { Tracks } from './tracks';
import { Position, Transport } from './transport';

type Props = { row: RecordingRow; file: RecordingFileView; locked: boolean; place: RefObject<number> };

/** For whoever may listen. */
export function Player({ row, file, locked, place }: Props) {
  const t = useT();
  const { id } = row;
  const { length_ms: lengthMs, spans } = file;
  const path = `/recordings/${encodeURIComponent(id)}`;
  const peaks = useQuery({
    queryKey: [...KEYS.recordings, 'peaks', id],
    queryFn: ({ signal }) => api<RecordingPeaks>('GET', `${path}/peaks`, { signal }),
    staleTime: Infinity,
  });
  const playback = usePlayback({ url: `/api/v1${path}/audio`, lengthMs, spans, locked, place });
  return (
    <>
      <section className={css.player} aria-label={t('recordings.player')}>
        <Transport playback={playback} spans={spans} />
        {playback.failed && <Silence path={path} />}
        {peaks.error && <Notice tone="warn" role="status">{t('recordings.not_drawn', { reason: sentenceOf(peaks.error) })}</Notice>}
        <Tracks peaks={peaks.data} spans={spans} lengthMs={lengthMs} positionMs={playback.positionMs} onSeek={playback.seek} />
        <Position playback={playback} spans={spans} />
        <ScreenBeside row={row} playback={playback} locked={locked} />
      </section>
      <SpanList id={id} file={file} onGo={playback.seek} />
    </>
  );
}

/** An audio element does not tell why it is silent; the recording itself is asked. */
function Silence({ path }: { path: string }) {
  const t = useT();
  const asked = useQuery({ queryKey: [...KEYS.recordings, 'silence', path], queryFn: ({ signal }) => api<RecordingDetail>('GET', path, { signal }), staleTime: 0, gcTime: 0 });
  const why = asked.error ? sentenceOf(asked.error) : asked.data?.unreadable;
  return (
    <Notice tone="bad" role="alert">
      {t('recordings.no_sound')}
      {why && ` ${why}`}
    </Notice>
  );
}
