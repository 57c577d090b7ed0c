import { describe, expect, test } from 'vitest';
import { amountText, moneyText, parseMoney } from '../i18n/format';
import { FIRST_DEMOGRAPHIC, FIRST_PAYMENT } from './first-inputs';
import type { Asked, Typed } from './payment-form';
import { emptyForm, feeOf, looksLikeCard, originOf, problemsOf, toPaymentForm, totalOf, typedIn, withPrefill } from './payment-form';

const TODAY = '2026-11-26';
const ASKED: Asked = { demographic: FIRST_DEMOGRAPHIC, payment: FIRST_PAYMENT };
const EMPTY = { ...emptyForm(), currency: 'USD' };
const filled: Typed = { ...emptyForm({ firstName: 'Jane', lastName: 'Roe', company: ' ' }), amount: '120.5', currency: 'USD' };
const asking = (payment: Partial<Asked['payment']>): Asked => ({ ...ASKED, payment: { ...FIRST_PAYMENT, ...payment } });
const typing = (values: Typed['values']): Typed => ({ ...filled, values: { ...filled.values, ...values } });

describe('amounts', () => {
  test('keep their decimals and their currency', () => {
    expect(parseMoney('120.5', 'USD')).toEqual({ minor: 12_050, currency: 'USD' });
    expect(parseMoney('1200', 'JPY')).toEqual({ minor: 1_200, currency: 'JPY' });
    expect(moneyText({ minor: 112_050, currency: 'USD' })).toBe('1,120.50 USD');
    expect(amountText({ minor: 5, currency: 'USD' })).toBe('0.05');
    expect(amountText({ minor: 1_200, currency: 'JPY' })).toBe('1200');
  });

  test('are read and written with the mark of the language', () => {
    expect(parseMoney('120,5', 'EUR', 'de')).toEqual({ minor: 12_050, currency: 'EUR' });
    expect(parseMoney('120.50', 'EUR', 'de')).toEqual({ minor: 12_050, currency: 'EUR' });
    expect(moneyText({ minor: 112_050, currency: 'EUR' }, 'de')).toBe('1.120,50 EUR');
    for (const [text, currency, locale] of [['1.120', 'KWD', 'de'], ['1,120', 'KWD', 'en'], ['120,50', 'USD', 'en'], ['1.120,50', 'EUR', 'de']] as const)
      expect(parseMoney(text, currency, locale)).toBeUndefined();
  });

  test.each(['', '0', '0.00', '-1', '1,5', '1.234', '1e3', '1 000', '100000000.00'])('"%s" is none', (text) => {
    expect(parseMoney(text, 'USD')).toBeUndefined();
  });
});

describe('the form', () => {
  test('names what is missing', () => {
    expect(problemsOf(EMPTY, ASKED, TODAY)).toEqual({ firstName: { id: 'form.required' }, lastName: { id: 'form.required' }, amount: { id: 'form.required' } });
    expect(toPaymentForm(EMPTY, ASKED, false, TODAY)).toBeUndefined();
  });

  test('is sent trimmed, without empty values, and with the account type for checks only', () => {
    const card = { amount: { minor: 12_050, currency: 'USD' }, values: { firstName: 'Jane', lastName: 'Roe' } };
    expect(toPaymentForm(filled, ASKED, false, TODAY)).toEqual(card);
    expect(toPaymentForm(filled, ASKED, true, TODAY)).toEqual({ ...card, values: { ...card.values, accountType: 'checking' } });
  });

  test('refuses what looks like a card number, however it is spaced', () => {
    const digits = `4${'1'.repeat(15)}`;
    for (const text of [digits, digits.replace(/(.{4})(?=.)/g, '$1 '), digits.replace(/(.{4})(?=.)/g, '$1-'), `ref ${digits} end`])
      expect(looksLikeCard(text)).toBe(true);
    for (const text of ['INV-2291', '8005550100', digits.replace(/1$/, '2'), '1'.repeat(16)]) expect(looksLikeCard(text)).toBe(false);
    expect(problemsOf({ ...filled, values: { ...filled.values, description: digits } }, ASKED, TODAY)).toEqual({ description: { id: 'form.card_typed' } });
  });
});

describe('o13 the tab Demographic', () => {
  const call = { caller: 'Jane Mary Roe', caller_number: '+15550100199' };
  const asked: Asked = {
    ...ASKED,
    demographic: [
      { name: 'lastName', required: true, prefill: 'caller_name' },
      { name: 'firstName', required: false, prefill: 'caller_name' },
      { name: 'phone', required: true, prefill: 'caller_number' },
    ],
  };

  test('begins with what the call says, until the agent types something else', () => {
    expect(withPrefill(emptyForm(), asked, call).values).toMatchObject({ firstName: 'Jane', lastName: 'Mary Roe', phone: '+15550100199' });
    expect(withPrefill(emptyForm({ firstName: '', phone: '911' }), asked, call).values).toMatchObject({ firstName: '', phone: '911' });
    const anonymous = withPrefill(emptyForm(), asked, { caller: '+15550100199', caller_number: '+15550100199' });
    expect(anonymous.values).toMatchObject({ firstName: '', lastName: '', phone: '+15550100199' });
  });

  test('requires what the widget requires and sends nothing that it does not ask for', () => {
    const form = { ...typing({ company: 'ACME', phone: '' }) };
    expect(problemsOf(form, asked, TODAY)).toEqual({ phone: { id: 'form.required' } });
    expect(toPaymentForm(typing({ company: 'ACME', phone: '911' }), asked, false, TODAY)?.values).toEqual({ lastName: 'Roe', firstName: 'Jane', phone: '911' });
  });
});

describe('s14 what the API told of the customer', () => {
  const told = (values: Record<string, string>, minor?: number) => ({ caller: 'Jane Roe', caller_number: '', consumer: { amount: minor ? { minor, currency: 'EUR' } : null, values } });
  const given = told({ firstName: 'Ann', reference: 'INV-1' }, 12_050);

  test('fills what nobody typed, and is named as its origin', () => {
    const form = withPrefill(emptyForm({ lastName: 'Roe' }), ASKED, given);
    expect(form).toMatchObject({ amount: '120.50', currency: 'EUR', values: { firstName: 'Ann', lastName: 'Roe', reference: 'INV-1' } });
    expect([originOf('firstName', 'Ann', given), originOf('lastName', 'Roe', given), originOf('firstName', 'Anna', given)]).toEqual(['typed.from_crm', undefined, undefined]);
    expect(withPrefill({ ...emptyForm({ firstName: '' }), amount: '1' }, ASKED, given)).toMatchObject({ amount: '1', values: { firstName: '' } });
    expect(withPrefill(emptyForm(), asking({ currencies: ['USD'] }), given)).toMatchObject({ amount: undefined, currency: 'USD' });
  });

  test('may come later: only what the agent typed stays', () => {
    const filled = withPrefill(emptyForm(), ASKED, undefined);
    const typed = typedIn({ ...filled, values: { ...filled.values, lastName: 'Doe' } }, filled, emptyForm());
    expect(withPrefill(typed, ASKED, given)).toMatchObject({ amount: '120.50', values: { firstName: 'Ann', lastName: 'Doe' } });
  });

  test('s15 holds references that may look like a card number, as they came', () => {
    const digits = `4${'1'.repeat(15)}`;
    const form = (reference: string, call?: typeof given) => problemsOf({ ...withPrefill({ ...filled, values: { ...filled.values, reference } }, ASKED, call), currency: 'USD' }, ASKED, TODAY);
    expect(form(digits, told({ reference: digits }))).toEqual({});
    expect(form(digits)).toEqual({ reference: { id: 'form.card_typed' } });
  });

  test('o14 is the amount where nobody may type it, and nothing is charged without', () => {
    const asked = asking({ amount_source: 'api' });
    const form = withPrefill({ ...filled, amount: '1.00' }, asked, given);
    expect(toPaymentForm(form, asked, false, TODAY)?.amount).toEqual({ minor: 12_050, currency: 'EUR' });
    expect(problemsOf(withPrefill({ ...filled, amount: '1.00' }, asked, told({})), asked, TODAY)).toEqual({ amount: { id: 'form.amount_awaited' } });
  });
});

describe('o14 the tab Payment', () => {
  test('takes the currencies and amounts that the widget takes', () => {
    expect(withPrefill(emptyForm(), asking({ currencies: ['EUR', 'USD'] }), undefined).currency).toBe('EUR');
    expect(withPrefill({ ...filled, currency: 'USD' }, asking({ currencies: ['EUR', 'USD'] }), undefined).currency).toBe('USD');
    const limits = asking({ amount_min: '5.00', amount_max: '500', reference_required: true });
    const wrong = (amount: string) => problemsOf({ ...typing({ reference: 'R1' }), amount }, limits, TODAY).amount;
    expect([wrong('4.99'), wrong('5.00'), wrong('500.00'), wrong('500.01')]).toEqual([
      { id: 'form.amount_min', limit: { minor: 500, currency: 'USD' } },
      undefined,
      undefined,
      { id: 'form.amount_max', limit: { minor: 50_000, currency: 'USD' } },
    ]);
    expect(problemsOf(filled, limits, TODAY)).toEqual({ reference: { id: 'form.required' } });
  });

  test('adds the fee as the server does', () => {
    const fee = (percent_hundredths: number, fixed: string | null, minor: number) => feeOf({ minor, currency: 'USD' }, { label: 'Fee', percent_hundredths, fixed })?.minor;
    expect([fee(250, null, 10_000), fee(250, '1.00', 10_020), fee(250, null, 20), fee(250, null, 19)]).toEqual([250, 351, 1, 0]);
    const asked = asking({ fee: { label: 'Fee', percent_hundredths: 200, fixed: null } });
    expect(totalOf(filled, asked)).toEqual({ minor: 12_291, currency: 'USD' });
    expect(toPaymentForm(filled, asked, false, TODAY)).toMatchObject({ amount: { minor: 12_050 }, fee: '2.41' });
    expect(toPaymentForm({ ...filled, amount: '0.19' }, asked, false, TODAY)).not.toHaveProperty('fee');
  });

  test('q7 sends a down payment and an amount each as the server reads them, within what the widget allows', () => {
    const asked = asking({ arrangements: ['plan'], plan_months_max: 1, plan_part_min: '25.00' });
    const plan = { arrangementStart: '2026-12-31', arrangementInterval: 'weekly', arrangementDownPayment: '20.5', arrangementAmount: '50' };
    expect(toPaymentForm(typing(plan), asked, false, TODAY)?.values).toMatchObject({ arrangementType: 'plan', arrangementAmount: '50.00', arrangementDownPayment: '20.50' });
    expect(problemsOf(typing({ ...plan, arrangementAmount: '24.99' }), asked, TODAY)).toEqual({ arrangementAmount: { id: 'form.plan_part', limit: { minor: 2_500, currency: 'USD' } } });
    expect(problemsOf(typing({ ...plan, arrangementDownPayment: '120.50' }), asked, TODAY)).toMatchObject({ arrangementDownPayment: { id: 'form.down_payment' } });
    const long = { arrangementStart: '2026-12-31', arrangementCount: '3', arrangementInterval: 'monthly' };
    expect(problemsOf(typing(long), asked, TODAY)).toEqual({ arrangementCount: { id: 'form.plan_months' } });
  });

  test('sends the arrangement that was chosen, and nothing of another one', () => {
    const asked = asking({ arrangements: ['now', 'one_date', 'plan'] });
    const sent = (values: Typed['values']) => toPaymentForm(typing(values), asked, false, TODAY)?.values;
    const names = { firstName: 'Jane', lastName: 'Roe' };
    expect(sent({ arrangementType: 'now', arrangementDate: '2026-12-24' })).toEqual(names);
    expect(sent({ arrangementType: 'one_date', arrangementDate: '2026-12-24', arrangementStart: '2026-12-24' })).toEqual({ ...names, arrangementType: 'one_date', arrangementDate: '2026-12-24' });
    const plan = { arrangementType: 'plan', arrangementStart: '2026-12-31', arrangementCount: '6' };
    expect(sent(plan)).toEqual({ ...names, ...plan, arrangementInterval: 'monthly' });
    expect(problemsOf(typing({ ...plan, arrangementCount: '1' }), asked, TODAY)).toEqual({ arrangementCount: { id: 'form.plan' } });
    expect(problemsOf(typing({ arrangementType: 'plan' }), asked, TODAY)).toEqual({ arrangementStart: { id: 'form.date_ahead' } });
    expect(problemsOf(typing({ arrangementType: 'one_date', arrangementDate: '2026-11-25' }), asked, TODAY)).toEqual({ arrangementDate: { id: 'form.date_ahead' } });
    expect(toPaymentForm(typing({ arrangementType: 'plan' }), asking({}), false, TODAY)?.values).toEqual(names);
  });
});
