/** Start from a preset: found, seen, taken, taken back. */
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { FormEvent } from 'react';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fakeServer, renderPage } from '../test-page';
import type { Errors, WidgetDraft } from './desktop-form';
import { newWidget } from './desktop-form';
import { FormSheet } from './form-sheet';
import GatewayPresets from './gateway-presets';
import { PRESETS } from './preset-fixtures';

afterEach(() => vi.unstubAllGlobals());

function open(change: Partial<WidgetDraft> = {}) {
  const requests = fakeServer(() => ({ json: PRESETS }));
  const blank = newWidget('credit_card_advanced', 'Card', true);
  const held: { draft: WidgetDraft; errors: Errors } = { draft: { ...blank, gateway: { ...blank.gateway!, success_key: 'old' }, ...change }, errors: {} };
  function Held() {
    const [draft, setDraft] = useState(held.draft);
    const [errors, setErrors] = useState<Errors>({ title: 'wrong' });
    Object.assign(held, { draft, errors });
    return <GatewayPresets draft={draft} errors={errors} onChange={setDraft} onErrors={setErrors} />;
  }
  renderPage(<Held />);
  return { held, requests };
}

const press = (name: string) => userEvent.click(screen.getByRole('button', { name }));

describe('Start from a preset', () => {
  test('is found by the gateway, shows what it changes, and marks what is missing', async () => {
    const { held, requests } = open();
    await press('Start from a preset');
    const dialog = within(screen.getByRole('dialog'));
    await userEvent.type(await dialog.findByRole('textbox', { name: 'Search by gateway' }), 'adyen');
    expect(dialog.getAllByRole('radio').map((radio) => radio.getAttribute('value'))).toEqual(['adyen-card']);
    expect(dialog.getByRole('button', { name: 'Take over' })).toBeDisabled();
    await userEvent.click(dialog.getByRole('radio', { name: 'Adyen Checkout' }));
    expect(dialog.getByText(/merchant account of their own/)).toBeVisible();
    expect(dialog.getByRole('rowheader', { name: /Response Success Key/ })).toBeVisible();
    await userEvent.click(dialog.getByRole('button', { name: 'Take over' }));
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /gateway-presets']);
    expect(held.draft.gateway!.success_key).toBe('resultCode');
    expect(held.errors).toEqual({ 'gateway.more.constants.0.value': 'Enter your own value.', 'gateway.more.secrets.0': 'Enter this secret.' });
    expect(screen.getByRole('status')).toHaveTextContent('Adyen Checkout is in the form. 2 values are still missing; they are marked.');
  });

  test('goes back to what was there, with its errors', async () => {
    const { held } = open();
    await press('Start from a preset');
    await userEvent.click(await screen.findByRole('radio', { name: 'Stripe' }));
    await press('Take over');
    expect(held.errors).toHaveProperty('gateway_password', 'Enter the password.');
    await press('Undo');
    expect(held.draft.gateway!.success_key).toBe('old');
    expect(held.errors).toEqual({ title: 'wrong' });
    expect(screen.getByRole('status')).toHaveTextContent('The gateway is as it was before.');
  });

  test('a check widget has presets for checks, and a search without a find says so', async () => {
    open({ kind: 'check_advanced' });
    await press('Start from a preset');
    expect(await screen.findByRole('radio', { name: /NMI/ })).toBeVisible();
    await userEvent.type(screen.getByRole('textbox', { name: 'Search by gateway' }), 'zzz');
    expect(screen.getByText('No preset has this name.')).toBeVisible();
  });
});

test('a form of a sheet that is opened from another form is not sent with that', async () => {
  const outer = vi.fn((event: FormEvent) => event.preventDefault());
  const inner = vi.fn();
  renderPage(
    <Form onSubmit={outer}>
      <FormSheet title="Over it" onClose={vi.fn()} submit={{ label: 'Send', ready: true, run: inner }}>
        <p>Text</p>
      </FormSheet>
    </Form>,
  );
  await press('Send');
  expect(inner).toHaveBeenCalledOnce();
  expect(outer).not.toHaveBeenCalled();
});
