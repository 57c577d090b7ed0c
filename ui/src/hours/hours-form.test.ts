import { expect, test } from 'vitest';
import type { Hours } from '../lib/api/types';
import { DAYS, hoursOf, hoursSent, problemOfDay } from './hours-form';

const span = (day: (typeof DAYS)[number], from: string, until: string) => ({ day, from, until });
const HOURS: Hours = { zone: 'Europe/Berlin', open: [span('monday', '08:00', '12:00'), span('monday', '13:00', '17:30'), span('sunday', '00:00', '24:00')], closed_dates: ['2026-12-25', '2026-12-26'], closed: null };
const URI = { to: 'uri' as const, uri: 'sip:night@192.0.2.5', address: '192.0.2.5:5060', agent: null };
const TRUNK = { to: 'trunk' as const, trunk: 'carrier', number: null, agent: null };

test('what is stored is sent as it was, a day a line', () => {
  const draft = hoursOf(HOURS);
  expect(draft.week).toMatchObject({ monday: '08:00-12:00, 13:00-17:30', tuesday: '', sunday: '00:00-24:00' });
  expect(hoursSent(draft)).toEqual({ hours: HOURS });
  for (const closed of [URI, TRUNK]) expect(hoursSent(hoursOf({ ...HOURS, closed }))).toEqual({ hours: { ...HOURS, closed } });
});

test('spans are taken as people write them', () => {
  const draft = hoursOf(HOURS);
  for (const typed of ['8-12, 13-17:30', '08.00 – 12.00; 13:00—17.30', ' 8 - 12 ,13:00-17:30, ']) {
    expect(hoursSent({ ...draft, week: { ...draft.week, monday: typed } }), typed).toEqual({ hours: HOURS });
  }
});

test('what is no span is refused at its day', () => {
  const draft = hoursOf(HOURS);
  const wrong = { ...draft, week: { ...draft.week, tuesday: '9-12, noon' } };
  expect(hoursSent(wrong).hours?.open[3]).toEqual(span('tuesday', 'noon', ''));
  const problem = (field: string) => (field === 'hours.open[3]' ? 'write a time' : undefined);
  expect(DAYS.map((day) => problemOfDay(wrong, day, problem))).toEqual([undefined, 'write a time', undefined, undefined, undefined, undefined, undefined]);
});

test('a service without hours says nothing of them, and one that is always open from now on says so', () => {
  expect(hoursSent(hoursOf(null))).toEqual({});
  expect(hoursSent({ ...hoursOf(HOURS), on: false })).toEqual({ hours: null });
  const begun = hoursSent({ ...hoursOf(undefined, ['carrier']), on: true, away: 'trunk' }).hours;
  expect(begun).toMatchObject({ open: Array.from({ length: 5 }, (_, place) => span(DAYS[place]!, '08:00', '17:00')), closed: TRUNK });
});
