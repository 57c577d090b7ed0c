import { expect, test } from 'vitest';
import type { RecordingRow, RecordingSpan } from '../lib/api/types';
import { parseTime, partOffered, partTyped, placeFound, timeTyped, videosIn } from './part-times';

const span = (kind: RecordingSpan['kind'], from_ms: number, until_ms: number): RecordingSpan => ({ kind, tracks: 'both', from_ms, until_ms });

test.each([
  ['1:05.5', 65_500],
  ['1:05,5', 65_500],
  [' 0:07 ', 7_000],
  ['12.25', 12_250],
  ['125', 125_000],
  ['90:00.007', 5_400_007],
  ['1:02:03.4', 3_723_400],
])('%s is a time', (text, ms) => expect(parseTime(text)).toBe(ms));

test.each(['', ' ', ':05', '1:', '1:5', '1:60', '1:05.', '1:05.1234', '-1:05', '1:2:03', '1:60:00', '1.05:00', '1e3', '１:05', 'noon'])('%j is none', (text) => expect(parseTime(text)).toBeUndefined());

test('a time is typed in tenths, a part with all of it in them', () => {
  expect([timeTyped(0, 'down'), timeTyped(65_599, 'down'), timeTyped(65_501, 'up'), timeTyped(3_600_000, 'up')]).toEqual(['0:00.0', '1:05.5', '1:05.6', '60:00.0']);
  for (const ms of [1, 99, 100, 59_950, 60_000, 5_999_999]) {
    expect(parseTime(timeTyped(ms, 'down'))).toBeLessThanOrEqual(ms);
    expect(parseTime(timeTyped(ms, 'up'))).toBeGreaterThanOrEqual(ms);
  }
});

test('the protected part at the position is offered, else some seconds from there, never beyond the end', () => {
  const spans = [span('gap', 0, 9_000), span('masked', 2_000, 7_050), span('removed', 20_000, 30_000)];
  const offered = (ms: number) => partOffered(spans, ms, 31_000);
  expect(partOffered(spans, 4_000, 31_000, [{ from_ms: 3_000, until_ms: 5_000 }])).toEqual({ from_ms: 3_000, until_ms: 5_000 });
  expect(offered(1_999)).toEqual({ from_ms: 1_999, until_ms: 6_999 });
  expect(offered(2_000)).toEqual({ from_ms: 2_000, until_ms: 7_050 });
  expect(offered(7_050)).toEqual({ from_ms: 7_050, until_ms: 12_050 });
  expect(offered(25_000)).toEqual({ from_ms: 25_000, until_ms: 30_000 });
  expect(offered(29_000)).toEqual({ from_ms: 29_000, until_ms: 31_000 });
  expect(offered(31_000)).toEqual({ from_ms: 0, until_ms: 5_000 });
});

test('where the scan found keys or sound the first part of that kind is the place, and runs of keys have none', () => {
  const spans = [span('paused', 1_000, 2_000), span('masked', 3_000, 4_000), span('masked', 5_000, 6_000)];
  const found = (masked_keys: number, paused_samples: number, unprotected_keys: number) => placeFound({ scan: { at: 1, finds: { masked_keys, paused_samples, unprotected_keys } } } as RecordingRow, spans);
  expect([found(1, 0, 0), found(0, 1, 0), found(0, 0, 16), found(0, 0, 0)]).toEqual([3_000, 1_000, undefined, undefined]);
  expect(placeFound({} as RecordingRow, spans)).toBeUndefined();
});

test('a part that is typed begins before it ends and lies in the recording; its last tenth counts as its end', () => {
  const typed = (from: string, until: string) => partTyped(from, until, 10_040);
  expect(typed('0:01.5', '0:02')).toEqual({ from_ms: 1_500, until_ms: 2_000 });
  expect(typed('0', '0:10.1')).toEqual({ from_ms: 0, until_ms: 10_040 });
  expect(typed('0', '0:10.2')).toEqual({ of: 'until', why: 'beyond' });
  expect(typed('0:02', '0:02')).toEqual({ of: 'from', why: 'order' });
  expect(typed('0:10.1', '0:10.1')).toEqual({ of: 'from', why: 'order' });
  expect(typed('soon', 'late')).toEqual({ of: 'from', why: 'time' });
  expect(typed('0', 'late')).toEqual({ of: 'until', why: 'time' });
});

test('of a screen each video goes of which some lies there, and one has to', () => {
  const video = (number: number, begin_ms: number, length_ms: number, bytes = 9) => ({ number, begin_ms, length_ms, bytes, media_type: 'video/webm' });
  const videos = [video(0, 0, 2_000), video(1, 5_000, 0), video(2, 6_000, 1_000, 0), video(3, 8_000, 2_000)];
  const found = (from_ms: number, until_ms: number) => videosIn(videos, { from_ms, until_ms }).map(({ number }) => number);
  expect([found(0, 1), found(1_999, 8_001), found(2_000, 5_000), found(5_000, 5_001), found(5_001, 8_000), found(9_999, 20_000)]).toEqual([[0], [0, 1, 3], [], [1], [], [3]]);
  expect(partTyped('0:02', '0:05', 10_000, videos)).toEqual({ of: 'from', why: 'nothing' });
  expect(partTyped('0:01', '0:05', 10_000, videos)).toEqual({ from_ms: 1_000, until_ms: 5_000 });
  expect(partTyped('0', '0:05', 10_000, [])).toEqual({ of: 'from', why: 'nothing' });
});
