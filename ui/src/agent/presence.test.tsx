import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Availability } from '../lib/api/types';
import { NOW } from '../lib/capture/fixtures';
import { fakeServer, renderPage } from '../test-page';
import { Presence, availabilityAt, useAvailabilityAt } from './presence';

afterEach(() => vi.unstubAllGlobals());

function Here({ disabled }: { disabled: boolean }) {
  return <Presence availability={useAvailabilityAt(NOW)} now={NOW} disabled={disabled} />;
}

const state = () => screen.getByRole('button', { name: /Calls for me/ });

async function show(availability: Availability, disabled = false) {
  const requests = fakeServer(({ method, body }) => ({ json: method === 'GET' ? availability : body }));
  renderPage(<Here disabled={disabled} />);
  await screen.findByRole('button', { name: /Calls for me/ });
  return () => requests.filter(({ method }) => method === 'PUT').map(({ body }) => body);
}

test('an agent takes no calls with a reason, and takes them again', async () => {
  const sent = await show({ state: 'ready' });
  expect(state()).toHaveTextContent('Ready');
  await userEvent.click(state());
  await userEvent.click(await screen.findByRole('option', { name: 'Not ready: meal' }));
  await waitFor(() => expect(sent()).toEqual([{ state: 'not_ready', reason: 'meal' }]));
  await waitFor(() => expect(state()).toHaveTextContent('Not ready: meal'));
  await waitFor(() => expect(state()).toHaveFocus());
  await userEvent.click(state());
  await userEvent.click(await screen.findByRole('option', { name: 'Ready' }));
  await waitFor(() => expect(sent()[1]).toEqual({ state: 'ready' }));
});

test('the work after a call counts down and ends at a press', async () => {
  const sent = await show({ state: 'after_call', until: NOW + 25_000 });
  expect(state()).toHaveTextContent('After-call work, 00:25');
  await userEvent.click(screen.getByRole('button', { name: 'I am ready' }));
  await waitFor(() => expect(sent()).toEqual([{ state: 'ready' }]));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'I am ready' })).toBeNull());
  await waitFor(() => expect(state()).toHaveFocus());
});

test('it ends by itself', () => {
  expect(availabilityAt({ state: 'after_call', until: NOW }, NOW)).toEqual({ state: 'ready' });
  expect(availabilityAt({ state: 'after_call', until: NOW + 1 }, NOW)).toEqual({ state: 'after_call', until: NOW + 1 });
});

test('on a locked page it can only be read', async () => {
  await show({ state: 'ready' }, true);
  expect(state()).toBeDisabled();
});
