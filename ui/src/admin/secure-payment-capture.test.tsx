import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { GatewayHost, Permission, ResponseVariables, RoutingView, Settings } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import SecurePaymentCapturePage from './secure-payment-capture';

afterEach(() => vi.unstubAllGlobals());

const ROUTING: RoutingView = { refused: [], revision: 0, banks: 0, imported_by: null, imported_at: null };

async function open(...permissions: Permission[]) {
  return openWith({ allow: 'none' }, ...permissions);
}

async function openWith(response_variables: ResponseVariables, ...permissions: Permission[]) {
  const settings: Settings = { spc_enabled: false, response_variables, revision: 3 };
  const requests = fakeServer(({ path, method, body }) => {
    if (path === '/gateway-hosts') return { json: { hosts: [] } };
    if (path === '/routing') return { json: ROUTING };
    if (path !== '/settings') return { json: { services: [], recorder_controls: [], keeps_recordings: true } };
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
  await waitFor(() => expect(changes().map(({ body }) => body)).toEqual([{ spc_enabled: true, response_variables: { allow: 'none' }, revision: 3 }]));
  expect(await screen.findByText('Saved.')).toBeVisible();
});

test('s19 w35 response variables are none, those that are listed, or all', async () => {
  const { changes } = await openWith({ allow: 'none' }, 'spc.enable');
  expect(screen.getByRole('radio', { name: 'None' })).toBeChecked();
  await userEvent.click(screen.getByRole('radio', { name: 'All' }));
  await waitFor(() => expect(changes().map(({ body }) => body)).toEqual([{ spc_enabled: false, response_variables: { allow: 'all' }, revision: 3 }]));
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
  await waitFor(() => expect(changes().map(({ body }) => (body as Settings).response_variables)).toEqual([{ allow: 'listed', names: ['message', 'data.text'] }]));
});

test('s19 who may not enable the feature cannot change the response variables', async () => {
  await open('desktop.edit', 'gateway.edit');
  for (const name of ['None', 'Only these', 'All']) expect(screen.getByRole('radio', { name })).toBeDisabled();
});

describe('s4 gateway hosts', () => {
  const host = (change: Partial<GatewayHost>): GatewayHost => ({ authority: 'pay.example:443', standing: 'waiting', widgets: [{ desktop: 'Sales', title: 'Card payment' }], editors: ['m.lee'], is_editor: false, approval: null, ...change });
  async function openHosts(hosts: GatewayHost[], ...permissions: Permission[]) {
    const settings: Settings = { spc_enabled: true, response_variables: { allow: 'none' }, revision: 3 };
    const requests = fakeServer(({ path, method }) => {
      if (path.startsWith('/gateway-hosts')) return { json: { hosts: method === 'GET' ? hosts : [host({ standing: 'approved', approval: { by: 'sid', at: 0, reason: 'Checked.' } })] } };
      if (path === '/routing') return { json: ROUTING };
      return { json: path === '/settings' ? settings : { services: [], recorder_controls: [], keeps_recordings: true } };
    });
    renderPage(<SecurePaymentCapturePage login={loginOf(...permissions)} />);
    await screen.findByText(hosts[0]!.authority);
    return requests;
  }

  test('one that waits is approved with a reason and the own password', async () => {
    const requests = await openHosts([host({})], 'spc.enable', 'gateway.approve_host');
    expect(screen.getByText('Waits for approval')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Approve pay.example:443' }));
    const sheet = within(await screen.findByRole('dialog'));
    const approve = sheet.getByRole('button', { name: 'Approve' });
    expect(approve).toBeDisabled();
    await userEvent.type(sheet.getByRole('textbox', { name: /^Why/ }), 'Checked.');
    await userEvent.type(sheet.getByLabelText(/^Your password/), 'correct horse');
    await userEvent.click(approve);
    await waitFor(() => expect(requests.find(({ method }) => method === 'POST')).toMatchObject({ path: '/gateway-hosts/approve', body: { authority: 'pay.example:443', reason: 'Checked.', password: 'correct horse' } }));
    expect(await screen.findByText(/^Approved by sid/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Withdraw the approval of pay.example:443' })).toBeVisible();
  });

  test('whoever entered it, or has no right to, is told who can', async () => {
    await openHosts([host({ is_editor: true }), host({ authority: 'two.example:443' })], 'spc.enable', 'gateway.approve_host');
    expect(screen.getByText('You saved a desktop that sends there: a second person approves it.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Approve pay.example:443' })).toBeNull();
    expect(screen.getByRole('button', { name: 'Approve two.example:443' })).toBeVisible();
    cleanup();
    await openHosts([host({})], 'gateway.edit');
    expect(screen.getByText('Ask a Security admin who did not enter it to approve it.')).toBeVisible();
    expect(screen.queryByRole('button', { name: /^Approve/ })).toBeNull();
  });
});
