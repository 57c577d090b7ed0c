import { describe, expect, test } from 'vitest';
import type { More } from '../lib/api/types';
import type { WidgetDraft } from './desktop-form';
import { credentialsOf, formOf, lacksOf, newWidget, splitErrors, tabOfError } from './desktop-form';
import { briefOf, errorsIn, fieldsSet, fullOf, groupOfError } from './more-form';

const MORE: More = {
  method: 'PUT',
  request_format: 'name_value',
  body: '{"a":"{card.number}"}',
  body_form_field: 'xml',
  content_type: 'text/namevalue',
  constants: [{ name: 'merchant', value: 'M1' }],
  secrets: ['key', 'seed'],
  variables: [{ name: 'hash', value: '{secret.key}' }],
  signature: [{ name: 'digest', value: '{body.raw|sha256|b64}' }],
  auth_password: '{let.hash}',
  response_format: 'name_value',
  success_value: 'test',
  message_keys: ['text'],
  outputs: [{ name: 'id', value: 'a || b' }],
  verdict: { also: ['a = 1'], declined: ['b = 2', 'c exists'] },
};

describe('what stands behind More', () => {
  test('is the same after it was in the form, and empty if nothing is asked for', () => {
    expect(briefOf(fullOf(MORE))).toEqual(MORE);
    expect(briefOf(fullOf({}))).toEqual({});
    expect(briefOf(fullOf({ method: 'POST', body: '', constants: [], verdict: { also: [] }, response_format: 'response_type' }))).toEqual({});
  });

  test('is told by group, lists with their number', () => {
    expect(fieldsSet(MORE, 'request').map(({ name }) => name)).toEqual(['method', 'request_format', 'body', 'body_form_field', 'content_type']);
    expect(fieldsSet(MORE, 'values')).toEqual([{ name: 'constants', count: 1 }, { name: 'secrets', count: 2 }, { name: 'variables', count: 1 }]);
    expect(fieldsSet(MORE, 'verdict')).toEqual([{ name: 'success_value' }, { name: 'verdict', count: 3 }]);
    expect(fieldsSet({}, 'answer')).toEqual([]);
  });

  test('every error has its group, and its tab is the gateway’s', () => {
    const paths = { 'gateway.more.variables.1.value': 'values', 'gateway.more.body': 'request', 'gateway.more.verdict.declined.0': 'verdict', 'gateway.more.secrets.0': 'values', 'gateway_secrets.key': 'values', 'gateway.more.auth_password': 'password', 'gateway.more.outputs': 'answer' };
    for (const [path, group] of Object.entries(paths)) {
      expect([path, groupOfError(path)]).toEqual([path, group]);
      expect([path, tabOfError(path)]).toEqual([path, 'gateway']);
    }
    expect(groupOfError('gateway.request_params.0.name')).toBeUndefined();
    expect(tabOfError('gateway_password')).toBe('advanced');
    expect(errorsIn(Object.fromEntries(Object.keys(paths).map((path) => [path, 'wrong'])))).toEqual({ values: 3, request: 1, verdict: 1, password: 1, answer: 1 });
  });
});

describe('a widget with More', () => {
  const widget = (change: Partial<WidgetDraft> = {}): WidgetDraft => {
    const blank = newWidget('credit_card_advanced', 'Card', true);
    return { ...blank, gateway: { ...blank.gateway!, more: MORE }, secrets: { key: 'canary', seed: '', gone: 'other-canary' }, ...change };
  };

  test('sends what was typed for the secrets that it names, and nothing for the others', () => {
    expect(credentialsOf(widget())).toEqual({ gateway_secrets: { key: 'canary' } });
    expect(credentialsOf(widget({ secrets: {}, password: 'p' }))).toEqual({ gateway_password: 'p' });
    const form = formOf({ name: 'Sales', service: 'standard', layout: 'agent_panel', revision: 1, widgets: [widget()] });
    expect(form.widgets?.[0]).toMatchObject({ gateway: { more: MORE }, gateway_secrets: { key: 'canary' } });
    expect(JSON.stringify(form)).not.toContain('other-canary');
  });

  test('a gateway of which only More is filled in is kept', () => {
    expect(lacksOf(widget())).toEqual(['secret']);
    expect(lacksOf(widget({ secrets: { key: 'a' }, secretsSetAt: { seed: 1 } }))).toEqual([]);
    expect(lacksOf(newWidget('credit_card_advanced', 'Card', true))).toEqual(['gateway']);
  });

  test('needs no password where one is computed', () => {
    const { gateway } = widget();
    const basic = { ...gateway!, auth_method: 'basic' as const };
    expect(lacksOf(widget({ gateway: basic }))).toEqual(['secret']);
    expect(lacksOf(widget({ gateway: { ...basic, more: { body: 'x' } } }))).toEqual(['password']);
  });

  test('errors come under its own paths', () => {
    const draft = { name: 'Sales', service: 'standard' as const, layout: 'agent_panel' as const, revision: 1, widgets: [widget()] };
    const { widgets } = splitErrors(draft, [{ field: 'widgets[0].gateway.more.verdict.declined[1]', message: 'Character 3: …' }]);
    expect(widgets[draft.widgets[0]!.key]).toEqual({ 'gateway.more.verdict.declined.1': 'Character 3: …' });
  });
});
