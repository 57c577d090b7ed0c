import { expect, test } from 'vitest';
import type { RecordingSpan } from '../lib/api/types';
import { behindProtected, drawnOf, isOf, spanAt } from './spans';

const span = (kind: RecordingSpan['kind'], from_ms: number, until_ms: number, tracks: RecordingSpan['tracks'] = 'both'): RecordingSpan => ({ kind, tracks, from_ms, until_ms });

test('playing goes on behind a protected part, also where one follows the other or lies over it', () => {
  const spans = [span('paused', 1_000, 2_000), span('masked', 1_900, 3_000, 'consumer'), span('masked', 3_000, 3_500), span('gap', 3_500, 4_000)];
  expect([999, 1_000, 1_950, 2_999, 3_499, 3_500, 3_999].map((ms) => behindProtected(spans, ms))).toEqual([999, 3_500, 3_500, 3_500, 3_500, 3_500, 3_999]);
});

test('a span holds its begin and not its end, and belongs to one track or to both', () => {
  const spans = [span('gap', 10, 20, 'agent')];
  expect([9, 10, 19, 20].map((ms) => spanAt(spans, ms)?.kind)).toEqual([undefined, 'gap', 'gap', undefined]);
  expect([isOf(spans[0]!, 'agent'), isOf(spans[0]!, 'consumer'), isOf(span('gap', 0, 1), 'consumer')]).toEqual([true, false, true]);
});

test('what lies under a pause is not drawn, and what is beside it is', () => {
  const masked = span('masked', 10, 100, 'consumer');
  const drawn = (...pauses: [number, number][]) => drawnOf(masked, [masked, ...pauses.map(([from, until]) => span('paused', from, until))]).map(({ from_ms, until_ms }) => [from_ms, until_ms]);
  expect(drawn()).toEqual([[10, 100]]);
  expect(drawn([0, 10], [100, 200])).toEqual([[10, 100]]);
  expect(drawn([5, 20])).toEqual([[20, 100]]);
  expect(drawn([30, 40], [90, 110])).toEqual([[10, 30], [40, 90]]);
  expect(drawn([10, 100])).toEqual([]);
  const pause = span('paused', 10, 20);
  expect(drawnOf(pause, [pause])).toEqual([pause]);
  const removed = span('removed', 15, 30);
  expect(drawnOf(pause, [pause, removed])).toEqual([span('paused', 10, 15)]);
  expect(drawnOf(removed, [pause, removed])).toEqual([removed]);
});
