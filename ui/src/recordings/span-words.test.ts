import { expect, test } from 'vitest';
import type { RecordedCapture, RecorderSaid, RecordingSpan } from '../lib/api/types';
import { answersOf, capturesOf, spokenIn } from './span-words';

const pause = (from_ms: number, until_ms: number): RecordingSpan => ({ kind: 'paused', tracks: 'both', from_ms, until_ms });
const answer = (recorder: string, did: RecorderSaid['did'], at_ms: number): RecorderSaid => ({ recorder, did, at_ms, medium: 'call', answered_ms: 38, asked: did === 'refused' ? 'pause' : null, reason: did === 'refused' ? 'recorder_no_answer' : null });
const capture = (object: string, from_ms: number, until_ms: number | null, said = [answer('Tonewall', 'paused', from_ms + 38)]): RecordedCapture => ({ object, kind: 'credit_card_basic', from_ms, until_ms, said, spoken: [] });

test('a pause is told of the captures that were open while it lasted', () => {
  const captures = [capture('first', 1_000, 5_000), capture('second', 20_000, null), capture('without recorders', 1_000, 5_000, [])];
  const told = (span: RecordingSpan) => capturesOf(span, captures).map(({ object }) => object);
  expect(told(pause(1_040, 4_900))).toEqual(['first']);
  expect(told(pause(20_050, 60_000))).toEqual(['second']);
  expect(told(pause(6_000, 7_000))).toEqual([]);
  expect(told({ ...pause(1_040, 4_900), kind: 'masked' })).toEqual([]);
});

test('of each recorder its last pause counts, and every refusal of one is told', () => {
  const said = [answer('Tonewall', 'paused', 1), answer('Floor', 'refused', 2), answer('Tonewall', 'resumed', 3), answer('Tonewall', 'paused', 4), answer('Floor', 'paused', 5), { ...answer('Tonewall', 'refused', 6), asked: 'resume' }];
  expect(answersOf(said).map(({ recorder, did, at_ms }) => [recorder, did, at_ms])).toEqual([['Floor', 'refused', 2], ['Tonewall', 'paused', 4], ['Floor', 'paused', 5]]);
});

test('a spoken number is looked for within the recording alone', () => {
  const spoken = [{ from_ms: -9_000, until_ms: 6_000 }, { from_ms: 50_000, until_ms: 65_000 }, { from_ms: 90_000, until_ms: 105_000 }];
  const told = (spans: RecordingSpan[]) => spokenIn([{ ...capture('first', 1_000, null), spoken }], { length_ms: 60_000, spans });
  expect(told([])).toEqual([{ from_ms: 0, until_ms: 6_000 }, { from_ms: 50_000, until_ms: 60_000 }]);
  expect(told([pause(2_000, 9_000), { ...pause(49_000, 61_000), kind: 'removed' }, { ...pause(0, 60_000), kind: 'masked' }])).toEqual([{ from_ms: 0, until_ms: 2_000 }]);
});
