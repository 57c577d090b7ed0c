import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Permission, Settings } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import SecurePaymentCapturePage from './secure-payment-capture';

afterEach(() => vi.unstubAllGlobals());

async function open(...permissions: Permission[]) {
  const settings: Settings = { spc_enabled: false, response_variables: false, revision: 3 };
  const requests = fakeServer(({ path, method, body }) => {
    if (path !== '/settings') return { json: { services: [] } };
    return { json: method === 'PUT' ? { ...(body as Settings), revision: 4 } : settings };
  });
  renderPage(<SecurePaymentCapturePage login={loginOf(...permissions)} />);
  const feature = await screen.findByRole('switch', { name: 'Secure Payment Capture' });
  return { feature, changes: () => requests.filter(({ method }) => method === 'PUT') };
}

test('p3 who may not enable the feature sees that it is off and cannot switch it on', async () => {
  const { feature, changes } = await open('desktop.edit', 'gateway.edit');
  expect(feature).not.toBeChecked();
  expect(feature).toBeDisabled();
  await userEvent.click(feature);
  expect(changes()).toEqual([]);
});

test('p2 p3 who may enable it switches it on, and that is all that is sent', async () => {
  const { feature, changes } = await open('spc.enable');
  await userEvent.click(feature);
  await vi.waitFor(() => expect(changes().map(({ body }) => body)).toEqual([{ spc_enabled: true, response_variables: false, revision: 3 }]));
  expect(await screen.findByText('Saved.')).toBeVisible();
});
