import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { ServiceCall } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import ServiceCallsPage from './service-calls-page';

afterEach(() => {
  vi.unstubAllGlobals();
  window.history.replaceState(null, '', '/');
});

const FREE: ServiceCall = { id: 'call-1', service: 'sales', service_name: 'Sales', state: 'connected', caller: '…100', began_at: 5, agent: null, agent_name: null };
const TAKEN: ServiceCall = { ...FREE, id: 'call-2', caller: '', agent: 'u2', agent_name: 'Jane Roe' };

/** A server with these calls that answers a pick so. */
const serverOf = (calls: ServiceCall[], picked: { status?: number; json?: unknown } = {}) => fakeServer(({ method }) => (method === 'GET' ? { json: { calls } } : picked));

test('calls are listed by last digits, since when, and who has them', async () => {
  serverOf([FREE, TAKEN]);
  renderPage(<ServiceCallsPage login={loginOf('call.pick')} />);
  const free = await screen.findByRole('row', { name: /…100/ });
  expect(within(free).getByText('Nobody')).toBeVisible();
  expect(within(free).getByText('Sales')).toBeVisible();
  const taken = screen.getByRole('row', { name: /Number not shown/ });
  expect(within(taken).getByText('Jane Roe')).toBeVisible();
  expect(screen.queryByRole('button', { name: /^Take the call/ })).toBeNull();
});

test('whoever takes calls takes one that nobody has, and is at their own page then', async () => {
  const requests = serverOf([FREE, TAKEN]);
  window.history.replaceState(null, '', '/calls');
  renderPage(<ServiceCallsPage login={loginOf('call.pick', 'capture.start')} />);
  const takes = await screen.findAllByRole('button', { name: /^Take the call/ });
  expect(takes.map((button) => button.getAttribute('aria-label'))).toEqual(['Take the call …100']);
  await userEvent.click(takes[0]!);
  await waitFor(() => expect(window.location.pathname).toBe('/'));
  const sent = requests.find(({ method }) => method === 'POST');
  expect([sent?.path, sent?.body]).toEqual(['/calls/call-1/pick', {}]);
});

test('a call is given to somebody, and taken away only where that was said', async () => {
  const requests = serverOf([FREE, TAKEN]);
  renderPage(<ServiceCallsPage login={loginOf('call.pick')} />);
  const give = async (name: string) => {
    await userEvent.click(await screen.findByRole('button', { name }));
    await userEvent.type(screen.getByRole('textbox', { name: 'Login name of the agent' }), ' a.kim ');
  };
  await give('Give the call …100 to an agent');
  expect(screen.queryByText(/loses it/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Give it' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await give('Give the call Number not shown to an agent');
  expect(screen.getByText(/Jane Roe has this call and loses it/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Take it away and give it' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  const sent = requests.filter(({ method }) => method === 'POST').map(({ path, body }) => [path, body]);
  expect(sent).toEqual([
    ['/calls/call-1/pick', { agent: 'a.kim', take_away: false }],
    ['/calls/call-2/pick', { agent: 'a.kim', take_away: true }],
  ]);
});

test.each([
  [422, { code: 'invalid_form', errors: [{ field: 'agent', message: 'enter the login name of a user' }] }, 'enter the login name of a user'],
  [409, { code: 'agent_has_call' }, 'This agent has another call. Choose somebody else, or wait until it is over.'],
  [404, { code: 'not_found' }, 'The call is over, or this user gets no calls here.'],
])('what is refused stays in the sheet: %s', async (status, problem, sentence) => {
  serverOf([FREE], { status, json: { title: 'refused', ...problem } });
  renderPage(<ServiceCallsPage login={loginOf('call.pick')} />);
  await userEvent.click(await screen.findByRole('button', { name: /^Give the call/ }));
  await userEvent.type(screen.getByRole('textbox', { name: 'Login name of the agent' }), 'x');
  await userEvent.click(screen.getByRole('button', { name: 'Give it' }));
  expect(await within(screen.getByRole('dialog')).findByText(sentence)).toBeVisible();
});

test('with no call there is a sentence', async () => {
  serverOf([]);
  renderPage(<ServiceCallsPage login={loginOf('call.pick')} />);
  expect(await screen.findByText('No such call is running.')).toBeVisible();
});
