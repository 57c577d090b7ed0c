import { expect, test } from 'vitest';
import { queueOf, queueSent } from './queue-form';

const QUEUE = { waiting_max: 20, wait_s_max: 600, music: 's1', announcement: 's2', announce_every_s: 60, overflow: { to: 'trunk' as const, trunk: 'carrier', number: '4001' } };

test('what is stored is sent as it was', () => {
  expect(queueSent(queueOf(QUEUE), true)).toEqual({ queue: QUEUE });
  const plain = { ...QUEUE, music: null, announcement: null, announce_every_s: 0, overflow: { to: 'busy' as const } };
  expect(queueSent(queueOf(plain), true)).toEqual({ queue: plain });
  const there = { ...QUEUE, overflow: { to: 'uri' as const, uri: 'sip:100@pbx', address: '192.0.2.5:5060' } };
  expect(queueSent(queueOf(there), true)).toEqual({ queue: there });
});

test('what is no number is more than there may be, and an announcement that is none is not said again', () => {
  const sent = queueSent({ ...queueOf(QUEUE), waiting: 'many', wait: '', announcement: '', number: ' ' }, true).queue;
  expect(sent).toMatchObject({ waiting_max: 9_999, wait_s_max: 9_999, announce_every_s: 0, overflow: { to: 'trunk', trunk: 'carrier', number: null } });
});

test('a service without a queue says nothing of it, and one that is switched off or leads elsewhere says so', () => {
  expect(queueSent(queueOf(null), true)).toEqual({});
  expect(queueSent({ ...queueOf(QUEUE), on: false }, true)).toEqual({ queue: null });
  expect(queueSent(queueOf(QUEUE), false)).toEqual({ queue: null });
  expect(queueSent({ ...queueOf(undefined, ['carrier']), on: true, to: 'trunk' }, true)).toMatchObject({ queue: { overflow: { trunk: 'carrier' } } });
});
