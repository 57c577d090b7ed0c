/**
 * What was said when, drawn: the loudness of both sides, and the parts that are not plain audio.
 * Owns: the drawing, and where in it somebody pressed.
 * Never: is all that says it; the slider and the list of parts are, so it is hidden from assistive technology.
 */
import type { PointerEvent } from 'react';
import { memo } from 'react';
import type { RecordingPeaks, RecordingSpan } from '../lib/api/types';
import { useT } from '../lib/i18n';
import css from './recordings.module.css';
import type { Track } from './spans';
import { SPAN_LABELS, SPAN_NAMES, TRACK_NAMES, drawnOf, isOf } from './spans';
import { BARS, HEIGHT, waveform } from './waveform';

type Props = { peaks: RecordingPeaks | undefined; spans: readonly RecordingSpan[]; lengthMs: number };

/** Consumer above agent. */
const TRACKS: readonly Track[] = ['consumer', 'agent'];

export function Tracks({ positionMs, onSeek, ...drawn }: Props & { positionMs: number; onSeek: ((ms: number) => void) | undefined }) {
  const press = (event: PointerEvent<HTMLDivElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    if (event.button === 0 && width > 0) onSeek?.(((event.clientX - left) / width) * drawn.lengthMs);
  };
  return (
    <div className={css.tracks} aria-hidden="true">
      <Names />
      <div className={css.drawing} data-seeks={onSeek ? true : undefined} onPointerDown={press}>
        <Drawings {...drawn} />
        <span className={css.cursor} style={{ insetInlineStart: share(positionMs, drawn.lengthMs) }} />
      </div>
    </div>
  );
}

function Names() {
  const t = useT();
  return (
    <div className={css.names}>
      {TRACKS.map((track) => (
        <span key={track}>{t(TRACK_NAMES[track])}</span>
      ))}
    </div>
  );
}

/** Drawn once, not whenever the cursor moves. */
const Drawings = memo(function Drawings({ peaks, spans, lengthMs }: Props) {
  const t = useT();
  return TRACKS.map((track) => (
    <div key={track} className={css.track} data-track={track}>
      {peaks && (
        <svg viewBox={`0 0 ${BARS} ${HEIGHT}`} preserveAspectRatio="none" focusable="false">
          <path d={waveform(peaks[track])} />
        </svg>
      )}
      {spans
        .filter((span) => isOf(span, track))
        .flatMap((span) => drawnOf(span, spans))
        .map((span) => (
          <span
            key={`${span.kind} ${span.from_ms}`}
            className={css.span}
            data-kind={span.kind}
            title={t(SPAN_NAMES[span.kind])}
            style={{ insetInlineStart: share(span.from_ms, lengthMs), width: share(span.until_ms - span.from_ms, lengthMs) }}
          >
            <span>{t(SPAN_LABELS[span.kind])}</span>
          </span>
        ))}
    </div>
  ));
});

function share(ms: number, lengthMs: number): string {
  return `${lengthMs === 0 ? 0 : (100 * ms) / lengthMs}%`;
}
