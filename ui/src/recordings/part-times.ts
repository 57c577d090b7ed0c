/**
 * Owns: how the times of a part are typed and read, which part is offered, and why one cannot be removed.
 * Never: removes anything; the server judges again.
 */
import type { RecordingFileView, RecordingRow, RecordingSpan, SpokenMark } from '../lib/api/types';
import { isProtected, spanAt } from './spans';

export type PartTimes = { from_ms: number; until_ms: number };
export type PartEnd = 'from' | 'until';
export type PartFault = { of: PartEnd; why: 'time' | 'order' | 'beyond' | 'nothing' };
type Videos = RecordingFileView['parts'];

const TENTH_MS = 100;
const SECONDS_MAX = 59;
/** What is offered where nothing is marked: a number that somebody says takes about as long. */
const OFFERED_MS = 5_000;

/** "1:05.5", also with hours before it or without minutes, and with a comma: in milliseconds; undefined if it is no time. */
export function parseTime(text: string): number | undefined {
  const [, hours, minutes, seconds = '', fraction = ''] = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,4})(?:[.,](\d{1,3}))?$/.exec(text.trim()) ?? [];
  const isSixty = (digits: string) => digits.length === 2 && Number(digits) <= SECONDS_MAX;
  if (seconds === '' || (minutes !== undefined && !isSixty(seconds)) || (hours !== undefined && !isSixty(minutes ?? ''))) return undefined;
  const whole = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds);
  return whole * 1_000 + Number(fraction.padEnd(3, '0'));
}

/** "1:05.5": tenths of a second, a part of one rounded `down` or `up`. */
export function timeTyped(ms: number, round: 'down' | 'up'): string {
  const tenths = Math[round === 'down' ? 'floor' : 'ceil'](ms / TENTH_MS);
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${tenths % 10}`;
}

/** What is offered at a position: a stretch that is marked as spoken, else the protected part that is there, else some seconds from there on. */
export function partOffered(spans: readonly RecordingSpan[], ms: number, lengthMs: number, spoken: readonly SpokenMark[] = []): PartTimes {
  const marked = spoken.find(({ from_ms, until_ms }) => from_ms <= ms && ms <= until_ms);
  if (marked) return marked;
  const within = spanAt(spans.filter(isProtected), ms);
  if (within) return { from_ms: within.from_ms, until_ms: within.until_ms };
  const from_ms = ms < lengthMs ? ms : 0;
  return { from_ms, until_ms: Math.min(from_ms + OFFERED_MS, lengthMs) };
}

/** Where the scan found something, as far as it says: a part of that kind, the first one; else nowhere. */
export function placeFound({ scan }: RecordingRow, spans: readonly RecordingSpan[]): number | undefined {
  const { masked_keys = 0, paused_samples = 0 } = scan?.finds ?? {};
  const first = (found: number, kind: RecordingSpan['kind']) => (found > 0 ? spans.find((span) => span.kind === kind)?.from_ms : undefined);
  return first(masked_keys, 'masked') ?? first(paused_samples, 'paused');
}

/** The videos of a screen of which some lies there: they go as a whole. */
export const videosIn = (videos: Videos, { from_ms, until_ms }: PartTimes) =>
  videos.filter(({ begin_ms, length_ms, bytes }) => bytes > 0 && begin_ms < until_ms && from_ms < begin_ms + Math.max(length_ms, 1));

/** The part that two texts name, or what is wrong with them. An end within the last tenth of the recording is its end. `videos`: of a screen, of which one has to lie there. */
export function partTyped(from: string, until: string, lengthMs: number, videos?: Videos): PartTimes | PartFault {
  const [from_ms, typed] = [parseTime(from), parseTime(until)];
  if (from_ms === undefined) return { of: 'from', why: 'time' };
  if (typed === undefined) return { of: 'until', why: 'time' };
  const until_ms = typed - lengthMs < TENTH_MS ? Math.min(typed, lengthMs) : typed;
  if (until_ms > lengthMs) return { of: 'until', why: 'beyond' };
  if (from_ms >= until_ms) return { of: 'from', why: 'order' };
  if (videos && videosIn(videos, { from_ms, until_ms }).length === 0) return { of: 'from', why: 'nothing' };
  return { from_ms, until_ms };
}
