/** Preview request and Test gateway: what is asked of the server, and what is said of its answer. */
import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Judgement, PreviewView, TestView } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import type { WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import GatewayTrial from './gateway-trial';

afterEach(() => vi.unstubAllGlobals());

function draft(change: Partial<WidgetDraft> = {}): WidgetDraft {
  const blank = newWidget('credit_card_advanced', 'Payment', true);
  const gateway = { ...blank.gateway!, service_url: 'https://gateway.example:8443/charge', success_key: 'status', success_value: 'APPROVED', agent_message_key: 'text', auth_method: 'basic' as const, auth_user_name: 'm' };
  return { ...blank, id: 'w1', card_types: ['mastercard', 'visa'], gateway, ...change };
}

function open(what: 'preview' | 'test', widget = draft()) {
  const onErrors = vi.fn();
  const onCase = vi.fn();
  renderPage(<GatewayTrial what={what} draft={widget} desktop="d1" onErrors={onErrors} onCase={onCase} onClose={vi.fn()} />);
  return { onErrors, onCase, dialog: within(screen.getByRole('dialog')) };
}

const shown = (text: string, hidden = false) => ({ text, hidden });
const PREVIEW: PreviewView = {
  request: {
    method: 'POST',
    url: 'https://gateway.example:8443/charge',
    headers: [
      { name: 'Content-Type', value: [shown('application/json')] },
      { name: 'Authorization', value: [shown('Basic '), shown('••••••', true)] },
    ],
    body: [shown('{"cardNumber":"'), shown('••••••••••••4444', true), shown('"}')],
  },
  host_approved: false,
  credential: 'other_host',
};
const JUDGED: Judgement = {
  outcome: 'declined', rule: 'declined', status: 402, key: 'not_equal', path: 'result.status', value: 'NO', message: 'No funds', message_from: 'answer', outputs: [], other_type: 'text/html',
};
const view = (result: TestView['result']): TestView => ({ host: 'gateway.example:8443', result });

describe('Preview request', () => {
  test('c23 shows the request in its order with what is hidden, and asks without a password', async () => {
    const requests = fakeServer(() => ({ json: PREVIEW }));
    const { dialog } = open('preview', draft({ password: 'typed-canary' }));
    expect(await dialog.findByText(/^POST https/)).toHaveTextContent('POST https://gateway.example:8443/charge Content-Type: application/json Authorization: Basic •••••• {"cardNumber":"••••••••••••4444"}');
    expect(dialog.getByText('••••••••••••4444').tagName).toBe('MARK');
    expect(dialog.getByText('It would carry the password that you typed.')).toBeVisible();
    expect(dialog.getByText(/waits for approval/)).toBeVisible();
    expect(requests[0]).toMatchObject({ path: '/gateway/preview', body: { desktop: 'd1', widget: 'w1', kind: 'credit_card_advanced', with: 'mastercard', currency: 'USD', gateway: { success_key: 'status', read_timeout_ms: 45_000 } } });
    expect(JSON.stringify(requests)).not.toContain('canary');
  });

  test('the copy is what is shown', async () => {
    const user = userEvent.setup();
    fakeServer(() => ({ json: PREVIEW }));
    const { dialog } = open('preview');
    await user.click(await dialog.findByRole('button', { name: 'Copy request' }));
    expect(await navigator.clipboard.readText()).toBe('POST https://gateway.example:8443/charge\nContent-Type: application/json\nAuthorization: Basic ••••••\n\n{"cardNumber":"••••••••••••4444"}');
    expect(dialog.getByText('Copied.')).toBeVisible();
    expect(dialog.getByText(/entered for another host/)).toBeVisible();
  });

  test('another card is another request; a check has the account only', async () => {
    const requests = fakeServer(() => ({ json: PREVIEW }));
    const { dialog } = open('preview');
    await userEvent.click(dialog.getByRole('button', { name: /Paid with/ }));
    await userEvent.click(screen.getByRole('option', { name: 'Visa test card' }));
    await waitFor(() => expect(requests.at(-1)?.body).toMatchObject({ with: 'visa' }));
  });

  test('what saving would refuse is told here and to the form', async () => {
    fakeServer(() => ({ status: 422, json: { title: 'Some fields are wrong', status: 422, code: 'invalid', errors: [{ field: 'gateway.request_params[0].name', message: 'A name, please.' }] } }));
    const { dialog, onErrors } = open('preview');
    expect(await dialog.findByText('A name, please.')).toBeVisible();
    expect(onErrors).toHaveBeenCalledWith({ 'gateway.request_params.0.name': 'A name, please.' });
  });

  test('an answer that is pasted is judged, with the reason and the message', async () => {
    const requests = fakeServer(({ path }) => ({ json: path === '/gateway/verdict' ? JUDGED : PREVIEW }));
    const { dialog } = open('preview');
    await userEvent.clear(dialog.getByRole('textbox', { name: 'HTTP status' }));
    await userEvent.type(dialog.getByRole('textbox', { name: 'HTTP status' }), '402');
    await userEvent.click(dialog.getByRole('textbox', { name: 'Body of the answer' }));
    await userEvent.paste('{"result":{"status":"NO"}}');
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    expect(await dialog.findByText('Status 402, and result.status is “NO”, not “APPROVED”.')).toBeVisible();
    expect(dialog.getByText('Declined')).toBeVisible();
    expect(dialog.getByText('The agent would read: “No funds”')).toBeVisible();
    expect(dialog.getByText(/says Content-Type text\/html/)).toBeVisible();
    expect(requests.at(-1)?.body).toMatchObject({ status: 402, content_type: '', body: '{"result":{"status":"NO"}}' });
  });

  test('an operation is chosen: its request is shown, and an answer to it is judged by its rules and kept as one to it', async () => {
    const operations = { refund: { url: '/refunds', success_key: 'state', success_value: 'done', agent_message_key: 'why' }, inquire: { url: '/x', success_key: 'state', success_value: 'done', reference_key: 'ref' } };
    const { headers, body } = PREVIEW.request;
    const shownOnes = [{ kind: 'inquire' as const, method: 'GET', url: 'https://gateway.example/x', headers, body: [] }, { kind: 'refund' as const, method: 'POST', url: 'https://gateway.example/refunds', headers, body }];
    const judged: Judgement = { ...JUDGED, outcome: 'unknown', rule: 'key_missing', reference: { key: 'ref', value: null } };
    const requests = fakeServer(({ path }) => ({ json: path === '/gateway/verdict' ? judged : { ...PREVIEW, request: { ...PREVIEW.request, operations: shownOnes } } }));
    const blank = draft();
    const { dialog, onCase } = open('preview', { ...blank, gateway: { ...blank.gateway!, more: { operations } } });
    await dialog.findByText(/^POST https:\/\/gateway.example:8443\/charge/);
    await userEvent.click(dialog.getByRole('button', { name: /What is asked/ }));
    expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['Payment', 'Inquiry', 'Refund']);
    await userEvent.click(screen.getByRole('option', { name: 'Refund' }));
    expect(await dialog.findByText(/^POST https:\/\/gateway.example\/refunds/)).toBeVisible();
    expect(dialog.queryByText(/8443\/charge/)).toBeNull();
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    expect(await dialog.findByText(/^The payment’s reference does not stand exactly once at ref/)).toBeVisible();
    expect(requests.at(-1)?.body).toMatchObject({ operation: 'refund' });
    await userEvent.type(dialog.getByRole('textbox', { name: 'Name of the case' }), 'gone');
    await userEvent.click(dialog.getByRole('button', { name: 'Keep as a case' }));
    expect(onCase).toHaveBeenCalledWith(expect.objectContaining({ name: 'gone', operation: 'refund' }));
  });

  test('a debit of the SEC code TEL that nobody authorises here is warned of', async () => {
    fakeServer(() => ({ json: PREVIEW }));
    const check = { ...newWidget('check_advanced', 'Debit', true), id: 'w1' };
    const warning = /^Debits of the SEC code TEL need/;
    const gateway = { ...check.gateway!, service_url: 'https://gateway.example/debit' };
    for (const [options, warned] of [[check.options, true], [{ ...check.options, sec_code: 'ppd' as const }, false], [{ ...check.options, authorisation: { ...check.options.authorisation, rule: 'recording' as const } }, false]] as const) {
      const { dialog } = open('preview', { ...check, gateway, options });
      await dialog.findByText(/^POST https/);
      expect(dialog.queryAllByText(warning)).toHaveLength(warned ? 1 : 0);
      cleanup();
    }
  });

  test('a judged answer is kept as a case under a name of its own, until it is changed', async () => {
    const outputs = [{ name: 'code', value: '7', path: 'd.code' }];
    fakeServer(({ path }) => ({ json: path === '/gateway/verdict' ? { ...JUDGED, outputs } : PREVIEW }));
    const blank = draft();
    const kept = { name: 'taken', status: 200, headers: [], body: '', expected: { outcome: 'approved' as const, message: '', outputs: {} } };
    const { dialog, onCase } = open('preview', { ...blank, gateway: { ...blank.gateway!, more: { cases: [kept] } } });
    await userEvent.type(dialog.getByRole('textbox', { name: 'Content-Type' }), 'text/html');
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    const name = await dialog.findByRole('textbox', { name: 'Name of the case' });
    await userEvent.type(name, 'taken');
    expect(dialog.getByText('There is a case of this name.')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Keep as a case' })).toBeDisabled();
    await userEvent.type(name, ' 2');
    await userEvent.click(dialog.getByRole('button', { name: 'Keep as a case' }));
    expect(onCase).toHaveBeenCalledWith({ name: 'taken 2', status: 200, headers: [{ name: 'content-type', value: 'text/html' }], body: '', expected: { outcome: 'declined', message: 'No funds', outputs: { code: '7' } } });
    expect(dialog.getByText('taken 2 is kept with the gateway; Save stores it.')).toBeVisible();
    await userEvent.type(dialog.getByRole('textbox', { name: 'HTTP status' }), '0');
    expect(dialog.queryByRole('textbox', { name: 'Name of the case' })).toBeNull();
  });

  test('the condition that decided, where things were found and what is kept are told', async () => {
    const condition = { list: 'declined' as const, line: 'code = 2', path: 'd.code', value: '2' };
    const outputs = [{ name: 'transaction_id', value: '40000000002', path: 'd.transId' }];
    let judged: Judgement = { ...JUDGED, rule: 'declined_fits', condition, message_path: 'd.errors[0].text', outputs };
    fakeServer(({ path }) => ({ json: path === '/gateway/verdict' ? judged : PREVIEW }));
    const { dialog } = open('preview');
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    expect(await dialog.findByText('“code = 2” fits, which here means declined.')).toBeVisible();
    expect(dialog.getByText('d.code is “2”.')).toBeVisible();
    expect(dialog.getByText('Found at d.errors[0].text.')).toBeVisible();
    expect(dialog.getByRole('listitem')).toHaveTextContent('transaction_id: “40000000002”, from d.transId');
    judged = { ...JUDGED, outcome: 'unknown', rule: 'also_broken', value: 'APPROVED', condition: { list: 'also', line: 'charge_id exists' } };
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    expect(await dialog.findByText(/but “charge_id exists” does not hold: the answer contradicts itself/)).toBeVisible();
    expect(dialog.getByText('Its key is not in the answer, there more than once, or holds other keys.')).toBeVisible();
  });

  test('what is wrong with a pasted answer is said at its field', async () => {
    const wrong = { title: '', status: 422, code: 'invalid', errors: [{ field: 'body', message: 'Leave out card numbers.' }] };
    fakeServer(({ path }) => (path === '/gateway/verdict' ? { status: 422, json: wrong } : { json: PREVIEW }));
    const { dialog } = open('preview');
    await userEvent.click(dialog.getByRole('button', { name: 'Judge' }));
    expect(await dialog.findByText('Leave out card numbers.')).toBeVisible();
    expect(dialog.getByRole('textbox', { name: 'Body of the answer' })).toHaveAccessibleDescription(/Leave out card numbers/);
  });
});

describe('Test gateway', () => {
  test('c23 says that it is real, sends what was typed, and waits until it has ended', async () => {
    const sent = view({ state: 'sent', judgement: { ...JUDGED, outcome: 'approved', rule: 'approved', status: 200, value: 'APPROVED', other_type: null }, why: null, excerpt: '{"status":"APPROVED"}', connected_ms: 84, head_ms: 328, ended_ms: 330 });
    const answers = [view({ state: 'under_way' }), view({ state: 'under_way' }), sent];
    const requests = fakeServer(() => ({ json: answers.shift() }));
    const { dialog } = open('test', draft({ password: 'typed-canary' }));
    expect(dialog.getByText(/This is a real request to gateway\.example:8443 with a test card, for 1\.00 USD/)).toBeVisible();
    expect(requests).toEqual([]);
    await userEvent.click(dialog.getByRole('button', { name: 'Send test' }));
    expect(await dialog.findByText('Status 200, and result.status is “APPROVED”.')).toBeVisible();
    expect(dialog.getByText('Connected in 84 ms, answer began after 328 ms, complete after 330 ms.')).toBeVisible();
    expect(dialog.getByText('{"status":"APPROVED"}')).toBeVisible();
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /gateway/test', 'GET /gateway/test', 'GET /gateway/test']);
    expect(requests[0]?.body).toMatchObject({ gateway_password: 'typed-canary' });
  });

  test('what was not sent says why, what to do, and the detail', async () => {
    fakeServer(() => ({ json: view({ state: 'not_sent', reason: 'host_not_approved', detail: 'gateway.example has the address 10.0.0.1' }) }));
    const { dialog } = open('test', draft({ kind: 'check_advanced' }));
    expect(dialog.getByText(/with a test account/)).toBeVisible();
    await userEvent.click(dialog.getByRole('button', { name: 'Send test' }));
    expect(await dialog.findByText('Nothing was sent.')).toBeVisible();
    expect(dialog.getByText(/An operator allows it/)).toBeVisible();
    expect(dialog.getByText('gateway.example has the address 10.0.0.1')).toBeVisible();
  });

  test('too many tests are told in words', async () => {
    fakeServer(() => ({ status: 429, json: { title: 'Too many gateway tests; wait a moment', status: 429, code: 'too_many_tests' } }));
    const { dialog } = open('test');
    await userEvent.click(dialog.getByRole('button', { name: 'Send test' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent('Too many gateway tests');
  });
});
