/**
 * Owns: which captures a pause of a recording belongs to, and which answers of recorders tell of it.
 * Never: takes a pause for confirmed that a recorder has not confirmed itself.
 */
import { useQuery } from '@tanstack/react-query';
import { api } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordedCapture, RecorderSaid, RecordingCaptures, RecordingFileView, RecordingSpan, SpokenMark } from '../lib/api/types';
import { outside } from './spans';

/** The row and the trail are written at times of their own. */
const SLACK_MS = 500;

/** Captures of the call, or why they are not known. */
export function useCaptures(id: string): { captures: readonly RecordedCapture[]; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: [...KEYS.recordings, 'captures', id],
    queryFn: ({ signal }) => api<RecordingCaptures>('GET', `/recordings/${encodeURIComponent(id)}/captures`, { signal }),
  });
  return { captures: data?.captures ?? [], error };
}

/** Those that a pause belongs to: open while it lasted, and with recorders that were asked. */
export function capturesOf(span: RecordingSpan, captures: readonly RecordedCapture[]): RecordedCapture[] {
  if (span.kind !== 'paused') return [];
  return captures.filter(({ from_ms, until_ms, said }) => said.length > 0 && from_ms < span.until_ms && span.from_ms < (until_ms ?? Infinity) + SLACK_MS);
}

/** Where a number may have been spoken and is kept: not in a pause, and not in what was removed. */
export function spokenIn(captures: readonly RecordedCapture[], { length_ms: lengthMs, spans }: Pick<RecordingFileView, 'length_ms' | 'spans'>): SpokenMark[] {
  const within = captures
    .flatMap(({ spoken }) => spoken)
    .map(({ from_ms, until_ms }) => ({ from_ms: Math.max(0, from_ms), until_ms: Math.min(until_ms, lengthMs) }))
    .filter(({ from_ms, until_ms }) => from_ms < until_ms);
  return spans.filter(({ kind }) => kind === 'paused' || kind === 'removed').reduce(outside, within);
}

/** What each recorder said of its pause: the last word, and every refusal of one. */
export function answersOf(said: readonly RecorderSaid[]): RecorderSaid[] {
  const isLast = (answer: RecorderSaid) => said.findLast(({ did, recorder, medium }) => did === 'paused' && recorder === answer.recorder && medium === answer.medium) === answer;
  return said.filter((answer) => (answer.did === 'refused' && answer.asked !== 'resume') || isLast(answer));
}
