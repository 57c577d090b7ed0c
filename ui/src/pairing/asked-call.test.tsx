import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeServer, renderPage } from '../test-page';
import { askedCall, forgetAsked } from './asked';
import AskedCall from './asked-call';

afterEach(() => vi.unstubAllGlobals());

test('the call that the address names is bound to the agent', async () => {
  const onDone = vi.fn();
  const requests = fakeServer(() => ({ json: { call: 'call-1' } }));
  renderPage(<AskedCall call="call-1" onDone={onDone} />);
  await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
  expect(requests.map(({ path, body }) => [path, body])).toEqual([['/calls/bind', { call: { by: 'tonewall_call', name: 'call-1' } }]]);
});

test.each([
  ['not_found', 404, 'The call that this page was opened for is over, or is not one that can be given to an agent.'],
  ['call_taken', 409, 'Another agent has the call that this page was opened for.'],
  ['agent_has_call', 409, 'You have another call. Try again once it is over.'],
  ['not_paired', 409, 'You are not among the agents of this call’s service. An administrator can add you.'],
  ['invalid_form', 422, 'The address of this page names no call. Open it anew from your telephone program.'],
])('it says why it is not: %s', async (code, status, sentence) => {
  const onDone = vi.fn();
  const requests = fakeServer(() => ({ status, json: { title: 'refused', code } }));
  renderPage(<AskedCall call="call-1" onDone={onDone} />);
  expect(await screen.findByRole('alert')).toHaveTextContent(sentence);
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(requests).toHaveLength(2));
  await userEvent.click(await screen.findByRole('button', { name: 'Close' }));
  expect(onDone).toHaveBeenCalledOnce();
});

test('the address loses the call and keeps the rest', () => {
  window.history.replaceState(null, '', '/?locale=de&call=call-1#here');
  expect(askedCall(window.location.search)).toBe('call-1');
  expect([askedCall('?call='), askedCall('')]).toEqual([undefined, undefined]);
  forgetAsked();
  expect(window.location.pathname + window.location.search + window.location.hash).toBe('/?locale=de#here');
  window.history.replaceState(null, '', '/');
});
