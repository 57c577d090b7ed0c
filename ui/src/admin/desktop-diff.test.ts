import { createIntl } from 'react-intl';
import { describe, expect, test } from 'vitest';
import en from '../lib/i18n/en.json';
import type { Translate } from '../lib/i18n';
import { clashes, difference, merged } from './desktop-diff';
import type { DesktopDraft, WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';

const intl = createIntl({ locale: 'en', messages: en });
const t: Translate = (id, values) => intl.formatMessage({ id }, values);

const widget = (id: string, change: Partial<WidgetDraft> = {}): WidgetDraft => ({ ...newWidget('credit_card_advanced', id, true), id, card_types: ['visa'], ...change });
const base: DesktopDraft = { name: 'Sales', service: 'standard', layout: 'agent_panel', revision: 4, widgets: [widget('one'), widget('two')] };
const edit = (draft: DesktopDraft, id: string, change: Partial<WidgetDraft>): DesktopDraft => ({
  ...draft,
  widgets: draft.widgets.map((one) => (one.id === id ? { ...one, ...change } : one)),
});
const rows = (before: DesktopDraft, after: DesktopDraft) => difference(t, before, after).map(({ widget, name, before, after }) => [widget, name, before, after]);
/** Read again, every widget has another place in the form. */
const again = (draft: DesktopDraft): DesktopDraft => ({ ...draft, revision: 5, widgets: draft.widgets.map((one, place) => ({ ...one, key: `again-${place}` })) });

describe('the difference of two revisions', () => {
  test('is told field by field, in the words of the form', () => {
    const gateway = { ...base.widgets[0]!.gateway!, request_params: [{ name: 'pan', value: '{card.number}' }], auth_method: 'basic' as const };
    let after = edit(base, 'one', { title: 'Card', enabled: true, card_types: ['visa', 'discover'], gateway, password: 'secret-canary' });
    after = edit(after, 'two', { prompts: { ...base.widgets[1]!.prompts, expiry: 'The date.' }, numbers: { ...base.widgets[1]!.numbers, attempts_max: '5' } });
    const found = rows(base, { ...after, name: 'Sales US', layout: 'extended_panel' });
    expect(found).toEqual([
      ['', 'Name', 'Sales', 'Sales US'],
      ['', 'Layout', 'Agent Panel', 'Agent Panel + Extended Panel'],
      ['Card', 'Window Title', 'one', 'Card'],
      ['Card', 'Enabled', 'no', 'yes'],
      ['Card', 'Credit Card Types', 'Visa', 'Visa, Discover'],
      ['Card', 'Request Param Mapping', '', 'pan: {card.number}'],
      ['Card', 'Auth Method', 'None', 'Basic'],
      ['Card', 'Auth Password', '', 'a new password'],
      ['two', 'Expiry Text', base.widgets[1]!.prompts.expiry, 'The date.'],
      ['two', en['options.attempts_max'], '3', '5'],
    ]);
    expect(JSON.stringify(found)).not.toContain('secret-canary');
  });

  test('o13 o14 o15 tells what the agent is asked to type', () => {
    const [one] = base.widgets as [WidgetDraft];
    const demographic = one.options.demographic.slice(0, 2).map((input) => ({ ...input, prefill: 'caller_name' as const }));
    const payment = { ...one.options.payment, currencies: ['EUR'], amount_source: 'api' as const, amount_max: '500', fee: { label: 'Fee', percent_hundredths: 250, fixed: '1.00' }, arrangements: ['now' as const, 'plan' as const] };
    const found = rows(base, edit(base, 'one', { options: { ...one.options, demographic, payment, account_number_twice: true, sec_code: 'ccd' } }));
    expect(found.map(([, name, , after]) => [name, after])).toEqual([
      ['SEC code', 'Always CCD'],
      ['Account number is keyed twice', 'yes'],
      ['Demographic fields', 'First name, required, Caller’s name\nLast name, required, Caller’s name'],
      ['Currencies', 'EUR'],
      ['The amount', 'comes from the CRM only'],
      ['Largest amount', '500'],
      ['Fee', 'Fee, 2.5 %, 1.00'],
      ['The customer may', 'Pay now, Payment plan'],
    ]);
  });

  test('tells what a widget says in another language, a row each', () => {
    const { translations } = base.widgets[0]!;
    const german = { title: 'Kartenzahlung', prompts: { ...translations.de.prompts, expiry: 'Das Datum.' } };
    const [row, ...more] = rows(base, edit(base, 'one', { translations: { ...translations, de: german } }));
    expect(more).toEqual([]);
    expect(row?.slice(0, 2)).toEqual(['one', 'Deutsch']);
    expect(row?.[2]).not.toContain('Kartenzahlung');
    expect(row?.[3]?.split('\n')).toEqual(expect.arrayContaining(['Kartenzahlung', 'Das Datum.']));
  });

  test('tells what stands behind More, and of a secret only that there is a new one', () => {
    const [one] = base.widgets as [WidgetDraft];
    const more = { method: 'PUT' as const, body: '<a>{card.number}</a>', secrets: ['key'], variables: [{ name: 'hash', value: '{secret.key|sha256|hex}' }], verdict: { declined: ['a = 1', 'b = 2'] } };
    const after = edit(base, 'one', { gateway: { ...one.gateway!, more }, secrets: { key: 'secret-canary' } });
    expect(rows(base, after).map(([, name, before, now]) => [name, before, now])).toEqual([
      ['Method', '', 'PUT'],
      ['Text of the body', '', '<a>{card.number}</a>'],
      ['Secrets', '', 'key'],
      ['Values of secrets', '', 'key: a new value'],
      ['Computed values', '', 'hash: {secret.key|sha256|hex}'],
      ['Conditions', '', 'Declined: a = 1\nDeclined: b = 2'],
    ]);
    expect(JSON.stringify(rows(base, after))).not.toContain('secret-canary');
  });

  test('what is taken of More is one field, and what was never set goes again', () => {
    const [one] = base.widgets as [WidgetDraft];
    const start = edit(base, 'one', { gateway: { ...one.gateway!, more: { method: 'PUT', body: 'old' } } });
    const mine = edit(start, 'one', { gateway: { ...one.gateway!, more: { body: 'mine', secrets: ['key'] } }, secrets: { key: 'secret-canary' } });
    const theirs = edit(start, 'one', { gateway: { ...one.gateway!, more: { method: 'PUT', body: 'theirs' } } });
    const take = (...names: string[]) => merged(start, mine, again(theirs), (path) => names.some((name) => path === `one/${name}`)).widgets[0]!;
    expect(take('gateway.more.body').gateway!.more).toEqual({ method: 'PUT', body: 'mine' });
    expect(take('gateway.more.method').gateway!.more).toEqual({ body: 'theirs' });
    const both = take('gateway.more.secrets', 'secrets');
    expect([both.gateway!.more, both.secrets]).toEqual([{ method: 'PUT', body: 'theirs', secrets: ['key'] }, { key: 'secret-canary' }]);
  });

  test.each([
    ['o1', 'Security code', { security_code: 'optional' }, 'Required', 'Optional'],
    ['o2', 'Agent may hold to show the security code', { reveal_security_code: true }, 'no', 'yes'],
    ['o4', 'Card number shown', { card_number_shown: 'last_four' }, 'Full', 'Last four'],
    ['o5', 'Show brand and last four after Obtained', { show_brand_and_last_four: true }, 'no', 'yes'],
    ['o6', 'Expiry format', { expiry_format: 'mmyyyy' }, 'MMYY', 'MMYYYY'],
    ['o7', '* clears the field', { star_clears: false }, 'yes', 'no'],
    ['o7', '# ends the field', { pound_ends: false }, 'yes', 'no'],
    ['o11', 'Mute the customer while keying', { mute_while_keying: true }, 'no', 'yes'],
    ['o12', '30 s to process after hang-up', { process_after_hang_up: true }, 'no', 'yes'],
  ] as const)('%s names "%s" with what it was and is', (_row, name, option, was, is) => {
    const { options } = base.widgets[0]!;
    expect(rows(base, edit(base, 'one', { options: { ...options, ...option } }))).toEqual([['one', name, was, is]]);
  });

  test.each([
    ['o3', 'Hide values after (s)', 'hide_after_s', '60'],
    ['o8', 'First key time-out (s)', 'first_key_timeout_s', '60'],
    ['o8', 'Time-out between keys (s)', 'inter_key_timeout_s', '10'],
    ['o9', 'Attempts per field', 'attempts_max', '3'],
    ['o9', 'Process presses per capture', 'process_max', '3'],
    ['o10', 'Session limit (min)', 'session_limit_min', '10'],
  ] as const)('%s names "%s" with the number that it was and is', (_row, name, option, was) => {
    const { numbers } = base.widgets[0]!;
    expect(rows(base, edit(base, 'one', { numbers: { ...numbers, [option]: '11' } }))).toEqual([['one', name, was, '11']]);
  });

  test('names widgets that came, went and moved, and none of their fields', () => {
    const [one, two] = base.widgets as [WidgetDraft, WidgetDraft];
    expect(rows(base, { ...base, widgets: [two, one] })).toEqual([['', 'Order of the widgets', 'one, two', 'two, one']]);
    expect(rows(base, { ...base, widgets: [two, widget('three')] })).toEqual([
      ['three', 'Widget', '', 'on the desktop'],
      ['one', 'Widget', 'on the desktop', ''],
    ]);
    expect(rows(base, again(base))).toEqual([]);
  });
});

describe('two people changed the same desktop', () => {
  test('what only one of them changed is no question, what both changed is', () => {
    const mine = edit({ ...base, name: 'Mine' }, 'one', { title: 'My title' });
    const theirs = again(edit({ ...base, layout: 'extended_panel' }, 'one', { title: 'Their title', enabled: true }));
    const found = clashes(t, base, mine, theirs);
    expect(found.map(({ name, by, base: was, mine: my, theirs: their }) => [name, by, was, my, their])).toEqual([
      ['Name', 'me', 'Sales', 'Mine', 'Sales'],
      ['Layout', 'them', 'Agent Panel', 'Agent Panel', 'Agent Panel + Extended Panel'],
      ['Window Title', 'both', 'one', 'My title', 'Their title'],
      ['Enabled', 'them', 'no', 'no', 'yes'],
    ]);
    const wanted = (title: 'me' | 'them') => merged(base, mine, theirs, (path) => found.some((clash) => clash.path === path && (clash.by === 'both' ? title === 'me' : clash.by === 'me')));
    expect(wanted('me')).toMatchObject({ name: 'Mine', layout: 'extended_panel', revision: 5, widgets: [{ title: 'My title', enabled: true }, {}] });
    expect(wanted('them').widgets[0]?.title).toBe('Their title');
    expect(clashes(t, base, mine, again(mine))).toEqual([]);
  });

  test('texts in another language are merged as all else is', () => {
    const { translations } = base.widgets[0]!;
    const mine = edit(base, 'one', { translations: { ...translations, de: { title: 'Meiner', prompts: {} } } });
    const theirs = again(edit(base, 'one', { translations: { ...translations, fr: { title: 'Le leur', prompts: {} } } }));
    const both = merged(base, mine, theirs, (path) => path.endsWith('translations.de'));
    expect([both.widgets[0]?.translations.de.title, both.widgets[0]?.translations.fr.title]).toEqual(['Meiner', 'Le leur']);
  });

  test('nothing is lost when one removes what the other edits, or both add', () => {
    const mine = { ...edit(base, 'one', { title: 'My title' }), widgets: [...edit(base, 'one', { title: 'My title' }).widgets, newWidget('check_basic', 'Mine', false)] };
    const theirs = again({ ...base, widgets: [base.widgets[1]!, widget('three')] });
    const found = clashes(t, base, mine, theirs);
    expect(found.map(({ widget, name, by, mine: my, theirs: their }) => [widget, name, by, my, their])).toEqual([
      ['My title', 'Widget', 'both', 'edited', 'removed'],
      ['Mine', 'Widget', 'me', 'on the desktop', ''],
      ['three', 'Widget', 'them', '', 'on the desktop'],
    ]);
    const keep = (mineToo: boolean) => merged(base, mine, theirs, (path) => mineToo && path === 'one/').widgets.map(({ title, id }) => [title, id]);
    expect(keep(true)).toEqual([['two', 'two'], ['three', 'three'], ['My title', undefined], ['Mine', undefined]]);
    expect(keep(false)).toEqual([['two', 'two'], ['three', 'three'], ['Mine', undefined]]);
  });

  test('a widget that I removed stays removed unless they edited it and I take theirs', () => {
    const mine = { ...base, widgets: [base.widgets[1]!] };
    const theirs = again(edit(base, 'one', { title: 'Edited' }));
    expect(clashes(t, base, mine, theirs)).toMatchObject([{ path: 'one/', by: 'both', mine: 'removed', theirs: 'edited' }]);
    expect(merged(base, mine, theirs, () => false).widgets).toHaveLength(2);
    expect(merged(base, mine, theirs, () => true).widgets).toHaveLength(1);
    expect(clashes(t, base, mine, again(base))).toMatchObject([{ path: 'one/', by: 'me' }]);
  });

  test('my order is kept where I changed it', () => {
    const [one, two] = base.widgets as [WidgetDraft, WidgetDraft];
    const mine = { ...base, widgets: [two, one] };
    const theirs = again({ ...base, name: 'Theirs' });
    expect(clashes(t, base, mine, theirs).map(({ path, by }) => [path, by])).toEqual([['name', 'them'], ['order', 'me']]);
    expect(merged(base, mine, theirs, (path) => path === 'order').widgets.map(({ id }) => id)).toEqual(['two', 'one']);
  });
});
