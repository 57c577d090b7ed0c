import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { RoutingView } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import { RoutingNumbers, refusedOf } from './routing-numbers';

afterEach(() => vi.unstubAllGlobals());

const ROUTING: RoutingView = { refused: [{ routing: '021000021', reason: 'Closed in May' }], revision: 2, banks: 0, imported_by: null, imported_at: null };

function open(answer: (path: string) => { status?: number; json: unknown }, editable = true) {
  const requests = fakeServer(({ path, method }) => (method === 'GET' ? { json: ROUTING } : answer(path)));
  renderPage(<RoutingNumbers editable={editable} />);
  return () => requests.filter(({ method }) => method === 'PUT');
}

test('a line is a number and the reason that follows it', () => {
  expect(refusedOf(' 021000021  Closed in May \n\n011401533\n')).toEqual([
    { routing: '021000021', reason: 'Closed in May' },
    { routing: '011401533', reason: '' },
  ]);
});

test('refused routing numbers are saved with the revision that was read, and a wrong line is named', async () => {
  const errors = [{ field: 'refused[1].routing', message: 'nine digits' }];
  const changes = open(() => ({ status: 422, json: { title: 'Some fields are wrong', status: 422, code: 'invalid', errors } }));
  const list = await screen.findByRole('textbox', { name: 'Refused routing numbers' });
  expect(list).toHaveValue('021000021 Closed in May');
  await userEvent.type(list, '\n1 x');
  await userEvent.click(screen.getByRole('button', { name: 'Save refused numbers' }));
  await waitFor(() => expect(changes()[0]?.body).toEqual({ refused: [{ routing: '021000021', reason: 'Closed in May' }, { routing: '1', reason: 'x' }], revision: 2 }));
  expect(await screen.findByText('Line 2: nine digits')).toBeVisible();
});

test('a chosen file replaces the bank names, and how many there are is told', async () => {
  open(() => ({ json: { ...ROUTING, banks: 2, imported_by: 'sid', imported_at: 0 } }));
  expect(await screen.findByText(/No bank names imported/)).toBeVisible();
  const file = new File(['routing,bank_name,city,state\n'], 'banks.csv', { type: 'text/csv' });
  await userEvent.upload(document.querySelector<HTMLInputElement>('input[type="file"]')!, file);
  await userEvent.click(await screen.findByRole('button', { name: 'Import banks.csv' }));
  expect(await screen.findByText(/2 bank names/)).toBeVisible();
  expect(screen.getByText('Imported.')).toBeVisible();
});

test('who may not edit gateways sees the list and cannot change it', async () => {
  open(() => ({ json: ROUTING }), false);
  expect(await screen.findByRole('textbox', { name: 'Refused routing numbers' })).toBeDisabled();
  expect(screen.queryByRole('button')).toBeNull();
});
