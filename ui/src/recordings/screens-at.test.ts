import { expect, test } from 'vitest';
import type { RecordingRow } from '../lib/api/types';
import type { Screen } from './screens-at';
import { shownAt } from './screens-at';

const BEGAN = 1_764_237_600_000;

function recorded(id: string, began: number, parts: [begin: number, length: number][], spans: [kind: 'paused' | 'removed', from: number, until: number][] = []): Screen {
  const row: RecordingRow = { id, medium: 'screen', call: 'c', service: 's', service_name: '', agent: null, agent_name: '', node: 'n', began, keep_until: began, end: { length_ms: 9, bytes: 9, is_whole: true } };
  return {
    row,
    file: {
      length_ms: 60_000,
      parts: parts.map(([begin_ms, length_ms], at) => ({ number: at + 1, begin_ms, length_ms, bytes: 1, media_type: 'video/webm' })),
      spans: spans.map(([kind, from_ms, until_ms]) => ({ kind, tracks: 'both', from_ms, until_ms })),
      ending: { is: 'whole' },
    },
  };
}

test('a moment of the call is a place in the part that was recorded then, also behind a transfer', () => {
  const screens = [recorded('first', BEGAN + 2_000, [[500, 10_000], [20_000, 5_000]], [['paused', 10_500, 20_000]]), recorded('second', BEGAN + 40_000, [[0, 9_000]], [['removed', 9_000, 12_000]])];
  const at = (ms: number) => shownAt(screens, BEGAN + ms);
  expect(at(2_400)).toEqual({ is: 'nothing' });
  expect(at(2_500)).toEqual({ is: 'part', id: 'first', part: 1, ms: 0 });
  expect(at(12_499)).toEqual({ is: 'part', id: 'first', part: 1, ms: 9_999 });
  expect(at(12_500)).toEqual({ is: 'paused' });
  expect(at(22_000)).toEqual({ is: 'part', id: 'first', part: 2, ms: 0 });
  expect(at(27_000)).toEqual({ is: 'nothing' });
  expect(at(41_000)).toEqual({ is: 'part', id: 'second', part: 1, ms: 1_000 });
  expect(at(50_000)).toEqual({ is: 'removed' });
});
