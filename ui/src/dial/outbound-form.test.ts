import { expect, test } from 'vitest';
import { outboundOf, outboundSent } from './outbound-form';

const OUT = { route: { to: 'uri' as const, uri: 'sip:{number}@192.0.2.5', address: '192.0.2.5:5060' }, caller_number: '+15550199', numbers: ['+1555*', '4xxx'] };
const AT_TRUNK = { ...OUT, route: { to: 'trunk' as const, trunk: 'carrier' } };

test('what is stored is sent as it was, a pattern a line', () => {
  const draft = outboundOf(OUT);
  expect(draft.numbers).toBe('+1555*\n4xxx');
  expect(outboundSent(draft)).toEqual({ outbound: OUT });
  expect(outboundSent({ ...draft, caller: ' +1 555 0199 ', numbers: ' +1555*, 4xxx;\n' })).toEqual({ outbound: OUT });
  expect(outboundSent(outboundOf(AT_TRUNK, ['pbx']))).toEqual({ outbound: AT_TRUNK });
});

test('the first trunk of the server’s file is offered, and what was typed of the other way is kept', () => {
  const draft = { ...outboundOf(OUT, ['carrier', 'pbx']), to: 'trunk' as const };
  expect(outboundSent(draft)).toEqual({ outbound: AT_TRUNK });
  expect(outboundSent({ ...draft, to: 'uri' })).toEqual({ outbound: OUT });
});

test('a service that does not call out says nothing of it, and one that is switched off says so', () => {
  expect(outboundSent(outboundOf(null))).toEqual({});
  expect(outboundSent({ ...outboundOf(OUT), on: false })).toEqual({ outbound: null });
  expect(outboundSent({ ...outboundOf(undefined), on: true, uri: 'sip:{number}@pbx' })).toMatchObject({ outbound: { route: { uri: 'sip:{number}@pbx' } } });
});
