/** Owns: the days that a reader narrows a list to, and where they begin and end in the reader's zone. */

export const PERIODS = ['today', 'yesterday', 'week', 'month', 'all', 'days'] as const;
export type Period = (typeof PERIODS)[number];

/** `first` and `last` are "2026-11-26", and count for the period "days" only. */
export type Days = { period: Period; first: string; last: string };

/** Milliseconds since 1970: at `from` or later, before `until`. */
export type Bounds = { from?: number; until?: number };

export function boundsOf({ period, first, last }: Days, now = new Date()): Bounds {
  const day = (offset: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset).getTime();
  switch (period) {
    case 'today':
      return { from: day(0) };
    case 'yesterday':
      return { from: day(-1), until: day(0) };
    case 'week':
      return { from: day(-6) };
    case 'month':
      return { from: day(-29) };
    case 'all':
      return {};
    case 'days':
      return { ...edge('from', first, 0), ...edge('until', last, 1) };
    default:
      return period satisfies never;
  }
}

/** Where a span ends that has no end of its own: tonight. */
export function endOf({ until }: Bounds, now = new Date()): number {
  return until ?? new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime();
}

/** Midnight of a day in the reader's zone, or of one after it. A day that is not one does not narrow. */
function edge(name: keyof Bounds, text: string, offset: number): Bounds {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (!year || !month || !date) return {};
  return { [name]: new Date(Number(year), Number(month) - 1, Number(date) + offset).getTime() };
}

export function periodOf(text: string | null, otherwise: Period): Period {
  return PERIODS.find((period) => period === text) ?? otherwise;
}
