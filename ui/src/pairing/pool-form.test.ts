import { expect, test } from 'vitest';
import { poolOf, poolSent } from './pool-form';

const POOL = { numbers: ['+15550201', '+15550202'], reserve_s: 90, quarantine_s: 0 };

test('what is stored is sent as it was, a number a line', () => {
  const draft = poolOf(POOL);
  expect(draft.numbers).toBe('+15550201\n+15550202');
  expect(poolSent(draft)).toEqual({ pool: POOL });
  expect(poolSent({ ...draft, numbers: ' +15550201, +15550202;\n' })).toEqual({ pool: POOL });
});

test('a service without a pool says nothing of it, and one that is switched off says so', () => {
  expect(poolSent(poolOf(null))).toEqual({});
  expect(poolSent({ ...poolOf(POOL), on: false })).toEqual({ pool: null });
  expect(poolSent({ ...poolOf(undefined), on: true, numbers: '4001' })).toEqual({ pool: { numbers: ['4001'], reserve_s: 120, quarantine_s: 60 } });
});

test('what is no number of seconds is left to the server to refuse', () => {
  expect(poolSent({ ...poolOf(POOL), reserve: 'two', quarantine: '-1' })).toEqual({ pool: { ...POOL, reserve_s: 9_999, quarantine_s: 9_999 } });
});
