/** Configurations as texts: every preset is read and written again; credentials stay here. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import type { WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import { readText, textOf, withGateway } from './gateway-file';
import { toToml } from './toml';

const PRESETS = join(import.meta.dirname, '../../../crates/gateway/presets');
const presets = readdirSync(PRESETS).filter((name) => name.endsWith('.toml'));
const preset = (name: string) => readFileSync(join(PRESETS, name), 'utf8');

function draft(change: Partial<WidgetDraft['gateway'] & object> = {}): WidgetDraft {
  const blank = newWidget('credit_card_advanced', 'Card', true);
  return { ...blank, gateway: { ...blank.gateway!, service_url: 'https://gateway.example/pay', success_key: 'status', success_value: 'ok', ...change }, password: 'password-canary', secrets: { key: 'secret-canary' } };
}
const gatewayOf = (text: string) => {
  const read = readText(text);
  return 'gateway' in read ? read.gateway : expect.fail(JSON.stringify(read.failure));
};

describe('TOML', () => {
  test.each([['[gateway]\na = 1\na = 2', 3], ['a', 1], ['x = 1\na = "b', 2], ['[t]\n[t]', 2]])('%j is refused with its line', (text, line) => {
    expect(readText(text)).toEqual({ failure: { why: 'syntax', line } });
  });

  test('a number with a fraction, and a date, are of no member\'s shape', () => {
    for (const value of ['1.5', '2026-01-31']) expect(readText(`[gateway]\nservice_url = ${value}`)).toEqual({ failure: { why: 'shape', name: 'service_url' } });
  });

  test('what a case expects may be a table below it', () => {
    const text = '[gateway]\nsuccess_key = "a"\n[[gateway.more.cases]]\nname = "one"\nbody = "x"\n[gateway.more.cases.expected]\noutcome = "approved"';
    expect(gatewayOf(text).more.cases).toEqual([{ name: 'one', body: 'x', expected: { outcome: 'approved' } }]);
  });

  test('what is written is read the same, whatever is in it', () => {
    const table = { a: 'plain', b: 'with "quotes" and \\', c: "it's \"both\"\n\ttab\u0001", d: ['x', '{"a":1}'], e: { f: 1, g: true, rows: [{ name: 'a b', value: "'" }], 'odd key': { h: '' } }, empty: [] };
    expect(parseToml(toToml(table))).toEqual(table);
  });

  test('a name from a text never reaches what all objects share', () => {
    const read = parseToml('[__proto__]\npolluted = "yes"');
    expect(Object.hasOwn(read, '__proto__')).toBe(true);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});

describe('a configuration as a text', () => {
  test.each(presets)('%s is read, and the same again after it was written both ways', (name) => {
    const gateway = gatewayOf(preset(name));
    const widget = withGateway(draft(), gateway);
    for (const format of ['toml', 'json'] as const) {
      const again = gatewayOf(textOf(widget, format));
      const headers = gateway.request_headers.map(({ name, value }) => ({ name, value: value.includes('{') ? value : '' }));
      expect(again).toEqual({ ...gateway, request_headers: headers });
    }
  });

  test('there are presets', () => expect(presets.length).toBeGreaterThan(5));

  test('holds no credential', () => {
    const widget = draft({ auth_method: 'basic', request_headers: [{ name: 'X-Key', value: 'header-canary' }, { name: 'Digest', value: '{sign.digest}' }], more: { secrets: ['key'] } });
    for (const format of ['toml', 'json'] as const) {
      const text = textOf(widget, format);
      expect(text).not.toContain('canary');
      expect(text).toContain('{sign.digest}');
      expect(text).toContain('X-Key');
    }
  });

  test('has its saved cases with it', () => {
    const cases = [{ name: 'no funds', status: 402, headers: [{ name: 'a', value: 'b' }], body: '{"a":\n"it\'s"}', expected: { outcome: 'declined' as const, message: 'No', outputs: { code: '7' } } }];
    for (const format of ['toml', 'json'] as const) expect(gatewayOf(textOf(draft({ more: { cases } }), format)).more.cases, format).toEqual(cases);
  });

  test('has what is asked after the sale, without its credentials, and takes them from here again', () => {
    const inquire = { url: '/orders/{payment.reference}', method: 'GET' as const, success_key: 'state', success_value: 'ok', verdict: { also: [], unknown: [], review: [], declined: ['state = no'], error: [] }, reference_key: 'order', request_headers: [{ name: 'X-Key', value: 'header-canary' }, { name: 'X-Token', value: '{step.login.token}' }] };
    const widget = draft({ more: { operations: { inquire }, recovery: 'inquire' } });
    for (const format of ['toml', 'json'] as const) {
      const text = textOf(widget, format);
      expect(text).not.toContain('canary');
      const read = gatewayOf(text);
      expect(read.more.operations?.inquire?.request_headers?.[0], format).toEqual({ name: 'X-Key', value: '' });
      expect(withGateway(widget, read).gateway!.more, format).toEqual(widget.gateway!.more);
    }
  });

  test('has what stores, without its credentials, and takes them from here again', () => {
    const store = { url: '/vault', success_key: 'state', success_value: 'kept', request_params: [{ name: 'card', value: '{card.number}' }], request_headers: [{ name: 'X-Key', value: 'header-canary' }] };
    const widget = draft({ more: { store } });
    for (const format of ['toml', 'json'] as const) {
      const text = textOf(widget, format);
      expect(text).not.toContain('canary');
      expect(withGateway(widget, gatewayOf(text)).gateway!.more, format).toEqual(widget.gateway!.more);
    }
  });

  test('a header that was left out stays as it is here', () => {
    const here = draft({ request_headers: [{ name: 'X-Key', value: 'kept' }] });
    const read = gatewayOf('[gateway]\nservice_url = "https://b.example"\nread_timeout_ms = 9000\nrequest_headers = [{ name = "X-Key", value = "" }, { name = "X-New", value = "" }]');
    const next = withGateway(here, read);
    expect(next.gateway!.request_headers).toEqual([{ name: 'X-Key', value: 'kept' }, { name: 'X-New', value: '' }]);
    expect(next.numbers.read_timeout_ms).toBe('9000');
    expect([next.password, next.secrets]).toEqual([here.password, here.secrets]);
  });

  test.each([
    ['', { why: 'no_gateway' }],
    ['x = 1', { why: 'no_gateway' }],
    ['[gateway]\nx', { why: 'syntax', line: 2 }],
    ['{"gateway": {', { why: 'syntax', line: 1 }],
    ['[gateway]\nservice_ulr = "x"', { why: 'unknown', name: 'service_ulr' }],
    ['[gateway.more]\nbodi = "x"', { why: 'unknown', name: 'more.bodi' }],
    ['[gateway.more.verdict]\napproved = []', { why: 'unknown', name: 'more.verdict.approved' }],
    ['[gateway]\nservice_url = 1', { why: 'shape', name: 'service_url' }],
    ['[gateway]\nrequest_params = ["a"]', { why: 'shape', name: 'request_params' }],
    ['[gateway.more]\nmethod = "GET"', { why: 'shape', name: 'more.method' }],
    ['[gateway.more]\nsuccess_value = "APPROVED"', { why: 'shape', name: 'more.success_value' }],
    ['[gateway.more]\nsecrets = [{ name = "a", value = "secret" }]', { why: 'shape', name: 'more.secrets' }],
    ['[gateway.more]\ncases = [{ name = "a", body = "" }]', { why: 'shape', name: 'more.cases' }],
    ['[gateway.more.operations.charge]\nurl = "/x"', { why: 'unknown', name: 'more.operations.charge' }],
    ['[gateway.more.operations.void]\nulr = "/x"', { why: 'unknown', name: 'more.operations.ulr' }],
    ['[gateway.more.operations]\nvoid = "/x"', { why: 'shape', name: 'more.operations.void' }],
    ['[gateway.more.store]\nulr = "/x"', { why: 'unknown', name: 'more.store.ulr' }],
    ['[gateway.more.store]\nmethod = "GET"', { why: 'shape', name: 'more.store.method' }],
    ['[gateway.more]\nstore = "/x"', { why: 'shape', name: 'more.store' }],
    ['[gateway]\n__proto__ = "x"', { why: 'unknown', name: '__proto__' }],
    ['x'.repeat(200_001), { why: 'too_long' }],
  ] as const)('what is none says why: %.40s', (text, failure) => {
    expect(readText(text)).toEqual({ failure });
  });
});
