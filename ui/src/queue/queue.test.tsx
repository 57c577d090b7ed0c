import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { QueueView, WaitingCall } from '../lib/api/types';
import { withPairing } from '../pairing/with-pairing';
import { fakeServer, renderPage } from '../test-page';
import { queueOf } from './queue-form';
import QueueInputs, { nameOf } from './queue-inputs';
import QueueLine from './queue-line';
import WaitingCalls from './waiting-calls';

beforeAll(async () => void (await withPairing(() => Promise.resolve({}))()));
afterEach(() => vi.unstubAllGlobals());

const NOW = 1_000_000;
const first: WaitingCall = { id: 'c1', service: 's1', service_name: 'Billing', place: 1, since: NOW, caller: '…142', rings: true };

function serve(queue: QueueView, calls: WaitingCall[] = []) {
  return fakeServer(({ path }) => (path === '/queue' ? { json: queue } : { json: { calls } }));
}

test('an agent reads how many wait and for how long the first one has', async () => {
  serve({ has_queue: true, waiting: 2, since: NOW - 41_000 });
  renderPage(<QueueLine now={NOW} />);
  expect(await screen.findByText('2 waiting, longest 00:41')).toBeVisible();
});

test('an agent for whom nobody waits reads that', async () => {
  serve({ has_queue: true, waiting: 0, since: null });
  renderPage(<QueueLine now={NOW} />);
  expect(await screen.findByText('Nobody waits')).toBeVisible();
});

test('a supervisor sees who waits, at which place, and for whom a phone rings', async () => {
  serve({ has_queue: true, waiting: 2, since: NOW }, [first, { ...first, id: 'c2', place: 2, caller: '', rings: false }]);
  renderPage(<WaitingCalls />);
  const row = await screen.findByRole('row', { name: /…142/ });
  expect(within(row).getByText('Billing')).toBeVisible();
  expect(within(row).getByText('rings at an agent')).toBeVisible();
  expect(screen.getByRole('row', { name: /Withheld/ })).toBeVisible();
});

test('where no service has a queue, nothing is said of one', async () => {
  const asked = serve({ has_queue: false, waiting: 0, since: null });
  renderPage(<WaitingCalls />);
  await vi.waitFor(() => expect(asked.length).toBe(2));
  expect(screen.queryByRole('heading')).toBeNull();
});

function Sheet() {
  const [value, setValue] = useState({ ...queueOf(undefined), on: true });
  return <QueueInputs value={value} trunks={[]} onChange={setValue} problem={() => undefined} />;
}

test('a sound is added by a file and can be chosen then; what the server has against it is said', async () => {
  const sound = { id: 's1', name: 'Hold', seconds: 61 };
  let sounds: unknown[] = [];
  const asked = fakeServer(({ method, path }) => {
    if (method === 'GET') return { json: { sounds } };
    if (path.includes('Stereo')) return { status: 422, json: { title: 'Wrong', status: 422, code: 'invalid', errors: [{ field: 'file', message: 'save the file with one channel (mono)' }] } };
    sounds = [sound];
    return { status: 201, json: sound };
  });
  renderPage(<Sheet />);
  expect(screen.queryByRole('radio', { name: /trunk/ })).toBeNull();
  const input = () => document.querySelector<HTMLInputElement>('input[type="file"]')!;
  await userEvent.upload(input(), new File(['x'], 'Stereo.wav', { type: 'audio/wav' }));
  expect(await screen.findByText('save the file with one channel (mono)')).toBeVisible();
  await userEvent.upload(input(), new File(['x'], 'Hold.wav', { type: 'audio/wav' }));
  expect(await screen.findByText(/Hold was added/)).toBeVisible();
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toContain('POST /sounds?name=Hold');
  await userEvent.click(screen.getByRole('button', { name: /Music/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'Hold (01:01)' }));
  expect(screen.queryByRole('button', { name: 'Delete Hold' })).toBeNull();
});

test('a sound is called as its file is', () => {
  expect(nameOf(new File([], 'On hold.v2.wav'))).toBe('On hold.v2');
  expect(nameOf(new File([], '.wav'))).toBe('-');
  expect(nameOf(new File([], `${'x'.repeat(99)}.wav`))).toHaveLength(60);
});
