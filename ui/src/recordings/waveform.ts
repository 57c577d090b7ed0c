/** Owns: the drawing of one side's loudness, as a path in a box that stretches. Never: opens audio. */

/** Bars of a drawing: three pixels each on a wide screen. */
export const BARS = 360;
/** The box's height, and half of it. */
export const HEIGHT = 100;
const MIDDLE = HEIGHT / 2;
/** What a bar takes of its place. */
const BAR_WIDTH = 0.7;
/** Silence is a thin line. */
const BAR_HEIGHT_MIN = 1.5;
const PEAK_MAX = 255;

/** The loudest peak of each bar's time. Fewer peaks than bars: each stands in several. */
export function bars(peaks: readonly number[], count = BARS): number[] {
  if (peaks.length === 0) return Array<number>(count).fill(0);
  const place = (bar: number) => Math.floor((bar * peaks.length) / count);
  return Array.from({ length: count }, (_, bar) => peaks.slice(place(bar), Math.max(place(bar + 1), place(bar) + 1)).reduce((most, peak) => Math.max(most, peak), 0));
}

/** Half a bar's height. By the root, since speech on a telephone rarely reaches a quarter of full scale. */
function halfOf(peak: number): number {
  return Math.max(BAR_HEIGHT_MIN, Math.sqrt(peak / PEAK_MAX) * HEIGHT) / 2;
}

/** One bar after the other, around the middle; a bar is one unit wide. */
export function waveform(peaks: readonly number[]): string {
  return bars(peaks)
    .map((peak, bar) => {
      const half = halfOf(peak).toFixed(1);
      return `M${bar} ${MIDDLE}m0-${half}h${BAR_WIDTH}v${(2 * Number(half)).toFixed(1)}h-${BAR_WIDTH}z`;
    })
    .join('');
}
