import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { DesignerDesktop, Tile } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import DesignHistoryPage from './design-history';

afterEach(() => vi.unstubAllGlobals());

const tile = (id: number, content: Tile['content'], row = 1): Tile => ({ id, place: { column: 1, row, width: 12, height: 2 }, content });
const bar = tile(1, { kind: 'call_bar' });
const script = (text: string, row: number) => tile(2, { kind: 'script', text }, row);
const design = (revision: number, name: string, tiles: Tile[]): DesignerDesktop => ({ id: 'g1', name, tiles, revision });
const REVISIONS = [
  design(3, 'Billing UK', [bar, script('Say hello.', 5), tile(3, { kind: 'notes' }, 7)]),
  design(2, 'Billing', [bar, script('Say hi.', 3), tile(3, { kind: 'customer' }, 5)]),
  design(1, 'Billing', [bar]),
];

function serve() {
  return fakeServer(({ method, path }) => {
    if (method === 'POST') return { json: { design: REVISIONS[1], used_by: ['Sales'] } };
    const revision = REVISIONS.find((one) => path === `/designer-desktops/g1/history/${one.revision}`);
    if (revision) return { json: { design: revision, saved_at: 0, saved_by: 'm.lee' } };
    const changed = [[{ what: 'name', tiles: 0 }, { what: 'added', tiles: 1 }, { what: 'moved', tiles: 2 }], [{ what: 'added', tiles: 2 }], []];
    const brief = ({ revision: n }: DesignerDesktop, place: number) => ({ revision: n, saved_at: 0, saved_by: 'm.lee', changed: changed[place] });
    if (path.endsWith('/history')) return { json: { revisions: REVISIONS.map(brief), more: false } };
    return { json: { designs: [{ design: REVISIONS[0], used_by: ['Sales'] }], frame_hosts: [] } };
  });
}

test('each revision says what it changed, and the newest is compared with the one before, tile by tile', async () => {
  serve();
  renderPage(<DesignHistoryPage id="g1" login={loginOf('desktop.edit')} />);
  expect(await screen.findByRole('button', { name: /Revision 3.*Name, 1 tile added, 2 tiles moved or resized/ })).toBeVisible();
  const table = await screen.findByRole('table');
  const rows = within(table).getAllByRole('row').slice(1).map((row) => [...row.children].map(({ textContent }) => textContent));
  expect(rows).toEqual([
    ['Designer DesktopName', 'Billing', 'Billing UK'],
    ['ScriptPlace', 'Script, column 1, row 3, 12 wide, 2 high', 'Script, column 1, row 5, 12 wide, 2 high'],
    ['ScriptText', 'Say hi.', 'Say hello.'],
    ['NotesPlace', '(empty)', 'Notes, column 1, row 7, 12 wide, 2 high'],
    ['CustomerPlace', 'Customer, column 1, row 5, 12 wide, 2 high', '(empty)'],
  ]);
});

test('an older revision is restored over the newest, after a question that names who uses the design', async () => {
  const requests = serve();
  renderPage(<DesignHistoryPage id="g1" login={loginOf('desktop.edit')} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Restore revision 2' }));
  const question = screen.getByRole('alertdialog');
  expect(question).toHaveTextContent('Desktop that uses it: Sales.');
  await userEvent.click(within(question).getByRole('button', { name: 'Restore revision 2' }));
  await waitFor(() => expect(requests.find(({ method }) => method === 'POST')).toMatchObject({ path: '/designer-desktops/g1/history/2/restore', body: { revision: 3 } }));
  await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
});

test('who may not edit desktops reads and restores nothing', async () => {
  serve();
  renderPage(<DesignHistoryPage id="g1" login={loginOf('gateway.edit')} />);
  expect(await screen.findByRole('table')).toBeVisible();
  expect(screen.queryByRole('button', { name: /Restore/ })).toBeNull();
});
