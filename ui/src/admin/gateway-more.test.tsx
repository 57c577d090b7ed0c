/** More of the tab Payment Gateway Config: what is set is said, what is wrong is shown, every field goes into the draft. */
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, test } from 'vitest';
import type { More } from '../lib/api/types';
import { dateTimeText } from '../lib/i18n/format';
import { renderPage } from '../test-page';
import type { Errors, WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import GatewayMore from './gateway-more';
import { briefOperation, fullOperation } from './more-form';

const SET_AT = Date.UTC(2026, 10, 12);

function open(more: More, change: Partial<WidgetDraft> = {}, may = { messages: true, gateway: true, password: true }) {
  const blank = newWidget('credit_card_advanced', 'Card', true);
  let present: WidgetDraft = { ...blank, gateway: { ...blank.gateway!, more }, ...change };
  let tell: (errors: Errors) => void = () => {};
  function Held() {
    const [draft, setDraft] = useState(present);
    const [errors, setErrors] = useState<Errors>({});
    present = draft;
    tell = setErrors;
    return <GatewayMore draft={draft} errors={errors} onChange={(next) => setDraft({ ...draft, ...next })} may={may} responseVariables={{ allow: 'all' }} />;
  }
  renderPage(<Held />);
  return { more: () => present.gateway!.more, draft: () => present, tell: (errors: Errors) => act(() => tell(errors)) };
}

const head = (name: string) => screen.getByRole('button', { name });
const unfold = async (...names: string[]) => {
  for (const name of names) if (head(name).getAttribute('aria-expanded') !== 'true') await userEvent.click(head(name));
};
const box = (name: string) => screen.getByRole('textbox', { name });
const group = (name: string) => within(screen.getByRole('group', { name }));

describe('the heads', () => {
  test('nothing set: folded, and says so', () => {
    open({});
    expect(head('More')).toHaveAttribute('aria-expanded', 'false');
    expect(head('More')).toHaveAccessibleDescription(/^Nothing is set/);
  });

  test('say what is set, group by group', () => {
    open({ method: 'PUT', body: '{}', secrets: ['key', 'seed'], verdict: { declined: ['a = 1'] } });
    expect(head('More')).toHaveAttribute('aria-expanded', 'true');
    expect(head('More')).toHaveAccessibleDescription('Set: Request, Values, Verdict');
    expect(head('Request')).toHaveAccessibleDescription('Method, Text of the body');
    expect(head('Values')).toHaveAccessibleDescription('Secrets (2)');
    expect(head('Answer')).toHaveAttribute('aria-expanded', 'false');
  });

  test('open by themselves where something inside is wrong, and say how much', () => {
    const { tell } = open({ variables: [{ name: 'a', value: '' }, { name: 'b', value: '{secret.kex}' }] });
    tell({ 'gateway.more.variables.1.value': 'Character 1: {secret.kex} is not defined here.' });
    expect(head('More')).toHaveAttribute('aria-expanded', 'true');
    expect(head('Values')).toHaveAttribute('aria-expanded', 'true');
    expect(head('Request')).toHaveAttribute('aria-expanded', 'false');
    const [, second] = group('Computed values').getAllByRole('textbox', { name: 'Value' });
    expect(second).toHaveAttribute('aria-invalid', 'true');
    expect(second).toHaveAccessibleDescription('Character 1: {secret.kex} is not defined here.');
    expect(screen.getAllByText('1 error')).toHaveLength(2);
  });
});

describe('steps', () => {
  test('are added, moved and removed; what is as it is at first is not sent; an error stands at its field', async () => {
    const { more, tell } = open({ steps: [{ name: 'login', url: '/token', require: ['a exists'] }] });
    await unfold('Steps before the payment');
    await userEvent.click(screen.getByRole('button', { name: 'Add a step' }));
    const second = within(screen.getByRole('region', { name: 'Step 2: row 2' }));
    await userEvent.type(second.getByRole('textbox', { name: 'Name of the step' }), 'pm');
    expect(more().steps).toEqual([{ name: 'login', url: '/token', require: ['a exists'] }, { name: 'pm', url: '' }]);
    tell({ 'gateway.more.steps.1.url': 'Write a whole URL.' });
    expect(within(screen.getByRole('region', { name: 'Step 2: pm' })).getByRole('textbox', { name: 'URL of the step' })).toHaveAccessibleDescription(/Write a whole URL/);
    await userEvent.click(screen.getByRole('button', { name: 'Move pm up' }));
    expect(more().steps?.map(({ name }) => name)).toEqual(['pm', 'login']);
    await userEvent.click(screen.getByRole('button', { name: 'Remove pm' }));
    expect(more().steps).toEqual([{ name: 'login', url: '/token', require: ['a exists'] }]);
  });
});

describe('the fields', () => {
  test('the text of the body keeps its lines, and Tab leaves it', async () => {
    const { more } = open({});
    await unfold('More', 'Request');
    const body = box('Text of the body');
    await userEvent.click(body);
    await userEvent.paste('<a>\n\t{payment.amount}\n</a>');
    await userEvent.keyboard('{Enter}');
    expect(more()).toEqual({ body: '<a>\n\t{payment.amount}\n</a>\n' });
    await userEvent.tab();
    expect(body).not.toHaveFocus();
  });

  test('what is emptied again is not sent', async () => {
    const { more } = open({ content_type: 'x/y' });
    await unfold('Request');
    await userEvent.clear(box('Content-Type'));
    expect(more()).toEqual({});
  });

  test('conditions are lines; a wrong one is told with its line', async () => {
    const { more, tell } = open({});
    await unfold('More', 'Verdict');
    await userEvent.click(box('Declined'));
    await userEvent.paste('a = 1\n\n b ~ \n');
    expect(more()).toEqual({ verdict: { declined: ['a = 1', 'b ~'] } });
    tell({ 'gateway.more.verdict.declined.1': 'Character 3: no pattern.' });
    expect(box('Declined')).toHaveAccessibleDescription(/Line 3: Character 3: no pattern\./);
    expect(screen.getByRole('list', { name: /The order in which/ }).children).toHaveLength(4);
  });

  test('computed values are moved and removed by buttons; the focus stays, the move is said', async () => {
    const { more } = open({ variables: ['one', 'two', 'three'].map((name) => ({ name, value: '' })) });
    await unfold('Values');
    const names = () => more().variables!.map(({ name }) => name);
    await userEvent.click(screen.getByRole('button', { name: 'Move two up' }));
    expect(names()).toEqual(['two', 'one', 'three']);
    expect(screen.getByText('two is now at place 1 of 3')).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole('button', { name: 'Move two down' })).toHaveFocus());
    await userEvent.keyboard('{Enter}');
    expect(names()).toEqual(['one', 'two', 'three']);
    await userEvent.click(screen.getByRole('button', { name: 'Remove three' }));
    expect(names()).toEqual(['one', 'two']);
    await waitFor(() => expect(group('Computed values').getAllByRole('textbox', { name: 'Name' })[1]).toHaveFocus());
    await userEvent.click(screen.getByRole('button', { name: 'Add: Computed values' }));
    await waitFor(() => expect(group('Computed values').getAllByRole('textbox', { name: 'Name' })[2]).toHaveFocus());
  });
});

describe('secrets', () => {
  test('one that is set says since when, and another goes in its place', async () => {
    const { draft } = open({ secrets: ['key', 'seed'] }, { secretsSetAt: { key: SET_AT } });
    await unfold('Values');
    expect(screen.getByText(`Set on ${dateTimeText(SET_AT)}`)).toBeVisible();
    expect(group('Secrets').getAllByLabelText('Secret value')).toHaveLength(1);
    await userEvent.click(screen.getByRole('button', { name: 'Replace key' }));
    const [key] = group('Secrets').getAllByLabelText('Secret value') as [HTMLInputElement];
    expect([key.type, key.value]).toEqual(['password', '']);
    await waitFor(() => expect(key).toHaveFocus());
    await userEvent.type(key, 'canary');
    expect(draft().secrets).toEqual({ key: 'canary' });
    expect(JSON.stringify(draft().gateway)).not.toContain('canary');
  });

  test('what is wrong with the name is told there, everything else at the value, which can be typed then', () => {
    const { tell } = open({ secrets: ['key', 'Seed'] }, { secretsSetAt: { key: SET_AT } });
    tell({ 'gateway.more.secrets.0': 'The host has changed; enter it again.', 'gateway.more.secrets.1': 'A name begins with a small letter.' });
    const [key] = group('Secrets').getAllByLabelText('Secret value');
    expect(key).toHaveAccessibleDescription(/The host has changed/);
    const [, seed] = group('Secrets').getAllByRole('textbox', { name: 'Name' });
    expect(seed).toHaveAccessibleDescription('A name begins with a small letter.');
  });

  test('a typed value follows its name', async () => {
    const { draft } = open({});
    await unfold('More', 'Values');
    await userEvent.click(screen.getByRole('button', { name: 'Add: Secrets' }));
    await userEvent.type(group('Secrets').getByLabelText('Secret value'), 'canary');
    await userEvent.type(group('Secrets').getByRole('textbox', { name: 'Name' }), 'api_key');
    expect([draft().gateway!.more.secrets, draft().secrets]).toEqual([['api_key'], { api_key: 'canary' }]);
  });

  test('without the right, neither values nor names can be changed', async () => {
    open({ secrets: ['key'], body: 'x' }, {}, { messages: true, gateway: false, password: false });
    await unfold('Values', 'Request');
    expect(group('Secrets').getByLabelText('Secret value')).toBeDisabled();
    expect(box('Text of the body')).toBeDisabled();
    expect(screen.getByRole('button', { name: 'Add: Secrets' })).toBeDisabled();
  });
});

describe('the configuration as a text', () => {
  const openFile = async () => {
    await userEvent.click(await screen.findByRole('button', { name: 'Import or export' }));
    return within(await screen.findByRole('dialog', { name: 'Import or export' }));
  };

  test('is taken out as TOML or JSON, without what was typed as a secret', async () => {
    open({ secrets: ['key'], body: 'x' }, { secrets: { key: 'canary' }, password: 'canary' });
    const sheet = await openFile();
    const text = () => (sheet.getByRole('textbox', { name: 'Configuration' }) as HTMLTextAreaElement).value;
    expect(text()).toBe('[gateway.more]\nbody = "x"\nsecrets = ["key"]\n');
    await userEvent.click(sheet.getByRole('radio', { name: 'JSON' }));
    expect(JSON.parse(text())).toEqual({ gateway: { more: { body: 'x', secrets: ['key'] } } });
    expect(sheet.queryByRole('button', { name: 'Take over' })).toBeNull();
  });

  test('is taken in once it is seen what it changes', async () => {
    const { draft, more } = open({ body: 'old' });
    const sheet = await openFile();
    await userEvent.click(sheet.getByRole('radio', { name: 'Take one in' }));
    const text = sheet.getByRole('textbox', { name: 'Configuration' });
    await userEvent.click(text);
    await userEvent.paste('[gateway]\nservice_url = "https://b.example/pay"\nsuccess_kye = "x"');
    expect(text).toHaveAccessibleDescription('success_kye is not known.');
    expect(sheet.getByRole('button', { name: 'Take over' })).toBeDisabled();
    await userEvent.clear(text);
    await userEvent.paste('[gateway]\nservice_url = "https://b.example/pay"\nread_timeout_ms = 9000\n[gateway.more]\nbody = "new"');
    expect(sheet.getByText('It changes 3 fields')).toBeVisible();
    expect(sheet.getByRole('row', { name: /Text of the body old new/ })).toBeVisible();
    expect(more()).toEqual({ body: 'old' });
    await userEvent.click(sheet.getByRole('button', { name: 'Take over' }));
    expect(screen.queryByRole('dialog')).toBeNull();
    expect([draft().gateway!.service_url, draft().numbers.read_timeout_ms, more()]).toEqual(['https://b.example/pay', '9000', { body: 'new' }]);
  });

  test('a file is read', async () => {
    open({ body: 'old' });
    const sheet = await openFile();
    await userEvent.click(sheet.getByRole('radio', { name: 'Take one in' }));
    const input = document.querySelector<HTMLInputElement>('input[type="file"]')!;
    await userEvent.upload(input, new File(['{"gateway":{"success_key":"status"}}'], 'gateway.json', { type: 'application/json' }));
    expect(await sheet.findByText('It changes 2 fields')).toBeVisible();
  });
});

test('a store is written as the payment is, has no key of a reference, and is removed again', async () => {
  const { more } = open({ constants: [{ name: 'shop', value: '7' }] });
  await unfold('More', 'Card stored for later');
  expect(screen.getByText(/^Nothing is stored/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Add: Store' }));
  expect(more().store).toEqual({ url: '', success_key: '', success_value: '' });
  const store = within(screen.getByRole('region', { name: 'Store' }));
  expect(store.queryByRole('textbox', { name: 'Key of the reference in this answer' })).toBeNull();
  await userEvent.click(store.getByRole('textbox', { name: 'Text of the body' }));
  await userEvent.paste('{card.number}');
  expect(more().store).toEqual({ url: '', success_key: '', success_value: '', body: '{card.number}' });
  expect(head('Card stored for later')).toHaveAccessibleDescription('Card stored for later');
  await userEvent.click(store.getByRole('button', { name: 'Remove Store' }));
  expect(more().store).toBeUndefined();
});

test('what is wrong with a store is told at its field', () => {
  const { tell } = open({ store: { url: '/vault', success_key: 'a', success_value: 'b' } });
  tell({ 'gateway.more.store.url': 'Say how plans are set up.' });
  expect(within(screen.getByRole('region', { name: 'Store' })).getByRole('textbox', { name: 'URL of the request' })).toHaveAccessibleDescription(/Say how plans are set up\./);
});

describe('after the payment', () => {
  const region = (name: string) => within(screen.getByRole('region', { name }));
  const type = async (place: ReturnType<typeof within>, name: string, text: string) => {
    await userEvent.click(place.getByRole('textbox', { name }));
    await userEvent.paste(text);
  };

  test('a refund is added, and only what is set is stored', async () => {
    const { more } = open({});
    await unfold('More', 'After the payment');
    expect(screen.getByText('Nothing is asked afterwards.')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Add: Refund' }));
    expect(screen.queryByRole('button', { name: 'Add: Refund' })).toBeNull();
    expect(more().operations).toEqual({ refund: { url: '', success_key: '', success_value: '' } });
    const refund = region('Refund');
    await type(refund, 'URL of the request', '/refunds');
    await userEvent.click(refund.getByRole('button', { name: 'Add: Parameters of the request' }));
    const params = within(refund.getByRole('group', { name: 'Parameters of the request' }));
    await type(params, 'Name', 'amount');
    await type(params, 'Value', '{payment.amount}');
    await type(refund, 'Success key of this answer', 'state');
    await type(refund, 'Success value of this answer', 'done');
    await type(refund, 'Message key of this answer', 'why');
    await type(refund, 'Held for review', 'state = pending');
    expect(more().operations).toEqual({
      refund: { url: '/refunds', success_key: 'state', success_value: 'done', request_params: [{ name: 'amount', value: '{payment.amount}' }], agent_message_key: 'why', verdict: { review: ['state = pending'] } },
    });
    expect(head('After the payment')).toHaveAccessibleDescription('Asked after the sale (1)');
  });

  test('an inquiry is asked by GET at first and stands before a void, which cannot be', async () => {
    const { more } = open({ operations: { void: { url: '/void', success_key: 'a', success_value: 'b' } } });
    await unfold('More', 'After the payment');
    await userEvent.click(screen.getByRole('button', { name: 'Add: Inquiry' }));
    expect(Object.keys(more().operations ?? {})).toEqual(['inquire', 'void']);
    expect(more().operations?.inquire?.method).toBe('GET');
    expect(region('Inquiry').getByRole('textbox', { name: 'Key of the reference in this answer' })).toBeRequired();
    await userEvent.click(region('Void').getByRole('button', { name: /Method$/ }));
    expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['POST', 'PUT']);
    await userEvent.keyboard('{Escape}');
    await userEvent.click(region('Void').getByRole('button', { name: 'Remove Void' }));
    expect(Object.keys(more().operations ?? {})).toEqual(['inquire']);
  });

  test('what is wrong is told at its field, which opens by itself', async () => {
    const { tell } = open({ operations: { refund: { url: '/r', success_key: 'a', success_value: 'b', request_params: [{ name: 'x', value: '{card.number}' }] } } });
    tell({ 'gateway.more.operations.refund.request_params.0.value': 'Character 1: the card is gone.', 'gateway.more.operations.refund.url': 'Name the charge.', 'gateway.more.operations.refund.verdict.review.0': 'No condition.' });
    const refund = region('Refund');
    expect(refund.getByRole('textbox', { name: 'URL of the request' })).toHaveAccessibleDescription(/Name the charge\./);
    expect(refund.getByRole('textbox', { name: 'Value' })).toHaveAttribute('aria-invalid', 'true');
    expect(refund.getByText('Character 1: the card is gone.')).toBeVisible();
  });

  test('everything of one goes in and comes back', () => {
    const whole = {
      url: '/void/{payment.reference}', method: 'PUT' as const, request_type: 'application/xml' as const, response_type: 'application/json' as const, body: '<a/>', request_headers: [{ name: 'X-A', value: '{secret.k}' }],
      success_key: 'a', success_value: 'b|c', success_value_meaning: 'test' as const, agent_message_key: 'm', message_keys: ['n'], outputs: [{ name: 'id', value: 'id' }], reference_key: 'ref',
    };
    expect(briefOperation(fullOperation(whole))).toEqual(whole);
    const conditions = { ...fullOperation(whole), verdict: { also: [], unknown: [], review: [], declined: [], error: ['e exists'] } };
    expect(briefOperation(conditions)).toEqual({ ...whole, verdict: { error: ['e exists'] } });
  });
});

describe('the list of tokens', () => {
  const openList = async (field: string) => {
    await userEvent.click(await screen.findByRole('button', { name: `Insert a token: ${field}` }));
    return within(await screen.findByRole('dialog', { name: `Insert a token: ${field}` }));
  };

  test('is searched by typing, and Enter puts the token at the caret', async () => {
    const { more } = open({ body: 'a=;b' });
    await unfold('Request');
    const body = box('Text of the body') as HTMLTextAreaElement;
    await userEvent.click(body);
    body.setSelectionRange(2, 2);
    const list = await openList('Text of the body');
    expect(list.getByRole('searchbox')).toHaveFocus();
    await userEvent.keyboard('smallest');
    expect(list.getAllByRole('option')).toHaveLength(1);
    expect(list.getByRole('status')).toHaveTextContent('1 entry');
    await userEvent.keyboard('{Enter}');
    expect(more().body).toBe('a={payment.amount_minor};b');
    await waitFor(() => expect(body).toHaveFocus());
    expect(body.selectionStart).toBe('a={payment.amount_minor}'.length);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  test('behind a token it begins with what fits that token', async () => {
    const { more } = open({ body: 'a={payment.amount}' });
    await unfold('Request');
    await userEvent.click(box('Text of the body'));
    const list = await openList('Text of the body');
    const options = list.getAllByRole('option').map((option) => option.textContent);
    expect(options[0]).toMatch(/^\|minor/);
    expect(options.some((text) => text.startsWith('|upper'))).toBe(false);
    await userEvent.click(list.getAllByRole('option')[0]!);
    expect(more().body).toBe('a={payment.amount|minor}');
  });

  test('has what may stand in its place only, and this gateway’s own names', async () => {
    open({ constants: [{ name: 'merchant', value: 'M1' }], signature: [{ name: 'digest', value: '' }] });
    await unfold('Signature');
    const list = await openList('digest');
    const options = list.getAllByRole('option').map((option) => option.textContent);
    expect(options.some((text) => text.startsWith('{cfg.merchant}'))).toBe(true);
    expect(options.some((text) => text.startsWith('{body.raw}'))).toBe(true);
    expect(options.some((text) => text.startsWith('{card.number}'))).toBe(false);
  });
});
