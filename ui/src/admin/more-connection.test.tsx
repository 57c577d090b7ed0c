/** The group Connection of "More": names that the server has, names that it has no more, and what is stored. */
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionNames, More } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import type { WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import GatewayMore from './gateway-more';

afterEach(() => vi.unstubAllGlobals());

const NAMES: ConnectionNames = { trust: ['acquirer', 'bank'], client_certificates: ['shop'], proxies: ['out'], default_proxy: null };

async function open(more: More, names: ConnectionNames = NAMES, gateway = true) {
  const requests = fakeServer(() => ({ json: names }));
  const blank = newWidget('credit_card_advanced', 'Card', true);
  let present: WidgetDraft = { ...blank, gateway: { ...blank.gateway!, more } };
  function Held() {
    const [draft, setDraft] = useState(present);
    present = draft;
    const errors = { 'gateway.more.connection.proxy': 'The server’s file has none.' };
    return <GatewayMore draft={draft} errors={errors} onChange={(next) => setDraft({ ...draft, ...next })} may={{ messages: true, gateway, password: true }} responseVariables={{ allow: 'all' }} />;
  }
  renderPage(<Held />);
  return { more: () => present.gateway!.more, requests };
}

const select = (name: string) => screen.getByRole('button', { name: new RegExp(`${name}$`) });

async function choose(field: string, name: string) {
  await userEvent.click(select(field));
  await userEvent.click(within(await screen.findByRole('listbox')).getByRole('option', { name }));
}

describe('Connection', () => {
  test('offers what the server’s file has, and stores what is chosen', async () => {
    const { more, requests } = await open({});
    await choose('Trusted authorities', 'bank');
    await choose('Client certificate', 'shop');
    expect(more()).toEqual({ connection: { trust: 'bank', client_certificate: 'shop' } });
    await choose('Trusted authorities', 'The system’s');
    await choose('Client certificate', 'None');
    expect(more()).toEqual({});
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /gateway-connections']);
  });

  test('says which name the server has no more, and which proxy is for all', async () => {
    await open({ connection: { trust: 'old' } }, { ...NAMES, default_proxy: 'out' });
    expect(await screen.findByRole('button', { name: /old \(not in the server’s file\) Trusted authorities/ })).toBeVisible();
    expect(select('Proxy')).toHaveTextContent('As for all: out');
    expect(select('Proxy')).toHaveAccessibleDescription(/The server’s file has none/);
  });

  test('is asked for only by who may change it', async () => {
    const { requests } = await open({ connection: { trust: 'bank' } }, NAMES, false);
    expect(select('Trusted authorities')).toHaveTextContent('bank');
    expect(select('Trusted authorities')).toBeDisabled();
    expect(requests).toEqual([]);
  });
});
