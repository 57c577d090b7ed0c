import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Permission, RoleView, UserView } from '../lib/api/types';
import { withOffice } from '../lib/i18n/catalogue';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { effective } from './rights';
import RolesPage from './roles-page';
import { fits, stateOf } from './user-form';
import UsersPage from './users-page';

// As the page is loaded: its sheet loads more words, and then only what was asked for is spoken.
beforeAll(async () => void (await withOffice(() => Promise.resolve({}))()));
afterEach(() => vi.unstubAllGlobals());

const role = (id: string, name: string, permissions: Permission[], change: Partial<RoleView> = {}): RoleView => ({
  id, name, permissions, users: 1, built_in: true, grantable: true, editable: false, revision: 0, ...change,
});
const ROLES = [
  role('agent', 'Agent', ['capture.start', 'capture.view_basic']),
  role('supervisor', 'Supervisor', ['payment.view'], { grantable: false }),
  role('r1', 'Team lead', ['capture.start', 'payment.view'], { built_in: false, editable: true, users: 0, revision: 3 }),
];
const user = (name: string, roles: string[], change: Partial<UserView> = {}): UserView => ({
  id: name, name, display_name: name.toUpperCase(), roles, desktop: null, phone: null, extension: null, groups: [], phone_password_set: false, enabled: true,
  must_change_password: false, locked_until: null, active_at: 1, second_factor_since: null, editable: true, revision: 5, ...change,
});
const USERS = [user('a.kim', ['agent'], { phone: '1001', groups: ['Sales'] }), user('j.roe', ['r1'], { locked_until: 2e13 }), user('z.off', [], { enabled: false }), user('s.admin', ['supervisor'], { editable: false })];

function serve(save: (sent: { method: string; path: string; body: unknown }) => { status?: number; json?: unknown } = () => ({ status: 200, json: {} })) {
  return fakeServer((sent) => {
    if (sent.method !== 'GET') return save(sent);
    if (sent.path === '/users') return { json: { users: USERS } };
    if (sent.path.startsWith('/users/')) return { json: USERS.find((one) => sent.path.endsWith(one.id)) };
    if (sent.path === '/roles') return { json: { roles: ROLES, givable: ['capture.start', 'payment.view', 'user.manage'] } };
    return { json: { desktops: [] } };
  });
}
const manager = loginOf('user.manage');
const open = async (name: string) => {
  renderPage(<UsersPage login={manager} />);
  await userEvent.dblClick(await screen.findByRole('row', { name }));
  return within(await screen.findByRole('dialog'));
};

test('the list is found by name, role and state', () => {
  const names = (text: string, role: string, state: Parameters<typeof fits>[1]['state']) => USERS.filter((one) => fits(one, { text, role, state }, 1)).map((one) => one.name);
  expect(names('', 'any', 'any')).toHaveLength(4);
  expect(names('KIM', 'any', 'any')).toEqual(['a.kim']);
  expect(names('1001', 'any', 'any')).toEqual(['a.kim']);
  expect(names('sales', 'any', 'any')).toEqual(['a.kim']);
  expect(names('', 'r1', 'any')).toEqual(['j.roe']);
  expect(names('', 'any', 'locked')).toEqual(['j.roe']);
  expect(names('', 'any', 'disabled')).toEqual(['z.off']);
  expect(stateOf(user('new', [], { must_change_password: true }), 1)).toBe('first_password');
});

test('what a user may do is every right of every role, with the roles that give it', () => {
  expect(effective(ROLES, new Set(['agent', 'r1']))).toEqual([
    { right: 'capture.start', from: ['Agent', 'Team lead'] },
    { right: 'capture.view_basic', from: ['Agent'] },
    { right: 'payment.view', from: ['Team lead'] },
  ]);
});

test('a new user is sent as it was typed, with the rights shown before saving', async () => {
  const requests = serve();
  renderPage(<UsersPage login={manager} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Add user' }));
  const sheet = within(screen.getByRole('dialog'));
  await userEvent.type(sheet.getByRole('textbox', { name: /User name/ }), 'm.lee');
  await userEvent.type(sheet.getByRole('textbox', { name: /Display name/ }), ' M. Lee ');
  await userEvent.type(sheet.getByLabelText(/First password/), 'correct horse 1');
  await userEvent.click(sheet.getByRole('checkbox', { name: 'Team lead' }));
  const rights = within(sheet.getByRole('region', { name: 'What this user may do' })).getAllByRole('listitem');
  expect(rights.map((one) => one.textContent)).toEqual([
    'Take payments: open captures and process themcapture.start from Team lead',
    'See all paymentspayment.view from Team lead',
  ]);
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  expect(requests.find(({ method }) => method === 'POST')?.body).toEqual({
    name: 'm.lee', display_name: 'M. Lee', roles: ['r1'], desktop: null, phone: null, extension: null, groups: [], password: 'correct horse 1', enabled: true, unlock: false, reset_second_factor: false, revision: 0,
  });
});

test('p3 p4 a role with rights that the administrator lacks cannot be chosen, and a refusal stands at the roles', async () => {
  serve(() => ({ status: 422, json: { title: 'Invalid', status: 422, errors: [{ field: 'roles', message: 'you cannot give Team lead' }] } }));
  const sheet = await open('a.kim');
  expect(sheet.getByRole('checkbox', { name: 'Supervisor' })).toBeDisabled();
  expect(sheet.getByText('It has rights that you lack.')).toBeVisible();
  await userEvent.click(sheet.getByRole('checkbox', { name: 'Team lead' }));
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  expect(await sheet.findByRole('alert')).toHaveTextContent('you cannot give Team lead');
});

test('the list shows groups, and what the server refuses of one stands at the field by its name', async () => {
  const errors = [{ field: 'groups[1]', message: 'use 1 to 40 characters' }];
  const requests = serve(() => ({ status: 422, json: { title: 'Invalid', status: 422, errors } }));
  const sheet = await open('a.kim');
  const input = await sheet.findByRole('textbox', { name: 'Groups of agents' });
  expect(input).toHaveValue('Sales');
  await userEvent.type(input, ', V');
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  await vi.waitFor(() => expect(input).toHaveAccessibleDescription(/V: use 1 to 40 characters/));
  expect(requests.find(({ method }) => method === 'PUT')?.body).toMatchObject({ groups: ['Sales', 'V'] });
});

test('an account out of reach is read and not changed', async () => {
  serve();
  const sheet = await open('s.admin');
  expect(sheet.getByText(/rights that you lack, so you can read/)).toBeVisible();
  expect(sheet.queryByRole('button', { name: 'Save' })).toBeNull();
  expect(sheet.getByRole('textbox', { name: /User name/ })).toBeDisabled();
  expect(sheet.getByText('payment.view')).toBeVisible();
});

test('a locked account is unlocked on purpose', async () => {
  const requests = serve();
  const sheet = await open('j.roe');
  await userEvent.click(sheet.getByRole('checkbox', { name: /End the lock/ }));
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  expect(requests.find(({ method }) => method === 'PUT')?.body).toMatchObject({ unlock: true, revision: 5 });
});

test('the matrix says of every right which role gives it, and roles made here are edited', async () => {
  const requests = serve();
  renderPage(<RolesPage login={manager} />);
  const row = await screen.findByRole('row', { name: /capture.view_basic/ });
  expect(within(row).getAllByRole('cell').map((cell) => cell.textContent)).toEqual(['yes', '·no', '·no']);
  expect(screen.queryByRole('button', { name: 'Edit Agent' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Edit Team lead' }));
  const sheet = within(screen.getByRole('dialog'));
  expect(sheet.getByRole('checkbox', { name: /Edit gateways/ })).toBeDisabled();
  await userEvent.click(sheet.getByRole('checkbox', { name: /See all payments/ }));
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  expect(requests.find(({ method }) => method === 'PUT')).toMatchObject({ path: '/roles/r1', body: { name: 'Team lead', permissions: ['capture.start'], revision: 3 } });
});

test('an unused role is deleted after a question', async () => {
  const requests = serve(() => ({ status: 204 }));
  renderPage(<RolesPage login={manager} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Edit Team lead' }));
  await userEvent.click(screen.getByRole('button', { name: 'Delete role' }));
  await userEvent.click(within(screen.getByRole('alertdialog')).getByRole('button', { name: 'Delete role' }));
  expect(requests.find(({ method }) => method === 'DELETE')?.path).toBe('/roles/r1');
});

test('who only reads the trail sees users and adds none', async () => {
  serve();
  renderPage(<UsersPage login={loginOf('audit.read')} />);
  expect(await screen.findByRole('row', { name: 'a.kim' })).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Add user' })).toBeNull();
});

test('a lost second factor is reset on purpose', async () => {
  const requests = fakeServer((sent) => {
    const kim = user('a.kim', ['agent'], { second_factor_since: 1 });
    if (sent.path === '/users') return { json: { users: [kim] } };
    if (sent.path.startsWith('/users/')) return { json: kim };
    return sent.path === '/roles' ? { json: { roles: ROLES, givable: [] } } : { json: { desktops: [] } };
  });
  const sheet = await open('a.kim');
  await userEvent.click(sheet.getByRole('checkbox', { name: /Reset it/ }));
  await userEvent.click(sheet.getByRole('button', { name: 'Save' }));
  expect(requests.find(({ method }) => method === 'PUT')?.body).toMatchObject({ reset_second_factor: true });
});
