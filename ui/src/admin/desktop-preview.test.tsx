import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { DesignerDesktop, Tile } from '../lib/api/types';
import { begin, commit } from '../designer/history';
import type { Drafts } from '../designer/drafts';
import { useDrafts } from '../designer/drafts';
import { fakeServer, renderPage } from '../test-page';
import type { DesktopDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import DesktopPreview from './desktop-preview';

afterEach(() => vi.unstubAllGlobals());

const tile = (id: number, content: Tile['content'], row: number): Tile => ({ id, place: { column: 1, row, width: 12, height: 4 }, content });
const DESIGN: DesignerDesktop = {
  id: 'g1',
  name: 'Billing',
  revision: 1,
  tiles: [tile(1, { kind: 'call_bar' }, 1), tile(2, { kind: 'script', text: 'Good morning.' }, 5), tile(3, { kind: 'control_buttons' }, 9), tile(4, { kind: 'payment', payment: 'card' }, 13)],
};
const DRAFT: DesktopDraft = {
  name: 'Sales',
  service: 'designer',
  layout: 'designer',
  revision: 1,
  widgets: [{ ...newWidget('credit_card_basic', '', false), title: 'Card by phone', enabled: true }],
};

async function show(design: string | null, drafted?: (drafts: Drafts) => Drafts) {
  fakeServer(() => ({ json: { designs: [{ design: DESIGN, used_by: [] }], frame_hosts: [] } }));
  const Page = () => {
    const drafts = useDrafts();
    return <DesktopPreview draft={DRAFT} design={design} drafts={drafted?.(drafts) ?? drafts} />;
  };
  renderPage(<Page />);
  return within(await screen.findByRole('region', { name: 'Live preview' }));
}

test('the design of the desktop is drawn by the agent\'s own layout, and a widget opens in its tile', async () => {
  const preview = await show('g1');
  expect(await preview.findByText('Good morning.')).toBeVisible();
  expect(preview.getByText('Card payments open here.')).toBeVisible();
  expect(preview.queryByRole('main')).toBeNull();
  await userEvent.click(preview.getByRole('button', { name: /^Credit card/ }));
  expect(await preview.findByRole('region', { name: 'Card by phone' })).toBeVisible();
  expect(preview.queryByText('Card payments open here.')).toBeNull();
});

test('tiles are drawn as they are drafted', async () => {
  const tiles = [...DESIGN.tiles, tile(5, { kind: 'script', text: 'Not saved yet.' }, 20)];
  const preview = await show('g1', (drafts) => ({ ...drafts, of: () => commit(begin<readonly Tile[]>(DESIGN.tiles), tiles) }));
  expect(await preview.findByText('Not saved yet.')).toBeVisible();
});

test('a design that was chosen and is not saved yet is drawn, too', async () => {
  const preview = await show(null, (drafts) => ({ ...drafts, chosen: 'g1' }));
  expect(await preview.findByText('Good morning.')).toBeVisible();
});

test('without a design it is the Agent Panel, as agents have it', async () => {
  const preview = await show(null);
  expect(await preview.findByRole('button', { name: /^Credit card/ })).toBeVisible();
  expect(preview.queryByText('Good morning.')).toBeNull();
});
