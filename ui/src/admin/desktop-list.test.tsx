import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DesktopBrief, DesktopUse, Permission } from '../lib/api/types';
import type { Sent } from '../test-page';
import { fakeServer, loginOf, renderPage } from '../test-page';
import DesktopListPage from './desktop-list';

afterEach(() => vi.unstubAllGlobals());

const brief = (id: string, name: string, change: Partial<DesktopBrief> = {}): DesktopBrief => ({
  id,
  name,
  service: 'standard',
  layout: 'agent_panel',
  widgets: 2,
  widgets_enabled: 1,
  agents: 1,
  standing: { state: 'live', reasons: [] },
  saved_at: Date.now() - 2 * 3_600_000,
  saved_by: 'm.lee',
  revision: 3,
  ...change,
});
const DESKTOPS = [
  brief('d1', 'Collections US', { standing: { state: 'needs_attention', reasons: [{ what: 'host_not_approved', widget: 'w1', name: 'Card payment' }] } }),
  brief('d2', 'Billing UK', { service: 'designer', standing: { state: 'disabled', reasons: [{ what: 'nothing_enabled', name: '' }] } }),
  brief('d3', 'Sales'),
];
const USE: DesktopUse = {
  agents: [{ id: 'u1', name: 'anna', display_name: 'Anna Berg', desktop: 'Collections US' }],
  others: [{ id: 'u2', name: 'bob', display_name: 'Bob Cole', desktop: 'Billing UK' }],
  services: [{ id: 's1', name: 'Main line' }],
  capturing: ['anna'],
};

async function list(desktops: readonly DesktopBrief[] = DESKTOPS, answer: (sent: Sent) => unknown = () => USE, permissions: Permission[] = ['desktop.edit', 'gateway.edit']) {
  const requests = fakeServer((sent) => {
    if (sent.method === 'GET' && sent.path === '/desktops') return { json: { desktops } };
    if (sent.path === '/first-steps') return { json: { steps: [], desktop: null } };
    const reply = answer(sent);
    return typeof reply === 'object' && reply !== null && 'problem' in reply ? { status: 409, json: reply.problem } : { json: reply };
  });
  renderPage(<DesktopListPage login={loginOf(...permissions)} />);
  if (desktops[0]) await screen.findByRole('link', { name: desktops[0].name });
  return requests;
}
const act = async (desktop: string, what: string) => {
  await userEvent.click(screen.getByRole('button', { name: `Actions: ${desktop}` }));
  await userEvent.click(await screen.findByRole('menuitem', { name: what }));
};
const row = (name: string) => screen.getByRole('row', { name: new RegExp(name) });

describe('the list of agent desktops', () => {
  test('n2 s5 each row says its state with the reasons, and when it was changed by whom', async () => {
    await list();
    expect(row('Collections US')).toHaveTextContent('Needs attention');
    expect(row('Collections US')).toHaveTextContent('The gateway\'s host of “Card payment” is not approved.');
    expect(row('Billing UK')).toHaveTextContent('Disabled');
    expect(row('Billing UK')).toHaveTextContent('No widget is enabled.');
    expect(row('Sales')).toHaveTextContent('Live');
    expect(row('Sales')).toHaveTextContent('2 hours ago, m.lee');
  });

  test('n2 a desktop opens by Enter, by double-click and by its name', async () => {
    for (const open of [
      () => userEvent.dblClick(row('Sales')),
      async () => {
        await userEvent.click(row('Sales'));
        await userEvent.keyboard('{Enter}');
      },
      () => userEvent.click(screen.getByRole('link', { name: 'Sales' })),
    ]) {
      window.history.replaceState(null, '', '/configure/agents/agent-desktop');
      await list();
      await open();
      expect(window.location.pathname).toBe('/configure/agents/agent-desktop/d3');
      cleanup();
    }
  });

  test('n2 search and service filter together', async () => {
    await list();
    await userEvent.click(screen.getByRole('button', { name: /Desktop service/ }));
    await userEvent.click(screen.getByRole('option', { name: 'Standard agent' }));
    expect(screen.queryByText('Billing UK')).toBeNull();
    await userEvent.type(screen.getByRole('textbox', { name: 'Search' }), 'sal');
    expect(screen.queryByText('Collections US')).toBeNull();
    expect(screen.getByText('Sales')).toBeVisible();
    await userEvent.type(screen.getByRole('textbox', { name: 'Search' }), 'xx');
    expect(screen.getByText('No desktop fits the search.')).toBeVisible();
  });

  test('without a desktop the three layouts are explained', async () => {
    await list([]);
    expect(await screen.findByText('No agent desktop yet')).toBeVisible();
    for (const name of ['Agent Panel', 'Agent Panel + Extended Panel', 'Agent Panel + Designer']) expect(screen.getByText(name)).toBeVisible();
  });

  test('whoever may not edit desktops opens, exports and reads the history, no more', async () => {
    await list(DESKTOPS, () => USE, ['gateway.edit']);
    await userEvent.click(screen.getByRole('button', { name: 'Actions: Sales' }));
    expect(screen.getAllByRole('menuitem').map((item) => item.textContent)).toEqual(['Open', 'Export JSON', 'History']);
    expect(screen.getByRole('menuitem', { name: 'Export JSON' })).toHaveAttribute('href', '/api/v1/desktops/d3/export');
  });

  test('a desktop in use cannot be deleted, and its users are named', async () => {
    await list();
    await act('Collections US', 'Delete');
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('This desktop is in use and cannot be deleted.')).toBeVisible();
    for (const name of ['Anna Berg', 'Main line', 'anna']) expect(dialog.getByText(name)).toBeVisible();
    expect(dialog.queryByRole('button', { name: 'Delete desktop' })).toBeNull();
  });

  test('a free desktop is deleted once its name is typed', async () => {
    const requests = await list(DESKTOPS, () => ({ agents: [], others: [], services: [], capturing: [] }));
    await act('Sales', 'Delete');
    const name = await screen.findByRole('textbox', { name: 'Type the desktop\'s name to delete it' });
    await userEvent.type(name, 'sales');
    expect(screen.getByRole('button', { name: 'Delete desktop' })).toBeDisabled();
    await userEvent.clear(name);
    await userEvent.type(name, 'Sales');
    await userEvent.click(screen.getByRole('button', { name: 'Delete desktop' }));
    await waitFor(() => expect(requests.some(({ method, path }) => method === 'DELETE' && path === '/desktops/d3')).toBe(true));
  });

  test('agents are assigned and taken away in one request', async () => {
    const requests = await list();
    await act('Collections US', 'Assign');
    const bob = await screen.findByRole('checkbox', { name: 'Bob Cole' });
    expect(screen.getByText(/now with “Billing UK”/)).toBeVisible();
    await userEvent.click(bob);
    await userEvent.click(screen.getByRole('checkbox', { name: 'Anna Berg' }));
    expect(screen.getByText('1 agent added. 1 agent removed.')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(requests.find(({ method }) => method === 'PUT')).toMatchObject({ path: '/desktops/d1/agents', body: { add: ['u2'], remove: ['u1'] } }));
  });

  test('n8 a duplicate is asked for by name; a taken one stands at its field', async () => {
    const requests = await list(DESKTOPS, () => ({ problem: { title: 'Taken', status: 409, code: 'taken', detail: 'the name is taken' } }));
    await act('Sales', 'Duplicate');
    expect(screen.getByText(/Gateway passwords are not copied/)).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Duplicate' }));
    expect(await screen.findByRole('textbox', { name: 'Name' })).toHaveAccessibleDescription('the name is taken');
    expect(requests.find(({ method }) => method === 'POST')).toMatchObject({ path: '/desktops/d3/duplicate', body: { name: 'Sales (copy)' } });
  });

  test('a file is imported under a name; every error of it is listed and nothing is lost', async () => {
    const errors = [
      { field: 'widgets[0].title', message: 'Window Title has 1 to 60 characters on one line.' },
      { field: 'layout', message: 'choose another' },
    ];
    const requests = await list(DESKTOPS, () => ({ problem: { title: 'Some fields are wrong', status: 422, code: 'invalid', errors } }));
    await userEvent.click(screen.getByRole('button', { name: 'Import JSON' }));
    const input = document.querySelector<HTMLInputElement>('input[type="file"]')!;
    await userEvent.upload(input, new File(['not json'], 'x.json', { type: 'application/json' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('x.json: This file is not a JSON file of an agent desktop.');
    await userEvent.upload(input, new File([JSON.stringify({ format: 'tonewall.desktop', name: 'Sales', widgets: [{}] })], 'sales.json', { type: 'application/json' }));
    expect(await screen.findByText('sales.json: 1 widget')).toBeVisible();
    const name = screen.getByRole('textbox', { name: 'Name' });
    await userEvent.type(name, ' 2');
    await userEvent.click(screen.getByRole('button', { name: 'Import' }));
    const alert = await screen.findByRole('alert');
    for (const { field, message } of errors) expect(alert).toHaveTextContent(`${field} ${message}`);
    expect(name).toHaveValue('Sales 2');
    expect(requests.find(({ method }) => method === 'POST')).toMatchObject({ path: '/desktops/import', body: { format: 'tonewall.desktop', name: 'Sales 2', widgets: [{}] } });
  });
});
