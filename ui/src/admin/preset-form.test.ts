/** What a preset does to a form, and what is still missing after it. */
import { expect, test } from 'vitest';
import type { GatewayPreset } from '../lib/api/types';
import { newWidget } from './desktop-form';
import { PRESETS } from './preset-fixtures';
import { begun, missingIn, presetsFor } from './preset-form';

const [adyen, stripe] = PRESETS as [GatewayPreset, GatewayPreset];
const card = newWidget('credit_card_advanced', 'Card', true);

test('a preset is found by words of its gateway, for its kind of widget', () => {
  const ids = (search: string, kind = card) => presetsFor(kind, PRESETS, search).map(({ id }) => id);
  expect(ids('')).toEqual(['adyen-card', 'stripe-card']);
  expect(ids('checkout ADYEN')).toEqual(['adyen-card']);
  expect(ids('nothing')).toEqual([]);
  expect(ids('', newWidget('check_advanced', 'Check', true))).toEqual(['nmi-check']);
});

test('it takes the place of the gateway and nothing else, and says what it cannot know', () => {
  const first = { ...card, title: 'Pay', gateway: { ...card.gateway!, success_key: 'old', more: { secrets: ['old'] } } };
  const { draft, missing } = begun(first, adyen);
  expect(draft.title).toBe('Pay');
  expect(draft.gateway).toMatchObject({ success_key: 'resultCode', send_standard_parameters: false, more: { secrets: ['api_key'], constants: [{ name: 'merchant_account', value: '' }] } });
  expect(missing).toEqual([
    { path: 'gateway.more.constants.0.value', what: 'value' },
    { path: 'gateway.more.secrets.0', what: 'secret' },
  ]);
});

test('what is entered is not missing any more', () => {
  const from = begun(card, adyen);
  const { draft } = from;
  const named = { ...draft, gateway: { ...draft.gateway!, more: { ...draft.gateway!.more, constants: [{ name: 'merchant_account', value: 'Mine' }] } } };
  expect(missingIn(from, named).map(({ what }) => what)).toEqual(['secret']);
  expect(missingIn(from, { ...named, secrets: { api_key: 'x' } })).toEqual([]);
});

test('a stored secret and password count for the host that they were entered for only', () => {
  const stored = { ...card, passwordSetAt: 1, secretsSetAt: { api_key: 1 } };
  const kinds = (draft: typeof card) => begun(draft, stripe).missing.map(({ what }) => what);
  expect(kinds(stored)).toEqual(['secret', 'password']);
  expect(kinds({ ...stored, gateway: { ...card.gateway!, service_url: 'https://api.stripe.com/other' } })).toEqual([]);
});
