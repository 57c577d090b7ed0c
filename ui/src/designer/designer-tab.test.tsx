import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DesignView, Tile } from '../lib/api/types';
import type { Sent } from '../test-page';
import { fakeServer, renderPage } from '../test-page';
import DesignerTab from './designer-tab';
import { useDrafts } from './drafts';

afterEach(() => vi.unstubAllGlobals());

const tile = (id: number, content: Tile['content'], [column, row, width, height]: [number, number, number, number]): Tile => ({ id, place: { column, row, width, height }, content });
const TILES: Tile[] = [
  tile(1, { kind: 'call_bar' }, [1, 1, 12, 2]),
  tile(2, { kind: 'customer' }, [1, 3, 4, 6]),
  tile(3, { kind: 'payment', payment: 'card' }, [5, 3, 8, 4]),
];
const design = (id: string, name: string, used_by: string[] = []): DesignView => ({ design: { id, name, tiles: TILES, revision: 1 }, used_by });

type House = { designs?: DesignView[]; used?: string | null; blocked?: boolean; editable?: boolean; put?: (sent: Sent) => { status?: number; json?: unknown }; /** The second time the designs are read. */ readAnew?: Promise<void> };

/** The tab of the desktop Sales, and what is asked of the server that has these designs. */
async function open({ designs = [design('g1', 'Billing'), design('g2', 'Sales UK')], used = 'g1', blocked = false, editable = true, put, readAnew }: House = {}) {
  let reads = 0;
  const requests = fakeServer(async (sent) => {
    if (sent.method === 'GET' && ++reads > 1) await readAnew;
    if (sent.method === 'GET') return { json: { designs, frame_hosts: ['crm.example'] } };
    return put?.(sent) ?? { json: { desktop_revision: 5, view: design('g1', 'Billing'), control_buttons_added: true } };
  });
  const Page = () => <DesignerTab desktop={{ id: 'd1', name: 'Sales', revision: 4, design: used }} drafts={useDrafts()} editable={editable} blocked={blocked} />;
  renderPage(<Page />);
  await screen.findByRole('region', { name: 'Designer' });
  return () => requests.filter(({ method }) => method !== 'GET');
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const card = () => button(/^Card payment, column/);
const said = () => screen.getAllByRole('status').map(({ textContent }) => textContent);
const names = () => screen.getAllByRole('button', { name: /, column / }).map(({ textContent }) => textContent);

describe('the Designer tab', () => {
  test('i16 i17 s7 a chosen design is saved with its canvas, and buttons that were added are told', async () => {
    const sent = await open();
    expect(button('Save Agent Desktop')).toBeDisabled();
    await userEvent.click(button(/Designer Desktop/));
    await userEvent.click(screen.getByRole('option', { name: 'Sales UK' }));
    await userEvent.click(button('Save Agent Desktop'));
    expect(sent()).toMatchObject([{ method: 'PUT', path: '/desktops/d1/design', body: { desktop_revision: 4, design: 'g2', name: 'Sales UK', tiles: TILES, revision: 1 } }]);
  });

  test('s7 what the server added is said after saving', async () => {
    await open();
    await userEvent.click(button('Add Notes'));
    await userEvent.click(button('Save Agent Desktop'));
    expect(await screen.findByText(/no control buttons/)).toBeVisible();
    expect(screen.getByText(/Agents get it when no payment is open/)).toBeVisible();
  });

  test('what was saved stays in sight while the designs are read anew', async () => {
    let read = () => {};
    const slow = new Promise<void>((done) => (read = done));
    const put = ({ body }: Sent) => ({ json: { desktop_revision: 4, view: { design: { ...(body as DesignView['design']), id: 'g1', revision: 2 }, used_by: ['Sales'] }, control_buttons_added: false } });
    await open({ put, readAnew: slow });
    await userEvent.click(button('Add Notes'));
    await userEvent.click(button('Save Agent Desktop'));
    expect(await screen.findByText(/Agents get it when no payment is open/)).toBeVisible();
    expect(button(/^Notes, column/)).toBeVisible();
    expect(button('Discard')).toBeDisabled();
    read();
  });

  test('c22 a tile is moved and resized by keys, each step says column and row, and Enter drops it', async () => {
    const sent = await open();
    card().focus();
    await userEvent.keyboard('{Enter}');
    expect(said()).toContain('Picked up: Card payment, column 5, row 3, 8 wide, 4 high');
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}{ArrowDown}');
    expect(said()).toContain('Card payment, column 3, row 4, 8 wide, 4 high');
    await userEvent.keyboard('{Shift>}{ArrowLeft}{ArrowDown}{/Shift}');
    expect(said()).toContain('Card payment, column 3, row 4, 7 wide, 5 high');
    await userEvent.keyboard('{Enter}');
    expect(said()).toContain('Dropped: Card payment, column 3, row 4, 7 wide, 5 high');
    expect(card()).toHaveFocus();
    expect(button('Customer, column 1, row 9, 4 wide, 6 high')).toBeVisible();
    await userEvent.click(button('Save Agent Desktop'));
    expect((sent()[0]?.body as { tiles: Tile[] }).tiles.map(({ id, place }) => [id, place.row])).toEqual([
      [1, 1],
      [3, 4],
      [2, 9],
    ]);
  });

  test('Tab order is reading order after a drop, and the tile keeps the focus', async () => {
    await open();
    expect(names()).toEqual(['Customer', 'Card payment']);
    card().focus();
    await userEvent.keyboard(' {ArrowLeft>4/}{Enter}');
    expect(names()).toEqual(['Card payment', 'Customer']);
    expect(card()).toHaveFocus();
  });

  test('Esc puts a tile back where it was, and so does leaving it', async () => {
    await open();
    card().focus();
    await userEvent.keyboard('{Enter}{ArrowDown}{Escape}');
    expect(said()).toContain('Card payment is back where it was');
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 3, 8 wide, 4 high');
    await userEvent.keyboard('{Enter}{ArrowDown}{Tab}');
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 3, 8 wide, 4 high');
    expect(button('Save Agent Desktop')).toBeDisabled();
  });

  test('Position takes numbers; Undo and Redo take them back and forth', async () => {
    await open();
    await userEvent.click(card());
    await userEvent.click(button('Position of Card payment'));
    const sheet = within(screen.getByRole('dialog', { name: 'Position of Card payment' }));
    const column = sheet.getByRole('textbox', { name: 'Column' });
    await userEvent.clear(column);
    expect(sheet.getByRole('button', { name: 'OK' })).toBeDisabled();
    await userEvent.type(column, '99');
    await userEvent.click(sheet.getByRole('button', { name: 'OK' }));
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 3, 8 wide, 4 high');
    await userEvent.click(button('Position of Card payment'));
    const row = screen.getByRole('textbox', { name: 'Row' });
    await userEvent.clear(row);
    await userEvent.type(row, '7{Enter}');
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 7, 8 wide, 4 high');
    await userEvent.click(button('Undo'));
    await userEvent.click(button('Undo'));
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 3, 8 wide, 4 high');
    await userEvent.click(button('Redo'));
    await userEvent.click(button('Redo'));
    expect(card()).toHaveAccessibleName('Card payment, column 5, row 7, 8 wide, 4 high');
  });

  test('a script is asked for its text when it is added, removed by a press, and only kinds that are missing can be added', async () => {
    await open();
    expect(button('Add Card payment')).toBeDisabled();
    await userEvent.click(button('Add Script'));
    const sheet = within(await screen.findByRole('dialog', { name: 'Script' }));
    await userEvent.type(sheet.getByRole('textbox', { name: 'Text' }), 'Good morning.');
    await userEvent.click(sheet.getByRole('button', { name: 'OK' }));
    expect(button('Script, column 1, row 9, 8 wide, 4 high')).toHaveTextContent('Good morning.');
    await userEvent.click(card());
    await userEvent.click(button(/^Script, column/));
    expect(screen.queryByRole('dialog')).toBeNull();
    await userEvent.click(button('Remove Script'));
    expect(screen.queryByRole('button', { name: /^Script, column/ })).toBeNull();
    await userEvent.click(button('Undo'));
    expect(button(/^Script, column/)).toBeVisible();
  });

  test('what the server refuses stands at its tile', async () => {
    const errors = [{ field: 'tiles[3].content.address', message: 'The server\'s file does not allow pages of this host.' }];
    await open({ put: () => ({ status: 422, json: { title: 'Invalid', status: 422, code: 'invalid', errors } }) });
    await userEvent.click(button('Add Web page'));
    const sheet = within(await screen.findByRole('dialog', { name: 'Web page' }));
    await userEvent.type(sheet.getByRole('textbox', { name: 'Name' }), 'Orders');
    await userEvent.type(sheet.getByRole('textbox', { name: 'Address' }), 'https://evil.example');
    await userEvent.click(sheet.getByRole('button', { name: 'OK' }));
    await userEvent.click(button('Save Agent Desktop'));
    expect(await screen.findByRole('alert')).toHaveTextContent('does not allow pages of this host');
    await userEvent.click(button('Edit Orders'));
    expect(screen.getByRole('textbox', { name: 'Address' })).toHaveAccessibleDescription(/does not allow/);
  });

  test('s7 others that use the design are named before saving, and a design in use is not deleted', async () => {
    await open({ designs: [design('g1', 'Billing', ['Sales', 'Collections'])] });
    expect(screen.getByText('This design is also used by Collections. Saving changes them too.')).toBeVisible();
    await userEvent.click(button('Delete'));
    const question = within(screen.getByRole('alertdialog'));
    expect(question.getByText(/It is used by Sales, Collections/)).toBeVisible();
    expect(question.getByRole('button', { name: 'Delete' })).toBeDisabled();
  });

  test('a duplicate takes what is drafted; a name is given and changed', async () => {
    const sent = await open({ put: ({ body }) => ({ json: design('g3', (body as { name: string }).name) }) });
    await userEvent.click(button('Add Notes'));
    await userEvent.click(button('Duplicate'));
    await userEvent.click(button('OK'));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(sent()[0]).toMatchObject({ method: 'POST', path: '/designer-desktops', body: { name: 'Copy of Billing' } });
    expect((sent()[0]?.body as { tiles: Tile[] }).tiles).toHaveLength(4);
    await userEvent.click(button('Rename'));
    const name = screen.getByRole('textbox', { name: 'Name' });
    await userEvent.clear(name);
    await userEvent.type(name, 'Billing UK{Enter}');
    await waitFor(() => expect(sent()[1]).toMatchObject({ method: 'PUT', path: '/designer-desktops/g1', body: { name: 'Billing UK', revision: 1 } }));
  });

  test('a tile is dragged by its head and by its corner, and one of the palette to a cell; Esc gives up', async () => {
    await open();
    const canvas = card().parentElement!.parentElement!;
    Object.defineProperty(canvas, 'clientWidth', { value: 1200 });
    canvas.getBoundingClientRect = () => new DOMRect(100, 100, 1200, 560);
    const user = userEvent.setup();
    const drag = async (from: Element, [x, y]: [number, number], { escape = false } = {}) => {
      await user.pointer([
        { keys: '[MouseLeft>]', target: from, coords: { clientX: 500, clientY: 200 } },
        { target: document.body, coords: { clientX: 500 + x, clientY: 200 + y } },
      ]);
      if (escape) await user.keyboard('{Escape}');
      await user.pointer('[/MouseLeft]');
    };
    await drag(card(), [-210, 50]);
    expect(card()).toHaveAccessibleName('Card payment, column 3, row 5, 8 wide, 4 high');
    await drag(card().nextElementSibling!, [-300, 60]);
    expect(card()).toHaveAccessibleName('Card payment, column 3, row 5, 5 wide, 6 high');
    await drag(card(), [300, 0], { escape: true });
    expect(card()).toHaveAccessibleName('Card payment, column 3, row 5, 5 wide, 6 high');
    await drag(button('Add Notes'), [650, -70]);
    expect(button(/^Notes, column/)).toHaveAccessibleName('Notes, column 9, row 3, 4 wide, 6 high');
    await drag(button('Add Bank payment'), [0, 900]);
    expect(screen.queryByRole('button', { name: /^Bank payment, column/ })).toBeNull();
  });

  test('narrow screens get the tiles as a list whose order can be changed', async () => {
    await open();
    await userEvent.click(screen.getByRole('radio', { name: 'Narrow' }));
    const list = within(screen.getByRole('list', { name: 'Tiles in reading order' }));
    const order = () => list.getAllByRole('listitem').map(({ textContent }) => textContent);
    expect(order()).toEqual(['Call bar', 'Customer', 'Card payment']);
    await userEvent.click(list.getByRole('button', { name: 'Move Card payment up' }));
    expect(order()).toEqual(['Call bar', 'Card payment', 'Customer']);
  });

  test('other changes of the desktop are saved first', async () => {
    await open({ used: null, blocked: true });
    expect(screen.getByText(/agents see the Agent Panel until Save Agent Desktop/)).toBeVisible();
    expect(button('Save Agent Desktop')).toBeDisabled();
    expect(screen.getByText("Save the desktop's other changes first.")).toBeVisible();
  });

  test('who may not edit sees the canvas, and no way to change or save it', async () => {
    await open({ editable: false });
    expect(card()).toBeVisible();
    for (const name of ['Save Agent Desktop', 'New', 'Delete']) expect(screen.queryByRole('button', { name })).toBeNull();
    expect(card().closest('[inert]')).not.toBeNull();
  });
});
