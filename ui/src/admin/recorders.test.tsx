import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Service, Sink } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import { Recorders } from './recorders';

afterEach(() => vi.unstubAllGlobals());

const PBX: Sink = { id: 'k1', name: 'PBX', medium: 'call', hears: 'unmasked', control: null };

function service(sinks: Sink[] | undefined): Service {
  return {
    id: 's1',
    name: 'Collections',
    numbers: ['8005550100'],
    route: { to: 'agents' },
    desktop: 'd1',
    protection: 'capture',
    after_call_s: 0,
    call_recording: { when: 'never', keep_days: 90 },
    recorders: sinks ? { confirmed_by: 'm.lee', confirmed_at: 0, sinks } : null,
    revision: 4,
  };
}

async function open(sinks: Sink[] | undefined, refusal?: object) {
  const requests = fakeServer(({ method }) => {
    if (method === 'GET') return { json: { services: [service(sinks)], recorder_controls: ['floor'], keeps_recordings: true } };
    return refusal ? { status: 422, json: refusal } : { json: service(sinks) };
  });
  renderPage(<Recorders editable />);
  await userEvent.click(await screen.findByRole('button', { name: 'Recorders of Collections' }));
  const sheet = await screen.findByRole('dialog', { name: 'Recorders of Collections' });
  return { sheet, declared: () => requests.filter(({ method }) => method === 'POST') };
}

async function choose(group: HTMLElement, label: RegExp, choice: string) {
  await userEvent.click(within(group).getByRole('button', { name: label }));
  await userEvent.click(await screen.findByRole('option', { name: choice }));
}

test('a recorder is declared with what it hears and what pauses it', async () => {
  const { sheet, declared } = await open([PBX]);
  await choose(within(sheet).getByRole('region', { name: 'Recorder 1' }), /Paused by/, 'floor');
  await userEvent.click(within(sheet).getByRole('button', { name: 'Add a recorder' }));
  const second = within(sheet).getByRole('region', { name: 'Recorder 2' });
  await userEvent.type(within(second).getByRole('textbox', { name: /Name/ }), 'Screens');
  await choose(second, /Records/, 'The agent’s screen');
  await userEvent.click(within(sheet).getByRole('button', { name: 'Confirm and save' }));
  const sinks = [
    { name: 'PBX', medium: 'call', hears: 'unmasked', control: 'floor' },
    { name: 'Screens', medium: 'screen', hears: 'masked', control: null },
  ];
  await waitFor(() => expect(declared().map(({ path, body }) => [path, body])).toEqual([['/services/s1/recorders', { sinks, revision: 4 }]]));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

test('one that is taken away leaves nobody who records', async () => {
  const { sheet, declared } = await open([PBX]);
  await userEvent.click(within(sheet).getByRole('button', { name: 'Remove this recorder' }));
  expect(within(sheet).getByText('No other recorder records these calls.')).toBeVisible();
  await userEvent.click(within(sheet).getByRole('button', { name: 'Confirm and save' }));
  await waitFor(() => expect(declared().map(({ body }) => body)).toEqual([{ sinks: [], revision: 4 }]));
});

test('what the server refuses stands at its field, and the sheet stays', async () => {
  const problem = { type: '/problems/invalid', title: 'Invalid', status: 422, code: 'invalid_form', errors: [{ field: 'sinks[0].name', message: 'use 1 to 60 characters' }] };
  const { sheet } = await open(undefined, problem);
  await userEvent.click(within(sheet).getByRole('button', { name: 'Add a recorder' }));
  await userEvent.click(within(sheet).getByRole('button', { name: 'Confirm and save' }));
  expect(await within(sheet).findByText('use 1 to 60 characters')).toBeVisible();
});
