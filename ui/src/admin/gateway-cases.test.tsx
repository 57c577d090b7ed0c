/** Saved cases: judged as the form stands, shown green and red, and again before the form is taken. */
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CheckedCase, SavedCase } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import type { WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import GatewayMore from './gateway-more';
import WidgetSheet from './widget-sheet';

afterEach(() => vi.unstubAllGlobals());

const CASE: SavedCase = { name: 'no funds', status: 402, headers: [], body: '{}', expected: { outcome: 'declined', message: '', outputs: {} } };
const GREEN: CheckedCase[] = [{ name: 'no funds', outcome: 'declined', differences: [] }];
const RED: CheckedCase[] = [{ name: 'no funds', outcome: 'error', differences: [{ what: 'outcome', expected: 'declined', found: 'error' }, { what: 'outputs.code', expected: null, found: '7' }] }];

function widget(): WidgetDraft {
  const blank = newWidget('credit_card_advanced', 'Card', true);
  return { ...blank, card_types: ['visa'], gateway: { ...blank.gateway!, service_url: 'https://gateway.example/', success_key: 'a', success_value: 'b', more: { cases: [CASE] } } };
}

function open() {
  const held = { draft: widget() };
  function Held() {
    const [draft, setDraft] = useState(held.draft);
    held.draft = draft;
    return <GatewayMore draft={draft} errors={{}} onChange={(next) => setDraft({ ...draft, ...next })} may={{ messages: true, gateway: true, password: true }} responseVariables={{ allow: 'all' }} />;
  }
  renderPage(<Held />);
  return held;
}

describe('the group', () => {
  test('judges all cases and says what comes out otherwise', async () => {
    const requests = fakeServer(() => ({ json: RED }));
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Saved cases' }));
    expect(screen.getByText('no funds (status 402): Declined')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Judge the cases' }));
    expect(await screen.findByText('outcome: expected “declined”, came “error”')).toBeVisible();
    expect(screen.getByText('outputs.code: expected nothing, came “7”')).toBeVisible();
    expect(screen.getByText('Otherwise')).toBeVisible();
    expect(requests.find(({ path }) => path === '/gateway/cases')).toMatchObject({ method: 'POST', path: '/gateway/cases', body: { kind: 'credit_card_advanced', gateway: { success_key: 'a', more: { cases: [CASE] } } } });
  });

  test('a case is removed', async () => {
    const held = open();
    await userEvent.click(screen.getByRole('button', { name: 'Saved cases' }));
    await userEvent.click(screen.getByRole('button', { name: 'Remove no funds' }));
    expect(held.draft.gateway!.more).toEqual({});
    expect(screen.getByText('No case is saved.')).toBeVisible();
  });
});

describe('OK', () => {
  function sheet(answer: CheckedCase[] | 'refused') {
    const requests = fakeServer(({ path }) => (path !== '/gateway/cases' ? { json: [] } : answer === 'refused' ? { status: 422, json: { title: 'wrong' } } : { json: answer }));
    const onOk = vi.fn();
    renderPage(<WidgetSheet widget={widget()} desktopId="d1" others={[]} login={loginOf('desktop.edit', 'gateway.edit')} responseVariables={{ allow: 'all' }} serverErrors={{}} onOk={onOk} onCancel={vi.fn()} />);
    return { onOk, asked: () => requests.filter(({ path }) => path === '/gateway/cases').length };
  }
  const ok = () => userEvent.click(screen.getByRole('button', { name: 'OK' }));

  test('takes the form where every case comes out as it must', async () => {
    const { onOk, asked } = sheet(GREEN);
    await ok();
    await waitFor(() => expect(onOk).toHaveBeenCalledOnce());
    expect(asked()).toBe(1);
  });

  test('says which do not, and takes the form all the same when it is pressed again', async () => {
    const { onOk, asked } = sheet(RED);
    await ok();
    const alert = within(await screen.findByRole('alert', {}));
    expect(alert.getByText('1 saved case comes out otherwise. Press OK again to keep the gateway all the same.')).toBeVisible();
    expect(onOk).not.toHaveBeenCalled();
    await ok();
    expect(onOk).toHaveBeenCalledOnce();
    expect(asked()).toBe(1);
  });

  test('leaves to Save what the server refuses', async () => {
    const { onOk } = sheet('refused');
    await ok();
    await waitFor(() => expect(onOk).toHaveBeenCalledOnce());
  });
});
