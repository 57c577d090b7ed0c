/** Presets as the server offers them, for tests and looks. */
import type { GatewayPreset } from '../lib/api/types';
import { FIRST_GATEWAY } from './desktop-form';
import { fullOf } from './more-form';

type Given = Pick<GatewayPreset, 'id' | 'title' | 'kind' | 'fill'> & { notes?: string[]; gateway: Omit<Partial<GatewayPreset['gateway']>, 'more'> & { more?: Parameters<typeof fullOf>[0] } };

function preset({ gateway: { more, ...gateway }, notes = [], ...about }: Given): GatewayPreset {
  return { ...about, notes, gateway: { ...FIRST_GATEWAY, send_standard_parameters: false, ...gateway, more: fullOf(more ?? {}) } };
}

export const PRESETS: readonly GatewayPreset[] = [
  preset({
    id: 'adyen-card',
    title: 'Adyen Checkout',
    kind: 'card',
    fill: ['more.constants[0].value'],
    notes: ['Sales on the telephone need a merchant account of their own (MOTO).', 'The address is that of the test system.'],
    gateway: {
      service_url: 'https://checkout-test.adyen.com/v72/payments',
      success_key: 'resultCode',
      success_value: 'Authorised',
      request_headers: [{ name: 'X-API-Key', value: '{secret.api_key}' }],
      more: { constants: [{ name: 'merchant_account', value: '' }], secrets: ['api_key'], verdict: { declined: ['resultCode = Refused|Cancelled'] } },
    },
  }),
  preset({
    id: 'stripe-card',
    title: 'Stripe',
    kind: 'card',
    fill: [],
    gateway: { service_url: 'https://api.stripe.com/v1/payment_intents', success_key: 'status', success_value: 'succeeded', auth_method: 'basic', auth_user_name: '{secret.api_key}', more: { secrets: ['api_key'] } },
  }),
  preset({ id: 'nmi-check', title: 'NMI (Gateway Services) ACH', kind: 'check', fill: [], gateway: { service_url: 'https://secure.networkmerchants.com/api/transact.php', success_key: 'response', success_value: '1' } }),
];
