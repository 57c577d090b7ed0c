import { describe, expect, test } from 'vitest';
import type { Totals } from './quality';
import { figuresOf, totalsOf } from './quality';

const totals = (change: Partial<Totals> = {}): Totals => ({ at: 2_000, received: 100, lost: 0, jitter_ms: 5, round_trip_ms: 40, ...change });
const after = (change: Partial<Totals>) => figuresOf(totals({ at: 0, received: 0 }), totals(change));

describe('the quality of a line', () => {
  test.each([
    ['good', {}],
    ['good', { lost: 2 }],
    ['weak', { lost: 3 }],
    ['bad', { lost: 12 }],
    ['weak', { jitter_ms: 31 }],
    ['bad', { jitter_ms: 81 }],
    ['weak', { round_trip_ms: 300 }],
    ['bad', { round_trip_ms: 501 }],
    ['good', { round_trip_ms: undefined }],
    ['bad', { lost: 3, round_trip_ms: 900 }],
  ] as const)('is %s with %o', (grade, change) => {
    expect(after(change)?.grade).toBe(grade);
  });

  test('is that of the time between two looks, not of the whole call', () => {
    const figures = figuresOf(totals({ received: 900, lost: 100 }), totals({ received: 1_000, lost: 100 }));
    expect(figures).toMatchObject({ loss: 0, grade: 'good' });
  });

  test('is not told while nothing comes, and a late packet that was counted as lost is none', () => {
    expect(figuresOf(totals(), totals({ at: 4_000 }))).toBeUndefined();
    expect(figuresOf(totals({ lost: 5 }), totals({ received: 200, lost: 4 }))?.loss).toBe(0);
  });

  test('is read from what browsers report', () => {
    const report = [
      { type: 'candidate-pair', timestamp: 1, nominated: false, currentRoundTripTime: 9 },
      { type: 'candidate-pair', timestamp: 1, nominated: true, currentRoundTripTime: 0.04 },
      { type: 'inbound-rtp', kind: 'audio', timestamp: 1, packetsReceived: 50, packetsLost: 1, jitter: 0.003 },
    ];
    expect(totalsOf(report)).toEqual({ at: 1, received: 50, lost: 1, jitter_ms: 3, round_trip_ms: 40 });
    expect(totalsOf(report.slice(0, 2))).toBeUndefined();
  });
});
