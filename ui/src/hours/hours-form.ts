/** Owns: the hours of a service as its sheet holds them, and as they are sent. Never: says whether it is open; the server does. */
import type { Hours, OpenSpan, Route } from '../lib/api/types';

export type Day = OpenSpan['day'];

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const satisfies readonly Day[];

export type Away = 'refuse' | 'uri' | 'trunk';

/** `was`: the server has hours of it. A day has spans as people write them: "8-12, 13:00-17:30". */
export type HoursDraft = { on: boolean; was: boolean; zone: string; week: Record<Day, string>; dates: string; away: Away; uri: string; address: string; trunk: string; number: string };

const OFFICE = '08:00-17:00';

export function hoursOf(stored: Hours | null | undefined, trunks: readonly string[] = []): HoursDraft {
  const closed = stored?.closed;
  const spans = (day: Day) => (stored ? stored.open.filter((span) => span.day === day).map(({ from, until }) => `${from}-${until}`).join(', ') : day === 'saturday' || day === 'sunday' ? '' : OFFICE);
  return {
    on: Boolean(stored),
    was: Boolean(stored),
    zone: stored?.zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    week: Object.fromEntries(DAYS.map((day) => [day, spans(day)])) as Record<Day, string>,
    dates: stored?.closed_dates?.join('\n') ?? '',
    away: closed?.to === 'uri' || closed?.to === 'trunk' ? closed.to : 'refuse',
    uri: closed?.to === 'uri' ? closed.uri : '',
    address: closed?.to === 'uri' ? closed.address : '',
    trunk: closed?.to === 'trunk' ? closed.trunk : (trunks[0] ?? ''),
    number: (closed?.to === 'trunk' && closed.number) || '',
  };
}

const SPAN = /^(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?$/;

const clock = (hour: string, minute = '00') => `${hour.padStart(2, '0')}:${minute}`;

/** What is no span is sent as it was typed, for the server to refuse at its day. */
function spansOf(day: Day, text: string): OpenSpan[] {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const [, from, minute, until, last] = SPAN.exec(part) ?? [];
    return from && until ? { day, from: clock(from, minute), until: clock(until, last) } : { day, from: part, until: '' };
  });
}

function closedOf({ away, uri, address, trunk, number }: HoursDraft): Route | null {
  if (away === 'uri') return { to: away, uri: uri.trim(), address: address.trim(), agent: null };
  if (away === 'trunk') return { to: away, trunk, number: number.trim() || null, agent: null };
  return null;
}

/** Nothing where they are off and were: the server leaves them as they are. */
export function hoursSent(draft: HoursDraft): { hours?: Hours | null } {
  if (!draft.on) return draft.was ? { hours: null } : {};
  const open = DAYS.flatMap((day) => spansOf(day, draft.week[day]));
  return { hours: { zone: draft.zone, open, closed_dates: draft.dates.split(/[\s,;]+/).filter(Boolean), closed: closedOf(draft) } };
}

/** What the server says of a day's spans, by their places in what is sent. */
export function problemOfDay(draft: HoursDraft, day: Day, problem: (field: string) => string | undefined): string | undefined {
  const spans = hoursSent(draft).hours?.open ?? [];
  return spans.map((span, place) => (span.day === day ? problem(`hours.open[${place}]`) : undefined)).find(Boolean);
}
