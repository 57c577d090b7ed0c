import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DesktopView, Permission } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { DesktopEditor } from './desktop-editor';
import { newWidget } from './desktop-form';

afterEach(() => vi.unstubAllGlobals());

const ALL: Permission[] = ['desktop.edit', 'gateway.edit', 'gateway.secret.write', 'spc.enable'];
const { options } = newWidget('credit_card_basic', '', false);
const stored: DesktopView = {
  desktop: {
    id: 'd1',
    name: 'Collections',
    service: 'standard',
    layout: 'agent_panel',
    revision: 4,
    widgets: [
      {
        id: 'w1',
        kind: 'check_basic',
        title: 'Bank to CRM',
        enabled: true,
        card_types: [],
        options,
        gateway: null,
        prompts: [
          { field: 'routing_number', text: 'Routing, please.' },
          { field: 'account_number', text: 'Account, please.' },
        ],
      },
    ],
  },
  passwords_set: [],
};

function edit(permissions = ALL, view = stored) {
  const onSaved = vi.fn();
  renderPage(<DesktopEditor view={view} login={loginOf(...permissions)} responseVariables justSaved={false} onSaved={onSaved} onDiscard={vi.fn()} />);
  return onSaved;
}
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const add = async (kind: string) => {
  await userEvent.click(screen.getByRole('option', { name: kind }));
  await userEvent.click(button('Add'));
};

describe('the editor', () => {
  test('adds a Basic card widget with the reference labels, not enabled, all card types unticked', async () => {
    edit();
    await add('Credit Card Basic');
    const dialog = within(screen.getByRole('dialog'));
    for (const label of ['Window Title', 'Credit Card Text', 'Expiry Text', 'Security Text']) expect(dialog.getByRole('textbox', { name: label })).toBeVisible();
    expect(dialog.getByRole('checkbox', { name: 'Enabled' })).not.toBeChecked();
    for (const label of ['Visa', 'Master Card', 'American Express', 'Discover']) expect(dialog.getByRole('checkbox', { name: label })).not.toBeChecked();
    expect(dialog.queryByRole('tab')).toBeNull();
  });

  test('an Advanced widget has the three tabs and every reference field', async () => {
    edit();
    await add('Check Advanced');
    const dialog = within(screen.getByRole('dialog'));
    expect(dialog.getAllByRole('tab').map((tab) => tab.textContent)).toEqual(['Message Config', 'Payment Gateway Config', 'Advanced Config']);
    for (const label of ['Check Routing Text', 'Check Account Text']) expect(dialog.getByRole('textbox', { name: label })).toBeVisible();
    await userEvent.click(dialog.getByRole('tab', { name: 'Payment Gateway Config' }));
    for (const label of ['Service URL', 'Response Success Key', 'Response Success Value', 'Response Agent Message Key']) expect(dialog.getByRole('textbox', { name: label })).toBeVisible();
    expect(dialog.getByRole('group', { name: 'Request Param Mapping' })).toBeVisible();
    await userEvent.click(dialog.getByRole('tab', { name: 'Advanced Config' }));
    expect(dialog.getByRole('textbox', { name: 'Connection Timeout' })).toHaveValue('5000');
    expect(dialog.getByRole('textbox', { name: 'Read Timeout' })).toHaveValue('45000');
    for (const label of [/Auth Method/, /Request Type/, /Response Type/]) expect(dialog.getByRole('button', { name: label })).toBeVisible();
    expect(dialog.getByRole('textbox', { name: 'Auth User Name' })).toBeVisible();
    expect(dialog.getByLabelText('Auth Password')).toBeVisible();
    expect(dialog.getByRole('group', { name: 'Request Header Mapping' })).toBeVisible();
  });

  test('OK refuses what is missing, at its field; Cancel adds nothing', async () => {
    edit();
    await add('Credit Card Basic');
    await userEvent.click(button('OK'));
    expect(screen.getByRole('textbox', { name: 'Window Title' })).toHaveAccessibleDescription('1 to 60 characters.');
    expect(screen.getByText('Tick at least one card type.')).toBeVisible();
    await userEvent.click(button('Cancel'));
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(screen.getAllByRole('listitem').filter((item) => item.textContent?.includes('Credit Card Basic'))).toEqual([]);
    expect(button('Save')).toBeDisabled();
  });

  test('mapping rows are added and deleted', async () => {
    edit();
    await add('Credit Card Advanced');
    await userEvent.click(screen.getByRole('tab', { name: 'Payment Gateway Config' }));
    await userEvent.click(button('Add: Request Param Mapping'));
    await userEvent.click(button('Add: Request Param Mapping'));
    const names = () => within(screen.getByRole('group', { name: 'Request Param Mapping' })).queryAllByRole('textbox', { name: 'Name' });
    expect(names()).toHaveLength(2);
    await userEvent.type(names()[1]!, 'pan');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Select row 1' }));
    await userEvent.click(button('Delete: Request Param Mapping'));
    expect(names()).toHaveLength(1);
    expect(names()[0]).toHaveValue('pan');
  });

  test('Save sends the whole document once, new widgets last', async () => {
    const requests = fakeServer(() => ({ json: { ...stored, desktop: { ...stored.desktop, revision: 5 } } }));
    const onSaved = edit();
    await add('Credit Card Basic');
    await userEvent.type(screen.getByRole('textbox', { name: 'Window Title' }), 'Card to CRM');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Visa' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'Enabled' }));
    await userEvent.click(button('OK'));
    expect(screen.getByText('Unsaved changes')).toBeVisible();
    await userEvent.click(button('Save'));
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    expect(requests[0]).toMatchObject({
      method: 'PUT',
      path: '/desktops/d1',
      body: {
        name: 'Collections',
        revision: 4,
        layout: 'agent_panel',
        widgets: [
          { id: 'w1', title: 'Bank to CRM', gateway: null },
          { kind: 'credit_card_basic', title: 'Card to CRM', enabled: true, card_types: ['visa'] },
        ],
      },
    });
    await vi.waitFor(() => expect(onSaved).toHaveBeenCalledOnce());
  });

  test("the server's errors stand at their fields, and nothing is lost", async () => {
    fakeServer(() => ({
      status: 422,
      json: {
        title: 'Some fields are wrong',
        status: 422,
        code: 'invalid',
        errors: [
          { field: 'name', message: 'use another name' },
          { field: 'widgets[0].prompts.routing_number', message: 'say which number' },
        ],
      },
    }));
    edit();
    await userEvent.type(screen.getByRole('textbox', { name: 'Name' }), ' US');
    await userEvent.click(button('Save'));
    expect(await screen.findByRole('alert')).toHaveTextContent('2 entries need a correction. Nothing was saved.');
    expect(screen.getByRole('textbox', { name: 'Name' })).toHaveValue('Collections US');
    expect(screen.getByRole('textbox', { name: 'Name' })).toHaveAccessibleDescription('use another name');
    expect(screen.getByText('needs correction')).toBeVisible();
    await userEvent.click(button('Edit Bank to CRM'));
    expect(screen.getByRole('textbox', { name: 'Check Routing Text' })).toHaveAccessibleDescription('say which number');
  });

  test('a standard desktop cannot choose the Designer layout, and the reason stands beside it', () => {
    edit();
    expect(screen.getByRole('radio', { name: 'Agent Panel + Designer' })).toBeDisabled();
    expect(screen.getByText(/A standard desktop cannot have the Designer layout/)).toBeVisible();
    expect(screen.getByRole('radio', { name: 'Agent Panel + Extended Panel' })).toBeEnabled();
  });

  test('without gateway rights the gateway is not offered, and none is sent', async () => {
    const requests = fakeServer(() => ({ json: stored }));
    edit(['desktop.edit']);
    await add('Credit Card Advanced');
    await userEvent.type(screen.getByRole('textbox', { name: 'Window Title' }), 'Card payment');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Visa' }));
    await userEvent.click(screen.getByRole('tab', { name: 'Payment Gateway Config' }));
    expect(screen.getByText('Only a Security admin can change the gateway.')).toBeVisible();
    await userEvent.click(button('OK'));
    await userEvent.click(button('Save'));
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    expect(requests[0]?.body).toMatchObject({ widgets: [{}, { title: 'Card payment', gateway: null }] });
  });

  test('widgets move up and down, announced', async () => {
    const second = { ...stored.desktop.widgets[0]!, id: 'w2', title: 'Second' };
    edit(ALL, { ...stored, desktop: { ...stored.desktop, widgets: [...stored.desktop.widgets, second] } });
    await userEvent.click(button('Move Second up'));
    expect(screen.getByText('Second is now at place 1 of 2')).toBeInTheDocument();
    expect(button('Move Second up')).toBeDisabled();
  });
});
