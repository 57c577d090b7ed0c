import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CallView } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import DialDoor from './dial-door';

beforeEach(() => window.history.replaceState(null, '', '/'));
afterEach(() => vi.unstubAllGlobals());

const CALL = { id: 'c1', state: 'connected' } as CallView;
const CARD = '4111 1111 1111 1111';

function door(props: Partial<Parameters<typeof DialDoor>[0]> = {}) {
  const onForget = vi.fn();
  renderPage(<DialDoor call={undefined} failed={undefined} disabled={false} onForget={onForget} {...props} />);
  return onForget;
}

const field = () => screen.getByRole('textbox', { name: 'Number to dial' });

test('a number is dialled as it is pasted, and is not kept', async () => {
  const requests = fakeServer(() => ({ status: 201, json: { call: 'c1' } }));
  door();
  await userEvent.click(field());
  await userEvent.paste('+1 (555) 010-0199');
  await userEvent.click(screen.getByRole('button', { name: 'Dial' }));
  await waitFor(() => expect(requests).toHaveLength(1));
  expect(requests[0]).toMatchObject({ method: 'POST', path: '/calls', body: { number: '+15550100199' } });
  await waitFor(() => expect(field()).toHaveValue(''));
});

test('the shortcut goes to the field, and Enter dials', async () => {
  const requests = fakeServer(() => ({ status: 201, json: { call: 'c1' } }));
  door();
  await userEvent.keyboard('{Control>}{Shift>}d{/Shift}{/Control}');
  expect(field()).toHaveFocus();
  await userEvent.keyboard('4001{Enter}');
  await waitFor(() => expect(requests.map(({ body }) => body)).toEqual([{ number: '4001' }]));
});

test('a card number is wiped as soon as it stands there, and never sent', async () => {
  const requests = fakeServer(() => ({}));
  door();
  await userEvent.click(field());
  await userEvent.paste(CARD);
  expect(await screen.findByRole('alert')).toHaveTextContent('This may be a card number. It was not called and is forgotten.');
  expect(field()).toHaveValue('');
  expect(document.body.textContent).not.toContain('1111');
  await userEvent.keyboard('{Enter}');
  expect(requests).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(screen.queryByRole('alert')).toBeNull();
});

test('what is no number says what would be one', async () => {
  const requests = fakeServer(() => ({}));
  door();
  await userEvent.type(field(), 'Jane Roe{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent('Write 2 to 18 digits');
  expect(requests).toEqual([]);
});

test.each([
  ['number_not_allowed', 403, 'Ask your administrator to allow it for a service.'],
  ['agent_no_phone', 409, 'Turn on the phone of this page, or register your telephone.'],
  ['agent_has_call', 409, 'End it first, then dial.'],
])('a refusal says what to do: %s', async (code, status, sentence) => {
  fakeServer(() => ({ status, json: { title: 'refused', code } }));
  door();
  await userEvent.type(field(), '+15550100{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent(sentence);
  expect(field()).toHaveValue('+15550100');
});

test('why the last number was not reached stands there until the agent has read it', async () => {
  const onForget = door({ failed: 'busy' });
  expect(screen.getByRole('alert')).toHaveTextContent('The line is busy. Try again later.');
  await userEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(onForget).toHaveBeenCalledOnce();
});

test('beside a call nothing is dialled', () => {
  door({ call: CALL, failed: 'busy' });
  expect(screen.queryByRole('textbox')).toBeNull();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a number in the address is asked about, goes from the address, and is dialled on a press', async () => {
  window.history.replaceState(null, '', '/?dial=+15550100&theme=dark');
  const requests = fakeServer(() => ({ status: 201, json: { call: 'c1' } }));
  door();
  expect(await screen.findByRole('alertdialog', { name: 'Call this number?' })).toHaveTextContent('+15550100');
  expect(window.location.search).toBe('?theme=dark');
  expect(requests).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Dial' }));
  await waitFor(() => expect(requests.map(({ body }) => body)).toEqual([{ number: '+15550100' }]));
  expect(screen.queryByRole('alertdialog')).toBeNull();
});

test('a card number in the address is neither shown nor dialled', async () => {
  window.history.replaceState(null, '', '/?dial=4111111111111111');
  const requests = fakeServer(() => ({}));
  door();
  expect(await screen.findByRole('alertdialog')).toHaveTextContent('This may be a card number.');
  expect(document.body.textContent).not.toContain('4111');
  expect(window.location.search).toBe('');
  expect(screen.queryByRole('button', { name: 'Dial' })).toBeNull();
  await userEvent.keyboard('{Escape}');
  expect(requests).toEqual([]);
});

test('a number in the address waits for no call that is on', async () => {
  window.history.replaceState(null, '', '/?dial=4001');
  door({ call: CALL });
  expect(await screen.findByRole('alertdialog')).toHaveTextContent('You have a call. End it first, then dial.');
  expect(screen.queryByRole('button', { name: 'Dial' })).toBeNull();
});
