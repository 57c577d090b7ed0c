import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Permission, ResponseVariables, Settings } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import SecurePaymentCapturePage from './secure-payment-capture';

afterEach(() => vi.unstubAllGlobals());

async function open(...permissions: Permission[]) {
  return openWith({ allow: 'none' }, ...permissions);
}

async function openWith(response_variables: ResponseVariables, ...permissions: Permission[]) {
  const settings: Settings = { spc_enabled: false, response_variables, revision: 3 };
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
  await vi.waitFor(() => expect(changes().map(({ body }) => body)).toEqual([{ spc_enabled: true, response_variables: { allow: 'none' }, revision: 3 }]));
  expect(await screen.findByText('Saved.')).toBeVisible();
});

test('s19 w35 response variables are none, those that are listed, or all', async () => {
  const { changes } = await openWith({ allow: 'none' }, 'spc.enable');
  expect(screen.getByRole('radio', { name: 'None' })).toBeChecked();
  await userEvent.click(screen.getByRole('radio', { name: 'All' }));
  await vi.waitFor(() => expect(changes().map(({ body }) => body)).toEqual([{ spc_enabled: false, response_variables: { allow: 'all' }, revision: 3 }]));
  expect(await screen.findByRole('radio', { name: 'All' })).toBeChecked();
});

test('s19 w35 a list is written one key a line and saved by its button', async () => {
  const { changes } = await openWith({ allow: 'listed', names: ['message'] }, 'spc.enable');
  expect(screen.getByRole('radio', { name: 'Only these' })).toBeChecked();
  const names = screen.getByRole('textbox', { name: 'Keys, one a line' });
  expect(names).toHaveValue('message');
  await userEvent.type(names, '\n data.text \n\n');
  expect(changes()).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Save these keys' }));
  await vi.waitFor(() => expect(changes().map(({ body }) => (body as Settings).response_variables)).toEqual([{ allow: 'listed', names: ['message', 'data.text'] }]));
});

test('s19 who may not enable the feature cannot change the response variables', async () => {
  await open('desktop.edit', 'gateway.edit');
  for (const name of ['None', 'Only these', 'All']) expect(screen.getByRole('radio', { name })).toBeDisabled();
});
