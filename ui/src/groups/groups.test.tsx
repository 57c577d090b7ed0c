import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { withPairing } from '../pairing/with-pairing';
import { fakeServer, renderPage } from '../test-page';
import GroupChoice from './group-choice';
import GroupsInput from './groups-input';

beforeAll(async () => void (await withPairing(() => Promise.resolve({}))()));
afterEach(() => vi.unstubAllGlobals());

const told = vi.fn<(value: string) => void>();

function Choice({ stored }: { stored: string }) {
  const [value, setValue] = useState(stored);
  return <GroupChoice value={value} onChange={(next) => { told(next); setValue(next); }} error={undefined} />;
}

function Groups({ readOnly = false }: { readOnly?: boolean }) {
  const [value, setValue] = useState('Sales');
  return <GroupsInput value={value} inUse={['Sales', 'VIP']} onChange={(next) => { told(next); setValue(next); }} readOnly={readOnly} error="VIP: use 1 to 40 characters" />;
}

const serve = (groups: { name: string; agents: number }[]) => fakeServer(() => ({ json: { services: [], trunks: [], recorder_controls: [], groups, keeps_recordings: true } }));

test('a service is for all agents or for one of the groups, each with how many are in it', async () => {
  serve([{ name: 'Night', agents: 0 }, { name: 'Sales', agents: 1 }]);
  renderPage(<Choice stored="" />);
  await userEvent.click(await screen.findByRole('button', { name: /Which agents/ }));
  const options = (await screen.findAllByRole('option')).map((option) => option.textContent);
  expect(options).toEqual(['All agents', 'Night (nobody)', 'Sales (1 agent)']);
  await userEvent.click(screen.getByRole('option', { name: 'Sales (1 agent)' }));
  expect(told).toHaveBeenLastCalledWith('Sales');
  expect(screen.queryByText(/ring for no one/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: /Which agents/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'Night (nobody)' }));
  expect(await screen.findByText(/ring for no one/)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: /Which agents/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'All agents' }));
  expect(told).toHaveBeenLastCalledWith('');
});

test('a group that is written otherwise than by whoever is in it is the same', async () => {
  serve([{ name: 'Sales', agents: 2 }]);
  renderPage(<Choice stored="SALES" />);
  expect(await screen.findByRole('button', { name: /Sales \(2 agents\)/ })).toBeVisible();
});

test('groups are written, or added by the names in use, and what is wrong stands with them', async () => {
  renderPage(<Groups />);
  const input = screen.getByRole('textbox', { name: 'Groups of agents' });
  expect(input).toHaveAccessibleDescription(/VIP: use 1 to 40 characters/);
  const offered = within(screen.getByRole('group', { name: 'Groups in use' }));
  expect(offered.getAllByRole('button').map((button) => button.textContent)).toEqual(['Add VIP']);
  await userEvent.click(offered.getByRole('button', { name: 'Add VIP' }));
  expect(input).toHaveValue('Sales, VIP');
  expect(screen.queryByRole('group', { name: 'Groups in use' })).toBeNull();
  await userEvent.type(input, ', Night');
  expect(told).toHaveBeenLastCalledWith('Sales, VIP, Night');
});

test('whoever may not change a user reads the groups and adds none', () => {
  renderPage(<Groups readOnly />);
  expect(screen.getByRole('textbox', { name: 'Groups of agents' })).toBeDisabled();
  expect(screen.queryByRole('button')).toBeNull();
});
