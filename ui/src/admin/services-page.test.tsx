import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Service } from '../lib/api/types';
import { withOffice } from '../lib/i18n/catalogue';
import { fakeServer, loginOf, renderPage } from '../test-page';
import ServicesPage, { draftOf, formOf } from './services-page';

// As the page is loaded: its sheet loads more words, and then only what was asked for is spoken.
beforeAll(async () => void (await withOffice(() => Promise.resolve({}))()));
afterEach(() => vi.unstubAllGlobals());

const desktop = { id: 'd1', name: 'Collections US', service: 'standard', layout: 'agent_panel', widgets: 1, widgets_enabled: 1, agents: 2, revision: 1 };
const pbx: Service = {
  id: 's1',
  name: 'Collections',
  numbers: ['8005550100', '*'],
  route: { to: 'uri', uri: 'sip:100@192.0.2.5', address: '192.0.2.5:5060', agent: 'a.kim' },
  desktop: 'd1',
  protection: 'capture',
  on_transfer: 'refuse',
  after_call_s: 20,
  call_recording: { when: 'always', keep_days: 30 },
  screen_recording: { when: 'never', surfaces: 'entire_screen', required: true, keep_days: 14 },
  recorders: null,
  revision: 7,
};

function serve(save: (body: unknown) => { status?: number; json?: unknown }, services = [pbx]) {
  return fakeServer(({ method, path, body }) => {
    if (path === '/services' && method === 'GET') return { json: { services, trunks: [], recorder_controls: [], keeps_recordings: true } };
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
  await userEvent.click(screen.getByRole('radio', { name: /capture ends/ }));
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
  expect(sent?.body).toEqual({ name: 'Billing', numbers: ['8005550101', '8005550102', '*'], route: { to: 'agents' }, desktop: 'd1', protection: 'always', on_transfer: 'end_capture', after_call_s: 45, call_recording: { when: 'always', keep_days: 365 }, screen_recording: { when: 'always', surfaces: 'any', required: true, keep_days: 90 }, revision: 0 });
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

test('of a service at a PBX without a fixed agent it is said how its calls find their agents', async () => {
  const pairing: Service['pairing'] = { extension: 'to', code: false, agents: ['u1', 'u2'] };
  const requests = serve((body) => ({ json: body }), [{ ...pbx, pairing }]);
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  expect(screen.queryByRole('group', { name: 'Whose page shows a call' })).toBeNull();
  await userEvent.clear(screen.getByRole('textbox', { name: /^Agent/ }));
  const ways = within(await screen.findByRole('group', { name: 'Whose page shows a call' }));
  expect(ways.getByText(/2 agents are named/)).toBeVisible();
  await userEvent.click(ways.getByRole('button', { name: /Extension from/ }));
  await userEvent.click(await screen.findByRole('option', { name: /request URI/ }));
  await userEvent.click(ways.getByRole('checkbox', { name: 'Agents may key a code' }));
  await userEvent.click(button('Save'));
  const sent = requests.find(({ method }) => method === 'PUT')?.body as { pairing: unknown; route: unknown };
  expect([sent.pairing, sent.route]).toEqual([{ extension: 'request_uri', code: true, agents: ['u1', 'u2'] }, { ...pbx.route, agent: null }]);
});

test('numbers of a pool are entered, and what the server says of one is said at their field', async () => {
  const pool = { numbers: ['+15550201', '+15550202'], reserve_s: 90, quarantine_s: 60 };
  const requests = serve(() => ({ status: 422, json: { title: 'Invalid', status: 422, errors: [{ field: 'pool.numbers[1]', message: 'leads elsewhere' }] } }), [{ ...pbx, route: { ...pbx.route, agent: null } as Service['route'] }]);
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  const inputs = within(await screen.findByRole('group', { name: 'Numbers for one call' }));
  await userEvent.click(inputs.getByRole('checkbox', { name: 'Reserve numbers for agents' }));
  await userEvent.type(inputs.getByRole('textbox', { name: /Numbers of the pool/ }), '+15550201{Enter}+15550202');
  await userEvent.clear(inputs.getByRole('textbox', { name: /has to arrive/ }));
  await userEvent.type(inputs.getByRole('textbox', { name: /has to arrive/ }), '90');
  await userEvent.click(button('Save'));
  expect(await inputs.findByText('+15550202: leads elsewhere')).toBeVisible();
  const sent = requests.find(({ method }) => method === 'PUT')?.body as { pool: unknown };
  expect(sent.pool).toEqual(pool);
});

test('hours are entered a day at a time, and a day that is wrong is named', async () => {
  const errors = [{ field: 'hours.open[1]', message: 'write a time and a later one' }];
  const requests = serve(() => ({ status: 422, json: { title: 'Invalid', status: 422, errors } }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await userEvent.click(await screen.findByRole('checkbox', { name: 'New calls in these hours alone' }));
  const week = within(screen.getByRole('group', { name: 'Hours of the week' }));
  expect(week.getAllByRole('textbox').map((day) => (day as HTMLInputElement).value)).toEqual([...Array.from({ length: 5 }, () => '08:00-17:00'), '', '']);
  for (const day of ['Wednesday', 'Thursday', 'Friday']) await userEvent.clear(week.getByRole('textbox', { name: day }));
  await userEvent.clear(week.getByRole('textbox', { name: 'Tuesday' }));
  await userEvent.type(week.getByRole('textbox', { name: 'Tuesday' }), 'noon');
  await userEvent.type(screen.getByRole('textbox', { name: /Closed on these dates/ }), '2026-12-25');
  await userEvent.click(button('Save'));
  expect(await week.findByText('write a time and a later one')).toBeVisible();
  expect(week.getByRole('textbox', { name: 'Tuesday' })).toBeInvalid();
  const sent = requests.find(({ method }) => method === 'PUT')?.body as { hours: { open: unknown; closed: unknown; closed_dates: unknown } };
  expect([sent.hours.open, sent.hours.closed, sent.hours.closed_dates]).toEqual([[{ day: 'monday', from: '08:00', until: '17:00' }, { day: 'tuesday', from: 'noon', until: '' }], null, ['2026-12-25']]);
});

test('the list says by the server’s word whether a service is open, in its own time', async () => {
  const hours = { zone: 'Asia/Tokyo', open: [], closed_dates: [], closed: null };
  const monday = Date.now() + 86_400_000;
  const when = new Intl.DateTimeFormat('en', { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Tokyo' }).format(monday);
  const all = [{ is_open: true, until: monday }, { is_open: false, until: monday }, { is_open: false, until: null }].map((hours_now, place) => ({ ...pbx, id: `s${place}`, hours, hours_now }));
  serve(() => ({ json: {} }), [...all, { ...pbx, id: 's9' }]);
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  const cells = (await screen.findAllByRole('rowheader')).map((cell) => cell.textContent?.replace(/\s+/g, ' ').trim());
  expect(cells).toEqual(['Collections Open now', `Collections Closed until ${when.replace(/\s+/g, ' ')}`, 'Collections Closed', 'Collections']);
});

test('a route leads to a trunk of the server’s file, by the number that was called or another', async () => {
  const requests = fakeServer(({ method, path, body }) => {
    if (path === '/services' && method === 'GET') return { json: { services: [pbx], trunks: ['carrier', 'pbx'], recorder_controls: [], keeps_recordings: true } };
    if (path === '/desktops') return { json: { desktops: [desktop] } };
    return { json: body };
  });
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await userEvent.click(screen.getByRole('radio', { name: /^A trunk of the server/ }));
  await userEvent.click(screen.getByRole('button', { name: /^carrier/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'pbx' }));
  await userEvent.type(screen.getByRole('textbox', { name: /Number there/ }), '+4930100');
  await userEvent.click(button('Save'));
  const sent = requests.find(({ method }) => method === 'PUT')?.body as { route: unknown };
  expect(sent.route).toEqual({ to: 'trunk', trunk: 'pbx', number: '+4930100', agent: 'a.kim' });
});

test('no trunk is offered where the server’s file has none, but a stored one stays as it was', async () => {
  const gone: Service = { ...pbx, route: { to: 'trunk', trunk: 'gone', number: null, agent: null } };
  const { id: _id, recorders: _recorders, ...form } = gone;
  expect(formOf(draftOf(gone, []), gone.revision)).toMatchObject({ route: form.route });
  serve((body) => ({ json: body }));
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  expect(screen.getByRole('radio', { name: /PBX/ })).toBeChecked();
  expect(screen.queryByRole('radio', { name: /trunk/ })).toBeNull();
});

test('a service of a group says so in the list, stays so, and is for all agents again when that is chosen', async () => {
  const night: Service = { ...pbx, route: { to: 'agents', group: 'Night' } };
  const { id: _id, recorders: _recorders, ...form } = night;
  expect(formOf(draftOf(night, []), night.revision)).toEqual(form);
  const requests = serve((body) => ({ json: body }), [night]);
  renderPage(<ServicesPage login={loginOf('spc.enable')} />);
  expect(await screen.findByText('Agents of Night, longest idle first')).toBeVisible();
  await userEvent.dblClick(await screen.findByRole('row', { name: /Collections/ }));
  await userEvent.click(await screen.findByRole('button', { name: /Night \(nobody\)/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'All agents' }));
  await userEvent.click(button('Save'));
  const sent = requests.find(({ method }) => method === 'PUT')?.body as { route: unknown };
  expect(sent.route).toEqual({ to: 'agents' });
});

test('a service with a fixed agent keeps what was said before of finding them', () => {
  const form = formOf(draftOf(pbx, [desktop as never]), 7);
  expect('pairing' in form).toBe(false);
});
