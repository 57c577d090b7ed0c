import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Service } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import ServicesPage, { draftOf, formOf } from './services-page';

afterEach(() => vi.unstubAllGlobals());

const desktop = { id: 'd1', name: 'Collections US', service: 'standard', layout: 'agent_panel', widgets: 1, widgets_enabled: 1, agents: 2, revision: 1 };
const pbx: Service = {
  id: 's1',
  name: 'Collections',
  numbers: ['8005550100', '*'],
  route: { to: 'uri', uri: 'sip:100@192.0.2.5', address: '192.0.2.5:5060', agent: 'a.kim' },
  desktop: 'd1',
  protection: 'capture',
  after_call_s: 20,
  call_recording: { when: 'always', keep_days: 30 },
  screen_recording: { when: 'never', surfaces: 'entire_screen', required: true, keep_days: 14 },
  recorders: null,
  revision: 7,
};

function serve(save: (body: unknown) => { status?: number; json?: unknown }, services = [pbx]) {
  return fakeServer(({ method, path, body }) => {
    if (path === '/services' && method === 'GET') return { json: { services, recorder_controls: [], keeps_recordings: true } };
    if (path === '/desktops') return { json: { desktops: [desktop] } };
    return save(body);
  });
}
const button = (name: string) => screen.getByRole('button', { name });

test('a new service is sent as it was typed, and its sheet closes', async () => {
  const requests = serve((body) => ({ status: 201, json: { ...(body as object), id: 's2', recorders: null } }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.click(await screen.findByRole('button', { name: 'New service' }));
  expect(button('Save')).toBeDisabled();
  await userEvent.type(screen.getByRole('textbox', { name: /Name/ }), ' Billing ');
  await userEvent.type(screen.getByRole('textbox', { name: /Numbers/ }), '8005550101{Enter}8005550102, *');
  await userEvent.click(screen.getByRole('radio', { name: 'During the whole call' }));
  await userEvent.clear(screen.getByRole('textbox', { name: /After-call work/ }));
  await userEvent.type(screen.getByRole('textbox', { name: /After-call work/ }), '45');
  expect(screen.queryByRole('textbox', { name: /Keep recordings/ })).toBeNull();
  await userEvent.click(screen.getByRole('radio', { name: /Every call/ }));
  await userEvent.clear(screen.getByRole('textbox', { name: /Keep recordings/ }));
  await userEvent.type(screen.getByRole('textbox', { name: /Keep recordings/ }), '365');
  expect(screen.queryByRole('checkbox', { name: /No Basic capture/ })).toBeNull();
  await userEvent.click(screen.getByRole('radio', { name: 'During every call' }));
  await userEvent.click(screen.getByRole('checkbox', { name: /No Basic capture/ }));
  expect(screen.queryByText(/no folder for recordings/)).toBeNull();
  await userEvent.click(button('Save'));
  const sent = requests.find(({ method }) => method === 'POST');
  expect(sent?.body).toEqual({ name: 'Billing', numbers: ['8005550101', '8005550102', '*'], route: { to: 'agents' }, desktop: 'd1', protection: 'always', after_call_s: 45, call_recording: { when: 'always', keep_days: 365 }, screen_recording: { when: 'always', surfaces: 'any', required: true, keep_days: 90 }, revision: 0 });
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('what the server refuses stands at its input, a number by its name', async () => {
  const errors = [
    { field: 'numbers[1]', message: 'this number stands here twice' },
    { field: 'route.address', message: 'write address and port, for example 192.0.2.5:5060' },
    { field: 'call_recording.keep_days', message: 'choose 1 to 3650 days' },
  ];
  serve(() => ({ status: 422, json: { title: 'Invalid', status: 422, errors } }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await userEvent.click(button('Save'));
  const sheet = within(screen.getByRole('dialog'));
  expect(sheet.getByRole('textbox', { name: /Numbers/ })).toHaveAccessibleDescription(/\*: this number stands here twice/);
  expect(sheet.getByRole('textbox', { name: /Send to/ })).toHaveAccessibleDescription(/write address and port/);
  expect(sheet.getByRole('textbox', { name: /Keep recordings/ })).toHaveAccessibleDescription(/1 to 3650 days/);
});

test('who may not switch the feature reads services and edits none', async () => {
  serve(() => ({ status: 403 }));
  renderPage(<ServicesPage login={loginOf('desktop.edit')} />);
  const row = await screen.findByRole('row', { name: /Collections/ });
  expect(within(row).getByRole('link', { name: 'Not declared' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'New service' })).toBeNull();
  await userEvent.dblClick(row);
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('a sheet with changes asks before they are gone, one without does not', async () => {
  serve(() => ({ status: 500 }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  const open = async () => userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await open();
  await userEvent.click(button('Cancel'));
  expect(screen.queryByRole('dialog')).toBeNull();
  await open();
  await userEvent.type(screen.getByRole('textbox', { name: /Name/ }), ' UK');
  await userEvent.keyboard('{Escape}');
  await userEvent.click(button('Stay'));
  expect(screen.getByRole('textbox', { name: /Name/ })).toHaveValue('Collections UK');
  await userEvent.click(button('Cancel'));
  await userEvent.click(button('Discard'));
  expect(screen.queryByRole('dialog')).toBeNull();
});

test.each(['', '-1', '2.5', 'x', '99999'])('after-call work of "%s" s is for the server to refuse, not to be taken for none', (afterCall) => {
  expect(formOf({ ...draftOf(pbx, []), afterCall }, 7).after_call_s).toBeGreaterThan(600);
});

const withDays = (days: string) => {
  const draft = draftOf(pbx, []);
  return { ...draft, recorded: { ...draft.recorded, callDays: days, screenDays: days } };
};

test.each(['', '0.5', 'x', '99999'])('recordings kept for "%s" days are for the server to refuse', (keepDays) => {
  expect(formOf(withDays(keepDays), 7).call_recording?.keep_days).toBeGreaterThan(3650);
  expect(formOf(withDays(keepDays), 7).screen_recording?.keep_days).toBeGreaterThan(3650);
});

test('days that are not seen any more are as they were', async () => {
  const requests = serve((body) => ({ json: { ...pbx, ...(body as object) } }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await userEvent.clear(screen.getByRole('textbox', { name: /Keep recordings/ }));
  await userEvent.click(within(screen.getByRole('radiogroup', { name: /Record calls/ })).getByRole('radio', { name: 'Never' }));
  await userEvent.click(button('Save'));
  const sent = requests.find(({ method }) => method === 'PUT');
  expect((sent?.body as Service).call_recording).toEqual({ when: 'never', keep_days: 30 });
});

test('what no folder is there for is said where it is chosen', async () => {
  fakeServer(({ path }) => ({ json: path === '/services' ? { services: [pbx], recorder_controls: [], keeps_recordings: false } : { desktops: [desktop] } }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  expect(screen.getByText(/no folder for recordings/)).toBeVisible();
  await userEvent.click(within(screen.getByRole('radiogroup', { name: /Record calls/ })).getByRole('radio', { name: 'Never' }));
  expect(screen.queryByText(/no folder for recordings/)).toBeNull();
});

test('a service that is opened and saved unchanged stays as it is', () => {
  const { id: _id, recorders: _recorders, ...form } = pbx;
  expect(formOf(draftOf(pbx, []), pbx.revision)).toEqual(form);
});
