import { describe, expect, test } from 'vitest';
import { amountText, moneyText, parseMoney } from '../i18n/format';
import { emptyForm, looksLikeCard, problemsOf, toPaymentForm } from './payment-form';

const filled = { ...emptyForm({ firstName: 'Jane', lastName: 'Roe', company: ' ' }), amount: '120.5' };

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
    expect(problemsOf(emptyForm())).toEqual({ firstName: 'form.required', lastName: 'form.required', amount: 'form.required' });
    expect(toPaymentForm(emptyForm(), false)).toBeUndefined();
  });

  test('is sent trimmed, without empty values, and with the account type for checks only', () => {
    const card = { amount: { minor: 12_050, currency: 'USD' }, values: { firstName: 'Jane', lastName: 'Roe' } };
    expect(toPaymentForm(filled, false)).toEqual(card);
    expect(toPaymentForm(filled, true)).toEqual({ ...card, values: { ...card.values, accountType: 'checking' } });
  });

  test('refuses what looks like a card number, however it is spaced', () => {
    const digits = `4${'1'.repeat(15)}`;
    for (const text of [digits, digits.replace(/(.{4})(?=.)/g, '$1 '), digits.replace(/(.{4})(?=.)/g, '$1-'), `ref ${digits} end`])
      expect(looksLikeCard(text)).toBe(true);
    for (const text of ['INV-2291', '8005550100', digits.replace(/1$/, '2'), '1'.repeat(16)]) expect(looksLikeCard(text)).toBe(false);
    expect(problemsOf({ ...filled, values: { ...filled.values, description: digits } })).toEqual({ description: 'form.card_typed' });
  });
});
