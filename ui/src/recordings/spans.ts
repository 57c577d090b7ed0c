/**
 * Owns: which parts of a recording are protected, what they are called, where playing goes on behind them.
 * Never: asks anybody; spans come from the recorder's own file.
 */
import type { RecordingRow, RecordingSpan, RecordingSpanKind, RecordingTracks } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';

export const SPAN_NAMES = {
  paused: 'recordings.span.paused',
  masked: 'recordings.span.masked',
  gap: 'recordings.span.gap',
  removed: 'recordings.span.removed',
} satisfies Record<RecordingSpanKind, MessageId>;

/** For the drawing, where there is little room. */
export const SPAN_LABELS = {
  paused: 'recordings.span_short.paused',
  masked: 'recordings.span_short.masked',
  gap: 'recordings.span_short.gap',
  removed: 'recordings.span_short.removed',
} satisfies Record<RecordingSpanKind, MessageId>;

export const SPAN_HINTS = {
  paused: 'recordings.span_hint.paused',
  masked: 'recordings.span_hint.masked',
  gap: 'recordings.span_hint.gap',
  removed: 'recordings.span_hint.removed',
} satisfies Record<RecordingSpanKind, MessageId>;

export const TRACK_NAMES = {
  consumer: 'recordings.track.consumer',
  agent: 'recordings.track.agent',
  both: 'recordings.track.both',
} satisfies Record<RecordingTracks, MessageId>;

export const MEDIUM_NAMES = {
  call: 'recordings.medium.call',
  screen: 'recordings.medium.screen',
} satisfies Record<RecordingRow['medium'], MessageId>;

/** Whose audio a drawing shows. */
export type Track = Exclude<RecordingTracks, 'both'>;

export const isOf = (span: RecordingSpan, track: Track) => span.tracks === track || span.tracks === 'both';

/** A card was taken while it lasted. */
export const isProtected = (span: RecordingSpan) => span.kind === 'paused' || span.kind === 'masked';

/** The first span at this time, if any. */
export const spanAt = (spans: readonly RecordingSpan[], ms: number) => spans.find(({ from_ms, until_ms }) => from_ms <= ms && ms < until_ms);

/** Where playing goes on that must not be in a protected part. */
export function behindProtected(spans: readonly RecordingSpan[], ms: number): number {
  const within = spanAt(spans.filter(isProtected), ms);
  return within ? behindProtected(spans, within.until_ms) : ms;
}

/** What of a span is drawn: not what lies under a pause or was removed, where nothing is left that could be masked or lost. */
export function drawnOf(span: RecordingSpan, spans: readonly RecordingSpan[]): RecordingSpan[] {
  const isAbove = ({ kind }: RecordingSpan) => (kind === 'removed' && span.kind !== 'removed') || (kind === 'paused' && span.kind !== 'paused' && span.kind !== 'removed');
  return spans.filter(isAbove).reduce(outside, [span]);
}

type Stretch = { from_ms: number; until_ms: number };

/** What of stretches lies outside of another one. */
export function outside<Piece extends Stretch>(pieces: Piece[], { from_ms, until_ms }: Stretch): Piece[] {
  const parts = pieces.flatMap((piece) => [
    { ...piece, until_ms: Math.min(piece.until_ms, from_ms) },
    { ...piece, from_ms: Math.max(piece.from_ms, until_ms) },
  ]);
  return parts.filter((piece) => piece.from_ms < piece.until_ms);
}
