import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DesktopView, Layout, Permission, ResponseVariables } from '../lib/api/types';
import type { Sent } from '../test-page';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { DesktopEditor } from './desktop-editor';
import { usePanels } from './desktop-panels';
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
        translations: {},
        prompts: [
          { field: 'routing_number', text: 'Routing, please.' },
          { field: 'account_number', text: 'Account, please.' },
        ],
      },
    ],
  },
  passwords_set: [],
  secrets_set: [],
  agents: 0,
  standing: { state: 'live', reasons: [] },
  saved_at: 0,
  saved_by: 'm.lee',
};

function edit(permissions = ALL, view = stored, responseVariables: ResponseVariables = { allow: 'all' }) {
  const onSaved = vi.fn();
  const Page = () => <DesktopEditor view={view} login={loginOf(...permissions)} responseVariables={responseVariables} justSaved={false} panels={usePanels()} onSaved={onSaved} onDiscard={vi.fn()} />;
  renderPage(<Page />);
  return onSaved;
}
/** What was asked to change something. */
const changes = (requests: Sent[]) => requests.filter(({ method }) => method !== 'GET');
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const add = async (kind: string) => {
  await userEvent.click(screen.getByRole('option', { name: kind }));
  await userEvent.click(button('Add'));
  await screen.findByRole('textbox', { name: 'Window Title' });
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

  test('s11 beside the option to show the security code stands when to turn it on', async () => {
    edit();
    await add('Credit Card Basic');
    const dialog = within(screen.getByRole('dialog'));
    await userEvent.click(dialog.getByRole('button', { name: 'More' }));
    const reveal = dialog.getByRole('checkbox', { name: 'Agent may hold to show the security code' });
    expect(reveal).not.toBeChecked();
    expect(reveal).toHaveAccessibleDescription(/^Turn this on only where another system asks for the code/);
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
    await waitFor(() => expect(changes(requests)).toHaveLength(1));
    expect(changes(requests)[0]).toMatchObject({
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
    await waitFor(() => expect(onSaved).toHaveBeenCalledOnce());
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

  test('c22 i15 s1 the Designer tab is there once the layout with it is saved; before, its place says how', async () => {
    fakeServer(() => ({ json: { designs: [], frame_hosts: [] } }));
    const designed = (layout: Layout): DesktopView => ({ ...stored, desktop: { ...stored.desktop, service: 'designer', layout } });
    const tabs = () => screen.getAllByRole('tab').map(({ textContent }) => textContent);
    edit(ALL, designed('extended_panel'));
    await userEvent.click(screen.getByRole('radio', { name: 'Agent Panel + Designer' }));
    expect(tabs()).toEqual(['Agent Panel', 'Extended Panel']);
    expect(screen.getByText('Designer: choose the layout Agent Panel + Designer and save first.')).toBeVisible();
    cleanup();
    edit(ALL, designed('designer'));
    await userEvent.click(screen.getByRole('tab', { name: 'Designer' }));
    expect(await screen.findByText(/There is no designer desktop yet/)).toBeVisible();
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
    await waitFor(() => expect(changes(requests)).toHaveLength(1));
    expect(changes(requests)[0]?.body).toMatchObject({ widgets: [{}, { title: 'Card payment', gateway: null }] });
  });

  const second = { ...stored.desktop.widgets[0]!, id: 'w2', title: 'Second' };
  const two: DesktopView = { ...stored, desktop: { ...stored.desktop, widgets: [...stored.desktop.widgets, second] } };
  const order = () => screen.getAllByRole('row').map((row) => row.textContent?.match(/Bank to CRM|Second/)?.[0]);
  const chosen = async (title: string, act: string) => {
    await userEvent.click(button(`Actions: ${title}`));
    await userEvent.click(await screen.findByRole('menuitem', { name: act }));
  };

  test('c21 n8 widgets are put in order by Alt with an arrow key and by the menu, announced', async () => {
    edit(ALL, two);
    await userEvent.click(screen.getByRole('row', { name: 'Second' }));
    await userEvent.keyboard('{Alt>}{ArrowUp}{/Alt}');
    expect(order()).toEqual(['Second', 'Bank to CRM']);
    expect(screen.getByText('Second is now at place 1 of 2')).toBeInTheDocument();
    await userEvent.keyboard('{Alt>}{ArrowUp}{/Alt}');
    expect(order()).toEqual(['Second', 'Bank to CRM']);
    await chosen('Second', 'Move down');
    expect(order()).toEqual(['Bank to CRM', 'Second']);
    await userEvent.click(button('Actions: Second'));
    expect(screen.getByRole('menuitem', { name: 'Move down' })).toHaveAttribute('aria-disabled', 'true');
  });

  test('n8 a removed widget comes back to its place by Undo', async () => {
    edit(ALL, two);
    await chosen('Bank to CRM', 'Remove');
    expect(order()).toEqual(['Second']);
    await userEvent.click(button('Undo'));
    expect(order()).toEqual(['Bank to CRM', 'Second']);
    expect(screen.getByText('Bank to CRM is back')).toBeInTheDocument();
  });

  test('n3 n4 the Extended Panel tab holds Available Widgets with the four kinds; the Agent Panel tab what agents can open', async () => {
    edit();
    expect(screen.getByRole('tab', { name: 'Extended Panel' })).toHaveAttribute('aria-selected', 'true');
    expect(within(screen.getByRole('listbox', { name: 'Available Widgets' })).getAllByRole('option').map(({ textContent }) => textContent)).toEqual(['Credit Card Basic', 'Check Basic', 'Credit Card Advanced', 'Check Advanced']);
    await userEvent.click(screen.getByRole('tab', { name: 'Agent Panel' }));
    expect(within(screen.getByRole('region', { name: 'What agents can open' })).getByText('Bank to CRM')).toBeVisible();
  });

  test('n5 n7 select and Add opens the Add screen of each of the four kinds, and Escape adds nothing', async () => {
    edit();
    for (const kind of ['Credit Card Basic', 'Check Basic', 'Credit Card Advanced', 'Check Advanced']) {
      await add(kind);
      expect(within(screen.getByRole('dialog')).getByRole('heading', { name: kind })).toBeVisible();
      await userEvent.keyboard('{Escape}');
      expect(screen.queryByRole('dialog')).toBeNull();
    }
    expect(screen.getAllByRole('row')).toHaveLength(1);
    expect(button('Save')).toBeDisabled();
  });

  test('n5 s6 Enter and a double-click on an available widget open its Add screen', async () => {
    edit();
    await userEvent.dblClick(screen.getByRole('option', { name: 'Check Basic' }));
    expect(await screen.findByRole('dialog')).toHaveTextContent('Check Basic');
    await userEvent.click(button('Cancel'));
    await userEvent.click(screen.getByRole('option', { name: 'Check Advanced' }));
    await userEvent.keyboard('{Enter}');
    expect(await screen.findByRole('dialog')).toHaveTextContent('Check Advanced');
  });

  test('s5 a save that agents feel says first what it changes and for how many', async () => {
    const requests = fakeServer(() => ({ json: { ...stored, desktop: { ...stored.desktop, revision: 5 } } }));
    edit(ALL, { ...two, agents: 112 });
    await chosen('Second', 'Disable');
    await userEvent.click(button('Save'));
    const dialog = within(await screen.findByRole('dialog', { name: 'What this save changes' }));
    expect(dialog.getByText(/next idle moment of 112 agents/)).toBeVisible();
    expect(dialog.getByRole('row', { name: /Second.*Enabled yes no/ })).toBeVisible();
    expect(changes(requests)).toHaveLength(0);
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(changes(requests).map(({ method }) => method)).toEqual(['PUT']));
  });

  test('s5 when someone else saved meanwhile both changes are shown, and what is chosen is saved over theirs', async () => {
    const theirs: DesktopView = { ...two, saved_by: 's.ortiz', desktop: { ...two.desktop, revision: 9, name: 'Collections Canada', layout: 'extended_panel' } };
    const requests = fakeServer(({ method, body }) => {
      if (method === 'GET') return { json: theirs };
      const { revision } = body as { revision: number };
      return revision === 9 ? { json: { ...theirs, desktop: { ...theirs.desktop, revision: 10 } } } : { status: 409, json: { title: 'Conflict', status: 409, code: 'conflict' } };
    });
    const onSaved = edit(ALL, two);
    await userEvent.type(screen.getByRole('textbox', { name: 'Name' }), ' US');
    await chosen('Second', 'Disable');
    await userEvent.click(button('Save'));
    expect(await screen.findByText(/s.ortiz saved revision 9/)).toBeVisible();
    const dialog = within(screen.getByRole('dialog', { name: 'Two people changed this desktop' }));
    const group = (name: string) => within(dialog.getByRole('radiogroup', { name }));
    expect(group('Desktop: Name').getByRole('radio', { name: 'Take mine' })).toBeChecked();
    expect(group('Desktop: Layout').getByRole('radio', { name: 'Take theirs' })).toBeChecked();
    expect(group('Second: Enabled').getByRole('radio', { name: 'Take mine' })).toBeChecked();
    for (const text of ['Collections', 'Collections US', 'Collections Canada']) expect(dialog.getByText(text)).toBeVisible();
    await userEvent.click(dialog.getByRole('button', { name: 'Use this choice' }));
    expect(screen.getByRole('radio', { name: 'Agent Panel + Extended Panel' })).toBeChecked();
    await userEvent.click(button('Save'));
    await waitFor(() => expect(onSaved).toHaveBeenCalledOnce());
    expect(changes(requests).at(-1)?.body).toMatchObject({ name: 'Collections US', layout: 'extended_panel', revision: 9, widgets: [{ enabled: true }, { enabled: false }] });
  });

  test('the live preview shows the agent\'s own widget with unsaved texts, driven by a simulated customer', async () => {
    edit();
    const preview = within(await screen.findByRole('region', { name: 'Live preview' }));
    expect(preview.getByRole('button', { name: 'Customer keys a digit' })).toBeDisabled();
    await userEvent.click(preview.getByRole('button', { name: /^Check/ }));
    expect(await preview.findByText('Routing, please.')).toBeVisible();
    await userEvent.click(preview.getByRole('button', { name: 'Customer keys a digit' }));
    expect(preview.getAllByText('1 digit keyed')[0]).toBeVisible();
    await userEvent.click(preview.getByRole('button', { name: 'Wrong number' }));
    expect(preview.getAllByText(/That routing number is not valid/)[0]).toBeVisible();
    await userEvent.click(preview.getByRole('button', { name: 'Customer keys the whole value' }));
    expect(await preview.findByText('Account, please.')).toBeVisible();
    expect(preview.queryByRole('button', { name: 'Approve' })).toBeNull();
  });
});

describe('o13 o14 o15 what the agent types, under More', () => {
  const openMore = async (kind: string) => {
    await add(kind);
    const dialog = within(screen.getByRole('dialog'));
    await userEvent.click(dialog.getByRole('button', { name: 'More' }));
    return dialog;
  };

  /** OK, Save, and what was sent of the new widget's options. */
  const saved = async (dialog: ReturnType<typeof within>, requests: Sent[]) => {
    await userEvent.type(dialog.getByRole('textbox', { name: 'Window Title' }), 'Card');
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Visa' }));
    await userEvent.click(dialog.getByRole('button', { name: 'OK' }));
    await userEvent.click(button('Save'));
    const [sent] = changes(requests);
    return (sent?.body as { widgets: { options: (typeof stored.desktop.widgets)[0]['options'] }[] }).widgets[1]!.options;
  };

  test('fields of the tab Demographic are hidden, required and moved', async () => {
    const requests = fakeServer(({ method }) => (method === 'GET' ? { json: stored } : { status: 422, json: { errors: [] } }));
    edit();
    const dialog = await openMore('Credit Card Advanced');
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Company: shown' }));
    expect(dialog.getByRole('checkbox', { name: 'Company: shown' })).not.toBeChecked();
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Phone: required' }));
    await userEvent.click(dialog.getByRole('button', { name: 'Move Last name up' }));
    const { demographic } = await saved(dialog, requests);
    expect(demographic.map(({ name }) => name).slice(0, 3)).toEqual(['lastName', 'firstName', 'address1']);
    expect(demographic.find(({ name }) => name === 'phone')).toEqual({ name: 'phone', required: true, prefill: 'nothing' });
  });

  test('amounts, the fee and what the customer may arrange', async () => {
    const requests = fakeServer(({ method }) => (method === 'GET' ? { json: stored } : { status: 422, json: { errors: [] } }));
    edit();
    const dialog = await openMore('Credit Card Advanced');
    await userEvent.type(dialog.getByRole('textbox', { name: /^Smallest amount/ }), '5');
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Add a fee to the amount' }));
    await userEvent.type(dialog.getByRole('textbox', { name: /^Percent of the amount/ }), '2.5');
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Payment plan' }));
    const { payment } = await saved(dialog, requests);
    expect(payment).toEqual({ ...payment, amount_min: '5', amount_max: null, fee: { label: 'Fee', percent_hundredths: 250, fixed: null }, arrangements: ['now', 'plan'] });
  });

  test('OK refuses rules that no payment can meet', async () => {
    edit();
    const dialog = await openMore('Check Advanced');
    await userEvent.type(dialog.getByRole('textbox', { name: /^Largest amount/ }), '1,5');
    await userEvent.clear(dialog.getByRole('textbox', { name: /^Currencies/ }));
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Pay now' }));
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Add a fee to the amount' }));
    await userEvent.click(dialog.getByRole('button', { name: 'OK' }));
    for (const text of [/^List 1 to 10 currencies/, 'Tick when the customer may pay.', /^A fee has a percentage/]) expect(dialog.getByText(text)).toBeVisible();
  });

  test('only a check can have its account number keyed twice, and Basic asks for nothing typed', async () => {
    edit();
    const check = await openMore('Check Basic');
    expect(check.getByRole('checkbox', { name: 'Account number is keyed twice' })).not.toBeChecked();
    expect(check.queryByRole('group', { name: 'Demographic fields' })).toBeNull();
    await userEvent.click(check.getByRole('button', { name: 'Cancel' }));
    const card = await openMore('Credit Card Advanced');
    expect(card.queryByRole('checkbox', { name: 'Account number is keyed twice' })).toBeNull();
  });
});

test('s19 w35 a Response Agent Message Key that is not allowed is greyed, listed ones are a choice', async () => {
  const openGateway = async (variables: ResponseVariables) => {
    edit(ALL, stored, variables);
    await add('Credit Card Advanced');
    const dialog = within(screen.getByRole('dialog'));
    await userEvent.click(dialog.getByRole('tab', { name: 'Payment Gateway Config' }));
    return dialog;
  };
  const none = await openGateway({ allow: 'none' });
  const key = none.getByRole('textbox', { name: 'Response Agent Message Key' });
  expect(key).toBeDisabled();
  expect(key).toHaveAccessibleDescription('Ask a Security admin to activate response variables.');
  await userEvent.click(none.getByRole('button', { name: 'Cancel' }));
  cleanup();
  const listed = await openGateway({ allow: 'listed', names: ['result.text'] });
  await userEvent.click(listed.getByRole('button', { name: /Response Agent Message Key/ }));
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['No message', 'result.text']);
});
