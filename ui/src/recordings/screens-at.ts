/**
 * Owns: which part of which recorded screen belongs to a moment of its call, and what there is instead.
 * Never: plays one.
 */
import type { RecordingDetail, RecordingFileView, RecordingRow } from '../lib/api/types';

/** A recording of a screen with what is in it. */
export type Screen = { row: RecordingRow; file: RecordingFileView };

/** What a screen showed: a place in a video, or why there is none. */
export type Shown = { is: 'part'; id: string; part: number; ms: number } | { is: 'paused' } | { is: 'removed' } | { is: 'nothing' };

export const screensOf = (details: readonly RecordingDetail[]): Screen[] => details.flatMap(({ row, file }) => (file ? [{ row, file }] : []));

/** What was to be seen at a moment, in milliseconds since 1970. Of a call that was transferred each agent's screen is a recording of its own. */
export function shownAt(screens: readonly Screen[], moment: number): Shown {
  for (const { row, file } of screens) {
    const at = moment - row.began;
    const part = file.parts.find(({ begin_ms, length_ms }) => begin_ms <= at && at < begin_ms + length_ms);
    if (part) return { is: 'part', id: row.id, part: part.number, ms: at - part.begin_ms };
  }
  const spans = screens.flatMap(({ row, file }) => file.spans.filter(({ from_ms, until_ms }) => from_ms <= moment - row.began && moment - row.began < until_ms));
  if (spans.some(({ kind }) => kind === 'removed')) return { is: 'removed' };
  return spans.some(({ kind }) => kind === 'paused') ? { is: 'paused' } : { is: 'nothing' };
}
