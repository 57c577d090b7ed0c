import { expect, test } from 'vitest';
import { BARS, bars, waveform } from './waveform';

test('a bar is as high as the loudest peak of its time, and none is left out', () => {
  expect(bars([1, 9, 2, 3, 4, 250], 3)).toEqual([9, 3, 250]);
  expect(bars([1, 2, 3, 4, 5], 2)).toEqual([2, 5]);
  expect(bars([7, 8], 4)).toEqual([7, 7, 8, 8]);
  expect(bars([], 2)).toEqual([0, 0]);
});

test('half an hour is drawn as so many bars, silence as a thin line', () => {
  const path = waveform(Array<number>(14_400).fill(0).with(14_399, 255));
  const drawn = path.split('z').filter(Boolean);
  expect(drawn).toHaveLength(BARS);
  expect(drawn[0]).toBe('M0 50m0-0.8h0.7v1.6h-0.7');
  expect(drawn.at(-1)).toBe(`M${BARS - 1} 50m0-50.0h0.7v100.0h-0.7`);
});
