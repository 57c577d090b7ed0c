/** What a new widget asks the agent for, as the server has it (S3). */
import type { DemographicInput, PaymentInputs } from '../api/types';
import { DEMOGRAPHIC } from './payment-form';

export const FIRST_DEMOGRAPHIC: DemographicInput[] = DEMOGRAPHIC.map((name) => ({ name, required: name === 'firstName' || name === 'lastName', prefill: 'nothing' }));

export const FIRST_PAYMENT: PaymentInputs = {
  currencies: ['USD', 'CAD', 'EUR', 'GBP'],
  amount_source: 'agent',
  amount_min: null,
  amount_max: null,
  reference_required: false,
  description_required: false,
  fee: null,
  arrangements: ['now'],
  plan_months_max: 24,
  plan_part_min: null,
};
