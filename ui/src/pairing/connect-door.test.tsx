import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeServer, renderPage } from '../test-page';
import ConnectDoor from './connect-door';

afterEach(() => vi.unstubAllGlobals());

const GOOD_MS = 60_000;
const codeOf = (code: string, left = GOOD_MS) => ({ json: { code, expires_at: Date.now() + left } });

test('an agent gets a code to key, spoken key by key, and gives it back with the sheet', async () => {
  const requests = fakeServer(({ method }) => (method === 'POST' ? codeOf('*47118#') : {}));
  renderPage(<ConnectDoor locked={false} online />);
  await userEvent.click(screen.getByRole('button', { name: 'Connect to my call' }));
  expect(await screen.findByText('*47118#')).toBeVisible();
  expect(screen.getByText('star, 4, 7, 1, 1, 8, pound')).toBeInTheDocument();
  expect(screen.getByRole('timer')).toHaveTextContent(/^0[01]:\d\d$/);
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('dialog')).toBeNull();
  await waitFor(() => expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /pairing-code', 'DELETE /pairing-code']));
});

test('another code takes the place of the one that is out', async () => {
  const codes = ['*47118#', '*08151#'];
  const requests = fakeServer(({ method }) => (method === 'POST' ? codeOf(codes.shift()!) : {}));
  renderPage(<ConnectDoor locked={false} online />);
  await userEvent.keyboard('{Control>}{Shift>}f{/Shift}{/Control}');
  expect(await screen.findByText('*47118#')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'New code' }));
  expect(await screen.findByText('*08151#')).toBeVisible();
  expect(screen.queryByText('*47118#')).toBeNull();
  expect(requests.map(({ method }) => method)).toEqual(['POST', 'DELETE', 'POST']);
});

test('a code that is over is shown no longer', async () => {
  fakeServer(() => codeOf('*47118#', -1));
  renderPage(<ConnectDoor locked={false} online />);
  await userEvent.click(screen.getByRole('button', { name: 'Connect to my call' }));
  expect(await screen.findByText('This code is over. Ask for a new one.')).toBeVisible();
  expect(screen.queryByText('*47118#')).toBeNull();
  expect(screen.queryByRole('timer')).toBeNull();
});

test.each([
  ['agent_has_call', 409, 'You have another call. Ask again once it is over.'],
  ['not_paired', 409, 'No service hears a code of yours now. Ask a supervisor to give you the call.'],
  ['busy', 503, 'Too many codes are out just now. Ask again in a minute.'],
])('a refusal says what to do: %s', async (code, status, sentence) => {
  const requests = fakeServer(() => ({ status, json: { title: 'refused', code } }));
  renderPage(<ConnectDoor locked={false} online />);
  await userEvent.click(screen.getByRole('button', { name: 'Connect to my call' }));
  expect(await screen.findByRole('alert')).toHaveTextContent(sentence);
  await userEvent.keyboard('{Escape}');
  expect(requests.map(({ method }) => method)).toEqual(['POST']);
});

test('on a page that lost its server the key does nothing', async () => {
  const requests = fakeServer(() => codeOf('*47118#'));
  renderPage(<ConnectDoor locked={false} online={false} />);
  expect(screen.getByRole('button', { name: 'Connect to my call' })).toBeDisabled();
  await userEvent.keyboard('{Control>}{Shift>}f{/Shift}{/Control}');
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(requests).toEqual([]);
});
