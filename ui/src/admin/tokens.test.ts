/** The list beside a template against the server's own, and what it does to a text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import en from '../lib/i18n/en.json';
import { fullOf } from './more-form';
import { DATE_FORMATS, FIXED, OUTLASTING, PLAIN, TYPED, TYPED_DAYS, WITH_ARGUMENT, filtersFor, gives, ownNames, tokenAt, tokensFor, withFilter, withToken } from './tokens';

const rust = (name: string) => readFileSync(join(import.meta.dirname, '../../../crates/domain/src/gateway', name), 'utf8');
/** What stands in a Rust array, an entry a time. */
function entries(text: string, array: string, entry: RegExp): string[][] {
  const begin = text.indexOf(`const ${array}:`);
  expect(begin, array).toBeGreaterThan(-1);
  const body = text.slice(text.indexOf('= [', begin), text.indexOf('\n];', begin));
  return [...body.matchAll(entry)].map(([, ...groups]) => groups as string[]);
}

describe('the server’s own list', () => {
  const variables = rust('variable.rs');
  const filters = rust('filter.rs');

  test('has these names, in this order, of these kinds', () => {
    const theirs = entries(variables, 'CATALOGUE', /\(\s*V::\w+,\s*"([^"]*)",\s*"([^"]*)",\s*(\w+),?\s*\)/g);
    expect(theirs.length).toBeGreaterThan(30);
    expect(FIXED.map(([name, also, kind]) => [name, also, kind])).toEqual(theirs);
    expect(TYPED.map(([also, parameter]) => [also, parameter])).toEqual(entries(variables, 'FORM_NAMES', /\("([^"]+)",\s*"([^"]+)"\)/g));
    const [, days = ''] = /Self::Form\(([^)]+)\) => Kind::Date/.exec(variables) ?? [];
    expect(TYPED_DAYS).toEqual([...days.matchAll(/"(\w+)"/g)].map(([, name]) => name));
  });

  test('says what outlasts the sale', () => {
    const begin = variables.indexOf('pub fn outlasts_sale');
    const kept = [...variables.slice(begin, variables.indexOf(') ||', begin)).matchAll(/Self::(\w+)/g)].map(([, variant]) => variant!);
    const names = new Map([...variables.matchAll(/\(\s*V::(\w+),\s*"([^"]*)"/g)].map(([, variant, name]) => [variant, name]));
    expect(kept.length).toBeGreaterThan(10);
    expect(OUTLASTING).toEqual(kept.map((variant) => names.get(variant)));
  });

  test('has these filters', () => {
    expect(PLAIN.map(([name]) => [name])).toEqual(entries(filters, 'PLAIN', /\("(\w+)",/g));
    expect(DATE_FORMATS.map(([name]) => [name])).toEqual(entries(filters, 'DATE_FORMATS', /\("([^"]+)",/g));
    const begin = filters.indexOf('let with_argument');
    const named = [...filters.slice(begin, filters.indexOf('];', begin)).matchAll(/\("(\w+)",/g)].map(([, name]) => name!);
    expect(WITH_ARGUMENT.map(([name]) => name).sort()).toEqual(named.sort());
  });

  test('says of every name and filter what it is', () => {
    const said = [...tokensFor('sign', false, []), ...tokensFor('body', false, []), ...tokensFor('body', true, []), ...(['Text', 'Amount', 'Expiry', 'Instant'] as const).flatMap(filtersFor)];
    for (const { name, line } of said) expect([name, en[line!]]).toEqual([name, expect.stringMatching(/\S/)]);
  });
});

describe('what fits', () => {
  const names = (place: Parameters<typeof tokensFor>[0], check = false) => tokensFor(place, check, []).map(({ name }) => name);

  test('keyed digits stand in the body only, the final body in a signature only, a check’s in a check’s widget', () => {
    expect(names('body')).toEqual(expect.arrayContaining(['card.number', 'card.expiry', 'payment.amount', 'form.firstName']));
    for (const place of ['header', 'url', 'let', 'sign'] as const) for (const name of ['card.number', 'card.last4', 'card.expiry']) expect(names(place)).not.toContain(name);
    expect(names('header')).toContain('card.brand');
    expect(['body', 'header', 'let', 'sign'].filter((place) => names(place as 'body').includes('body.raw'))).toEqual(['sign']);
    expect(names('body', true)).toContain('check.routing_number');
    expect(names('body', true).some((name) => name.startsWith('card.'))).toBe(false);
  });

  test('an operation has what outlasts the sale and what is kept of its answer, and nothing that was keyed or typed', () => {
    const more = fullOf({ outputs: [{ name: 'id', value: 'data.id' }], secrets: ['key'] });
    for (const place of ['body', 'header', 'url'] as const) {
      const offered = tokensFor(place, false, ownNames(more, place, { operation: 'void' as const }), { operation: 'void' as const }).map(({ name }) => name);
      expect(offered).toEqual(expect.arrayContaining(['sale.id', 'payment.amount', 'payment.reference', 'time.unix']));
      expect(offered.filter((name) => /^(card|form|billing|call|agent)\./.test(name) || name === 'payment.fee')).toEqual([]);
      expect(offered.includes('secret.key')).toBe(place !== 'url');
    }
    expect(ownNames(more, 'body').map(({ name }) => name)).not.toContain('sale.id');
  });

  test('a store has what the payment has, but the plan', () => {
    const offered = (operation?: 'store') => tokensFor('body', false, [], { operation }).map(({ name }) => name);
    const isOfPlan = (name: string) => name.startsWith('arrangement.') || name.startsWith('form.arrangement');
    expect(offered('store')).toEqual(offered().filter((name) => !isOfPlan(name)));
    expect(offered('store')).toContain('card.number');
  });

  test('a schedule has the plan, which the other operations have not', () => {
    const offered = (operation: 'schedule' | 'refund') => tokensFor('body', false, [], { operation }).map(({ name }) => name);
    expect(offered('schedule')).toEqual(expect.arrayContaining(['form.arrangementStart', 'arrangement.total', 'payment.amount']));
    expect(offered('refund').filter((name) => /arrangement/.test(name))).toEqual([]);
  });

  test('filters take what the server lets them take', () => {
    expect(gives('minor', 'Amount')).toBe('Text');
    expect(gives('int', 'Digits')).toBe('Bare');
    expect(gives('MM/YY', 'Expiry')).toBe('Digits');
    expect(gives('iso', 'Expiry')).toBeUndefined();
    expect(gives('iso', 'Instant')).toBe('Text');
    expect(gives('upper', 'Digits')).toBeUndefined();
    expect(gives('sha256', 'Bytes')).toBe('Bytes');
    expect(gives('hex', 'Bytes')).toBe('Text');
    for (const [name] of PLAIN) expect(gives(name, 'Bare')).toBeUndefined();
    for (const [name] of PLAIN) expect(gives(name, 'Digits') !== undefined).toBe(name === 'int');
  });

  test('own names are offered where they are known, and of rows only those above', () => {
    const more = fullOf({
      constants: [{ name: 'merchant', value: 'M1' }],
      secrets: ['key', ''],
      variables: [{ name: 'raw', value: '{secret.key|unb64}' }, { name: 'hash', value: '{payment.reference|hmac256:let.raw|hex}' }],
      signature: [{ name: 'digest', value: '{body.raw|sha256|b64}' }],
    });
    const own = (place: Parameters<typeof ownNames>[1], row?: number) => ownNames(more, place, { row }).map(({ name, kind }) => `${name} ${kind}`);
    expect(own('body')).toEqual(['cfg.merchant Text', 'secret.key Text', 'let.raw Bytes', 'let.hash Text']);
    expect(own('let', 0)).toEqual(['cfg.merchant Text', 'secret.key Text']);
    expect(own('let', 1)).toEqual(['cfg.merchant Text', 'secret.key Text', 'let.raw Bytes']);
    expect(own('header')).toContain('sign.digest Text');
    expect(own('sign', 0)).not.toContain('sign.digest Text');
  });

  test('what a step gives is offered after it, in a URL only if it is public', () => {
    const extract = [{ name: 'token', value: 'access_token' }, { name: 'shop', value: 'shop', public: true }];
    const more = fullOf({ secrets: ['key'], steps: [{ name: 'login', url: '/token', extract }, { name: 'pm', url: '/pm', extract: [{ name: 'id', value: 'id' }] }], signature: [{ name: 'digest', value: 'x' }] });
    const own = (...of: Parameters<typeof ownNames> extends [unknown, ...infer Rest] ? Rest : never) => ownNames(more, ...of).map(({ name }) => name);
    expect(own('body')).toEqual(['secret.key', 'step.login.token', 'step.login.shop', 'step.pm.id']);
    expect(own('body', { step: 1 })).toEqual(['secret.key', 'step.login.token', 'step.login.shop']);
    expect(own('header', { step: 0 })).toEqual(['secret.key']);
    expect(own('url')).toEqual(['step.login.shop']);
    expect(own('let', { row: 0 })).toEqual(['secret.key']);
  });
});

describe('putting one in', () => {
  const at = (caret: number, end = caret) => ({ start: caret, end });

  test('a token goes to the caret or in the place of what is selected, and never into another', () => {
    expect(withToken('a=', at(2), 'payment.amount')).toEqual({ text: 'a={payment.amount}', start: 18, end: 18 });
    expect(withToken('a=XX;', at(2, 4), 'call.id')).toEqual({ text: 'a={call.id};', start: 11, end: 11 });
    expect(withToken('{call.id}!', at(4), 'agent.name').text).toBe('{call.id}{agent.name}!');
  });

  test('a filter goes to the end of the token at the caret, its argument selected', () => {
    expect(withFilter('x{payment.amount}y', at(17), 'minor')).toEqual({ text: 'x{payment.amount|minor}y', start: 23, end: 23 });
    const edited = withFilter('{form.city|upper}', at(3), 'truncate:20');
    expect(edited.text).toBe('{form.city|upper|truncate:20}');
    expect(edited.text.slice(edited.start, edited.end)).toBe('20');
    expect(withFilter('no token', at(3), 'minor').text).toBe('no token');
  });

  test('braces of JSON and GraphQL are no tokens, nor is one that is escaped', () => {
    expect(tokenAt('{"a":1}', 3)).toBeUndefined();
    expect(tokenAt('query { id }', 9)).toBeUndefined();
    expect(tokenAt('\\{call.id}', 5)).toBeUndefined();
    expect(tokenAt('{"a":"{call.id|upper}"}', 21)).toMatchObject({ name: 'call.id', filters: ['upper'] });
    expect(tokenAt('{call.id}', 0)).toBeUndefined();
  });
});
