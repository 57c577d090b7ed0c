import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { renderPage } from '../../test-page';
import type { CaptureView, Field, FieldError } from '../api/types';
import en from '../i18n/en.json';
import { CaptureWidget } from './capture-widget';
import { NOW, atField, capture, obtained, outcomes, payment, row } from './fixtures';
import { emptyForm } from './payment-form';
import type { WidgetProps } from './props';
import type { Walk } from './walk';
import { firstStop } from './walk';

const commands = { act: vi.fn(), process: vi.fn(), reveal: vi.fn(), conceal: vi.fn(), newPayment: vi.fn(), readOut: vi.fn() };
beforeEach(() => Object.values(commands).forEach((command) => command.mockClear()));

const FILLED = { ...emptyForm({ firstName: 'Jane', lastName: 'Roe' }), amount: '120.50' };

function Widget({ stop, ...props }: Partial<WidgetProps> & { view: CaptureView; stop?: Walk['stop'] }) {
  const [walk, setWalk] = useState<Walk>({ stop: stop ?? firstStop(props.view), movedByItselfAt: 0 });
  const [form, setForm] = useState(props.form ?? emptyForm());
  return (
    <CaptureWidget
      commands={commands}
      now={NOW}
      held={false}
      lineSilent={false}
      busy={false}
      values={{}}
      keyboard
      walk={walk}
      onWalk={setWalk}
      {...props}
      form={form}
      onForm={setForm}
    />
  );
}

const group = (name: string) => screen.getByRole('group', { name });
const button = (name: string) => screen.getByRole('button', { name });

describe('before the first field', () => {
  test('while the line is not safe there is a warning and no prompt', () => {
    const view = capture('credit_card_basic', 'arming', { fields: [row('card_number', { prompt: 'Please key your card number.' })] });
    renderPage(<Widget view={view} />);
    expect(screen.getByText('Do not ask for the card yet')).toBeVisible();
    expect(screen.queryByText('Please key your card number.')).toBeNull();
    expect(screen.queryByText('Protected capture')).toBeNull();
  });

  test('once it is, the page says so, and shows the prompt of the row that listens', () => {
    const { rerender } = renderPage(<Widget view={capture('credit_card_basic', 'armed')} />);
    expect(screen.getByText('Line protected')).toBeVisible();
    expect(screen.queryByText('Please key your card number, then press #.')).toBeNull();
    rerender(<Widget view={capture('credit_card_basic', 'armed', { listening: 'card_number' })} />);
    expect(screen.getByText('Please key your card number, then press #.')).toBeVisible();
    expect(screen.getByText('Protected capture')).toBeVisible();
  });

  test('a refused protection names its reason and offers to try again', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'blocked', { reason: 'delay_line' })} />);
    expect(screen.getByText('The line could not be protected (the mask failed its self-check). No card may be taken.')).toBeVisible();
    await userEvent.click(button('Try again'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'try_again' });
  });

  test.each([
    ['protection_lost', 'Protection lost during capture. Capture stopped, digits discarded. Tell the customer to stop keying.'],
    ['lost', 'Call ended. Nothing was kept.'],
  ] as const)('%s', (state, text) => {
    renderPage(<Widget view={capture('check_advanced', state)} />);
    expect(screen.getByText(text)).toBeVisible();
  });
});

describe('when another person may be on the line', () => {
  test('the agent is asked, and nothing else can be done with the fields', async () => {
    renderPage(<Widget view={capture('credit_card_basic', 'frozen')} />);
    const question = screen.getByRole('group', { name: 'Is the same person still on the line?' });
    expect(within(question).getByRole('alert')).toHaveTextContent('Without an answer within 20 seconds');
    expect(button('Done - clear and resume')).toBeDisabled();
    expect(screen.queryByText('Say:')).toBeNull();
    await userEvent.click(within(question).getByRole('button', { name: 'Yes, the same person' }));
    expect(commands.act).toHaveBeenCalledWith({ do: 'same_person' });
    await userEvent.click(within(question).getByRole('button', { name: 'No, end the capture' }));
    expect(commands.act).toHaveBeenCalledWith({ do: 'other_person' });
  });

  test('what was typed stays while it is asked', () => {
    const { rerender } = renderPage(<Widget view={capture('credit_card_advanced', 'ready')} form={FILLED} stop="demographic" />);
    rerender(<Widget view={capture('credit_card_advanced', 'frozen')} form={FILLED} stop="demographic" />);
    screen.getByRole('group', { name: 'Is the same person still on the line?' });
    expect(screen.getByDisplayValue('Jane')).toBeVisible();
    expect(button('Process Payment')).toBeDisabled();
  });

  test.each([
    ['party_changed', 'The capture ended (somebody else is on the line). Nothing was kept.'],
    ['party_unanswered', 'The capture ended (nobody said who is on the line). Nothing was kept.'],
  ])('the end says why: %s', (reason, text) => {
    renderPage(<Widget view={capture('check_advanced', 'lost', { reason })} />);
    expect(screen.getByText(text)).toBeVisible();
  });
});

describe('rows', () => {
  test('say what the customer does', () => {
    renderPage(<Widget view={atField('credit_card_basic', 'card_number', { state: 'keying', count: 6 })} />);
    expect(within(group('Card number')).getByText('6 digits keyed')).toBeVisible();
    expect(within(group('Expiration date')).getByText('Waits for the card number')).toBeVisible();
  });

  test('an account number shows a count and no total', () => {
    renderPage(<Widget view={atField('check_basic', 'account_number', { state: 'keying', count: 1 })} />);
    expect(within(group('Account number')).getByText('1 digit keyed')).toBeVisible();
  });

  const ERRORS: [Field, FieldError, string][] = [
    ['card_number', { code: 'too_short', arrived: 12 }, 'Only 12 digits arrived. Ask the customer to key the whole card number and press #.'],
    ['card_number', { code: 'luhn' }, 'That card number is not valid. Ask the customer to key it again slowly.'],
    ['card_number', { code: 'brand_not_accepted', brand: 'american_express' }, 'American Express is not accepted here. Ask for Visa, Master Card, American Express or Discover.'],
    ['card_number', { code: 'brand_unknown' }, 'Card type not recognised. Ask the customer to check the number.'],
    ['expiry', { code: 'expiry_format' }, 'Month and year needed, for example 0 9 2 7 for September 2027.'],
    ['expiry', { code: 'expired' }, 'This card has expired. Ask for another card.'],
    ['security_code', { code: 'cvv_length', needed: 3 }, 'This card needs 3 digits: on the back.'],
    ['security_code', { code: 'cvv_length', needed: 4 }, 'This card needs 4 digits: on the front, American Express.'],
    ['routing_number', { code: 'aba_checksum' }, 'That routing number is not valid. It has 9 digits, bottom left of the check.'],
    ['account_number', { code: 'account_length' }, 'Account number must have 4 to 17 digits.'],
    ['card_number', { code: 'no_input' }, 'No keys received. Can the customer use the keypad? Some apps need the in-call keypad opened.'],
    ['card_number', { code: 'tones_unclear' }, 'Keys were received but could not be read. Ask the customer to press one key at a time.'],
    ['card_number', { code: 'max_attempts' }, 'Three attempts failed. Take another payment method or transfer the call.'],
  ];
  test.each(ERRORS)('%s refused as %o tells the agent what to say', (field, error, text) => {
    const kind = field === 'routing_number' || field === 'account_number' ? 'check_basic' : 'credit_card_basic';
    renderPage(<Widget view={atField(kind, field, { state: 'invalid', error }, 'invalid')} />);
    const names = { card_number: 'Card number', expiry: 'Expiration date', security_code: 'Security code', routing_number: 'Routing number', account_number: 'Account number' };
    expect(within(group(names[field])).getByText(text)).toBeVisible();
  });

  test('one field is captured again; the others keep "Obtained"', async () => {
    const view = atField('credit_card_advanced', 'expiry', { state: 'invalid', error: { code: 'expired' } }, 'invalid');
    renderPage(<Widget view={view} />);
    expect(within(group('Card number')).getByText('Obtained')).toBeVisible();
    await userEvent.click(button('Capture again: Expiration date'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'recapture', field: 'expiry' });
  });

  test('"Not available" is there only for an optional security code', async () => {
    const view = atField('credit_card_basic', 'security_code', { state: 'waiting' });
    const { rerender } = renderPage(<Widget view={view} />);
    expect(screen.queryByRole('button', { name: 'Not available' })).toBeNull();
    rerender(<Widget view={{ ...view, widget: { ...view.widget, security_code_optional: true } }} />);
    await userEvent.click(button('Not available'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'not_available', field: 'security_code' });
  });

  test('on hold nothing can be asked for, and the row says why', () => {
    renderPage(<Widget view={atField('credit_card_basic', 'card_number', { state: 'keying', count: 3 })} held />);
    expect(within(group('Card number')).getByText('On hold. Capture resumes when you resume the call')).toBeVisible();
    expect(screen.queryByRole('button', { name: /Ask now/ })).toBeNull();
  });

  test('keys that came before anyone asked are reported until a field is asked for', () => {
    const view = capture('credit_card_basic', 'armed');
    const { rerender } = renderPage(<Widget view={view} />);
    rerender(<Widget view={{ ...view, stray_keys: 3 }} />);
    const notice = 'Keys arrived before you asked. Please ask again.';
    const visible = () => screen.queryAllByText(notice).filter((node) => !node.closest('[aria-live]'));
    expect(visible()).toHaveLength(1);
    rerender(<Widget view={{ ...view, stray_keys: 3, listening: 'card_number' }} />);
    expect(visible()).toHaveLength(0);
  });
});

describe('Basic', () => {
  const fields = [obtained('card_number', { revealable: true, brand: 'visa' }), obtained('expiry', { revealable: true }), obtained('security_code')];
  const ready = capture('credit_card_basic', 'ready', { fields });

  test('reflects values grouped, and never the security code', () => {
    renderPage(<Widget view={ready} values={{ card_number: 'abcdefghijklmnop', expiry: '0929' }} />);
    expect(within(group('Card number')).getByText('abcd efgh ijkl mnop')).toBeVisible();
    expect(within(group('Card number')).getByText('Visa')).toBeVisible();
    expect(within(group('Expiration date')).getByText('09 / 29')).toBeVisible();
    const code = within(group('Security code'));
    expect(code.getByText('Obtained')).toBeVisible();
    expect(code.queryByRole('button', { name: /Show/ })).toBeNull();
    expect(document.querySelector('input')).toBeNull();
  });

  test('a hidden value can be shown again', async () => {
    renderPage(<Widget view={ready} />);
    await userEvent.click(button('Show: Card number'));
    expect(commands.reveal).toHaveBeenCalledWith('card_number');
  });

  test('a code that is shown by a press without a hold is gone at once', () => {
    const shown = fields.map((field) => (field.field === 'security_code' ? { ...field, revealable: true } : field));
    renderPage(<Widget view={capture('credit_card_basic', 'armed', { fields: shown })} />);
    // What assistive technology does: a click with no pointer before it.
    act(() => button('Hold to show').click());
    expect(commands.reveal.mock.calls).toEqual([['security_code']]);
    expect(commands.conceal.mock.calls).toEqual([['security_code']]);
  });

  test('Done works from the first field on and asks once when rows are missing', async () => {
    const { rerender } = renderPage(<Widget view={capture('credit_card_basic', 'armed')} />);
    expect(button('Done - clear and resume')).toBeDisabled();
    rerender(<Widget view={atField('credit_card_basic', 'expiry', { state: 'waiting' })} />);
    await userEvent.click(button('Done - clear and resume'));
    expect(commands.act).not.toHaveBeenCalled();
    await userEvent.click(button('Done anyway'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'done' });
  });

  test('after Done the agent confirms before recorders resume', async () => {
    const { rerender } = renderPage(<Widget view={capture('credit_card_basic', 'done')} />);
    expect(screen.getByText('Is the card number gone from every other window?')).toBeVisible();
    await userEvent.click(button('Yes, resume'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'confirm_gone' });
    rerender(<Widget view={capture('credit_card_basic', 'done', { confirm_gone: false })} />);
    expect(screen.getByText('Captured. Nothing was saved. Recording resumed.')).toBeVisible();
  });

  test('has no Process Payment', () => {
    renderPage(<Widget view={ready} />);
    expect(screen.queryByRole('button', { name: 'Process Payment' })).toBeNull();
  });
});

describe('Advanced', () => {
  test('valid keys give exactly "Obtained", no brand and no digits', () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'ready')} stop="payment" />);
    const text = group('Card number').textContent;
    expect(text).toBe('Card numberObtainedCapture again');
  });

  test('Next with missing names shows the errors and goes to the first', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'armed')} />);
    await userEvent.click(button('Next'));
    expect(screen.getByRole('tab', { name: /Demographic/ })).toHaveAttribute('aria-selected', 'true');
    const first = screen.getByRole('textbox', { name: 'First name' });
    expect(first).toBeInvalid();
    await waitFor(() => expect(first).toHaveFocus());
  });

  test('Next and Back walk the tabs, and Alt+N and Alt+B do the same', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'armed')} form={FILLED} />);
    const selected = () => screen.getByRole('tab', { selected: true }).textContent;
    await userEvent.click(button('Next'));
    expect(selected()).toContain('Payment');
    for (let stops = 0; stops < 4; stops += 1) await userEvent.keyboard('{Alt>}n{/Alt}');
    expect(selected()).toContain('Status');
    for (let stops = 0; stops < 5; stops += 1) await userEvent.keyboard('{Alt>}b{/Alt}');
    expect(selected()).toContain('Demographic');
  });

  test('Process Payment lists what is missing', () => {
    renderPage(<Widget view={atField('credit_card_advanced', 'expiry', { state: 'waiting' })} />);
    expect(button('Process Payment')).toBeDisabled();
    expect(button('Process Payment')).toHaveAccessibleDescription('Missing: First name, Last name, Amount, Expiration date, Security code');
  });

  test('Process Payment is asked inline and sent once, however fast it is pressed', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'ready')} form={FILLED} stop="status" />);
    await userEvent.click(button('Process Payment'));
    expect(screen.getByText('Charge 120.50 USD to the card of Jane Roe?')).toBeVisible();
    await userEvent.dblClick(button('Yes, charge 120.50 USD'));
    expect(commands.process).toHaveBeenCalledOnce();
    expect(commands.process).toHaveBeenCalledWith({ amount: { minor: 12_050, currency: 'USD' }, values: { firstName: 'Jane', lastName: 'Roe' } });
  });

  test('Ctrl+Enter twice asks and sends', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'ready')} form={FILLED} stop="status" />);
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    expect(commands.process).not.toHaveBeenCalled();
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    expect(commands.process).toHaveBeenCalledOnce();
  });

  test('Esc asks before it cancels', async () => {
    renderPage(<Widget view={atField('credit_card_advanced', 'expiry', { state: 'waiting' })} />);
    await userEvent.keyboard('{Escape}');
    expect(screen.getByText('Cancel this capture? Everything keyed is discarded.')).toBeVisible();
    expect(commands.act).not.toHaveBeenCalled();
    await userEvent.click(button('Yes, discard'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'cancel' });
  });

  test('a lost connection makes the buttons inert', () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'ready')} form={FILLED} stop="status" busy />);
    expect(button('Process Payment')).toBeDisabled();
    expect(button('Cancel')).toBeDisabled();
  });
});

describe('outcomes', () => {
  const EXPECTED = {
    processing: 'Sending payment... 12 s',
    approved: 'Approved 120.50 USD',
    declined: 'Declined',
    review: 'Held for review by the gateway. Do not take this payment again.',
    error: 'Not charged. The gateway refused the request (401).',
    not_sent: 'Not charged. The gateway could not be reached (no connection in time).',
    unknown: 'We do not know if the customer was charged. Do NOT take this payment again.',
    checking: 'We do not know if the customer was charged. Do NOT take this payment again.',
  };
  test.each(outcomes('credit_card_advanced').map((view) => [view.state, view] as const))('%s', (state, view) => {
    renderPage(<Widget view={view} form={FILLED} />);
    expect(within(screen.getByRole('status')).getByText(EXPECTED[state as keyof typeof EXPECTED])).toBeVisible();
    expect(screen.getByText('7F2K-91QD')).toBeVisible();
  });

  test.each([
    ['approved', 'Stored, nothing charged today'],
    ['unknown', 'We do not know if it is stored. Nothing was charged. Do NOT take this payment again.'],
  ] as const)('with nothing due today %s names no amount and no charge', (state, text) => {
    const stored = payment({ amount: { minor: 0, currency: 'USD' }, has_plan: true });
    renderPage(<Widget view={capture('check_advanced', state, { payment: stored })} form={FILLED} />);
    expect(screen.getByText(text)).toBeVisible();
    expect(screen.queryByText(/0\.00/)).toBeNull();
  });

  test.each(outcomes('credit_card_advanced').map((view) => [view.state, view] as const))('c14 after %s a field says what is left of it', (state, view) => {
    const fields = view.fields.map(({ field }) => obtained(field));
    renderPage(<Widget view={{ ...view, fields }} form={FILLED} stop="card_number" />);
    const left = state === 'processing' || state === 'not_sent' ? 'Obtained' : 'Cleared';
    for (const name of ['Card number', 'Expiration date', 'Security code']) expect(screen.getByRole('group', { name })).toHaveTextContent(left);
  });

  test.each([
    ['approved', 'Accepted for debit 120.50 USD'],
    ['declined', 'Refused'],
    ['not_sent', 'Not sent. The gateway could not be reached (certificate).'],
  ] as const)('a check is %s in its own words', (state, text) => {
    renderPage(<Widget view={capture('check_advanced', state, { payment: payment({ not_sent: 'tls' }) })} form={FILLED} />);
    if (state !== 'not_sent') expect(screen.getByText(text)).toBeVisible();
    else expect(screen.getByText(/^Not sent\. /)).toBeVisible();
  });

  test.each(['unknown', 'checking', 'review', 'approved', 'processing'] as const)('%s offers no second try', (state) => {
    renderPage(<Widget view={capture('credit_card_advanced', state, { payment: payment() })} form={FILLED} />);
    expect(screen.queryByRole('button', { name: /again|another/i })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Process Payment' })).toBeNull();
  });

  test('while it is sent, Cancel says that it is too late', () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'processing', { payment: payment() })} form={FILLED} />);
    expect(button('Cancel')).toBeDisabled();
    expect(button('Cancel')).toHaveAccessibleDescription('Cancel is not possible: already sent.');
  });

  test('a declined card can be replaced, in a new attempt', async () => {
    renderPage(<Widget view={capture('credit_card_advanced', 'declined', { payment: payment({ message: 'Insufficient funds' }) })} form={FILLED} />);
    expect(screen.getByText('Insufficient funds')).toBeVisible();
    await userEvent.click(button('Try another card'));
    expect(commands.act).toHaveBeenCalledWith({ do: 'try_again' });
  });
});

describe('o13 o14 what the agent types', () => {
  const asked = (change: Partial<CaptureView['widget']>) => {
    const view = capture('credit_card_advanced', 'armed');
    return { ...view, widget: { ...view.widget, ...change } };
  };

  test('are the fields of the widget in its order, with what came from the call named so', () => {
    const demographic: CaptureView['widget']['demographic'] = [
      { name: 'phone', required: true, prefill: 'caller_number' },
      { name: 'lastName', required: false, prefill: 'nothing' },
    ];
    renderPage(<Widget view={asked({ demographic })} stop="demographic" caller={{ caller: 'Jane Roe', caller_number: '+15550100199' }} />);
    const panel = within(screen.getByRole('tabpanel'));
    expect(panel.getAllByRole('textbox').map((input) => (input as HTMLInputElement).value)).toEqual(['+15550100199', '']);
    expect(panel.getByRole('textbox', { name: /^Phone/ })).toHaveAccessibleDescription('From the call');
  });

  test('o14 an amount from the API cannot be typed, and without one the field and Process Payment say why', () => {
    const view = asked({});
    const payment = { ...view.widget.payment, amount_source: 'api' as const };
    const shown = (caller: NonNullable<Parameters<typeof Widget>[0]['caller']>) =>
      renderPage(<Widget view={{ ...asked({ payment }), state: 'ready', missing: [] }} stop="payment" form={{ ...FILLED, amount: '1.00' }} caller={caller} />);
    const call = { caller: 'Jane Roe', caller_number: '' };
    const first = shown(call);
    const awaited = en['form.amount_awaited'];
    const field = () => screen.getByRole('textbox', { name: /^Amount/ });
    expect(field()).toBeDisabled();
    expect(field()).toHaveValue('');
    expect(field()).toHaveAccessibleDescription(awaited);
    expect(button('Process Payment')).toBeDisabled();
    expect(button('Process Payment')).toHaveAccessibleDescription(`Missing: Amount ${awaited}`);
    first.unmount();
    shown({ ...call, consumer: { amount: { minor: 12_050, currency: 'USD' }, values: {} } });
    expect(field()).toBeDisabled();
    expect(field()).toHaveValue('120.50');
    expect(field()).toHaveAccessibleDescription('From the CRM');
    expect(button('Process Payment')).toBeEnabled();
  });

  test('the fee, the total and each part of a plan can be read out', async () => {
    const view = asked({});
    const payment = { ...view.widget.payment, fee: { label: 'Convenience fee', percent_hundredths: 200, fixed: null }, arrangements: ['now', 'plan'] as const };
    renderPage(<Widget view={asked({ payment: { ...payment, arrangements: [...payment.arrangements] } })} stop="payment" form={{ ...FILLED, values: { ...FILLED.values, arrangementType: 'plan', arrangementStart: '2026-12-31', arrangementCount: '3' } }} />);
    const panel = within(screen.getByRole('tabpanel'));
    expect(panel.getByText('Convenience fee: 2.41 USD. Total: 122.91 USD')).toBeVisible();
    expect(panel.getAllByRole('listitem').map((part) => part.textContent)).toEqual([
      'Dec 31, 2026: 40.97 USD Written notice from Dec 16, 2026 to Dec 28, 2026',
      'Jan 31, 2027: 40.97 USD Written notice from Jan 15, 2027 to Jan 27, 2027',
      'Feb 28, 2027: 40.97 USD Written notice from Feb 12, 2027 to Feb 24, 2027',
    ]);
    await userEvent.click(panel.getByRole('radio', { name: 'Pay now' }));
    expect(panel.queryByRole('listitem')).toBeNull();
  });

  test('a payment that is arranged is asked for as such', async () => {
    const view = capture('credit_card_advanced', 'ready');
    const payment = { ...view.widget.payment, arrangements: ['plan' as const] };
    const form = { ...FILLED, values: { ...FILLED.values, arrangementStart: '2026-12-31', arrangementCount: '2' } };
    renderPage(<Widget view={{ ...view, widget: { ...view.widget, payment } }} form={form} />);
    await userEvent.click(button('Process Payment'));
    expect(screen.getByText('Arrange 120.50 USD in 2 payments for Jane Roe?')).toBeVisible();
    await userEvent.click(button('Yes, arrange 120.50 USD'));
    expect(commands.process).toHaveBeenCalledWith(expect.objectContaining({ values: expect.objectContaining({ arrangementType: 'plan', arrangementCount: '2' }) as unknown }));
  });
});

describe('s13 a customer who speaks the number', () => {
  test('is silenced by one press, in any kind and while the line is being protected, and another press ends it', async () => {
    for (const view of [capture('credit_card_basic', 'arming'), capture('check_basic', 'armed'), capture('credit_card_advanced', 'ready')]) {
      const { unmount } = renderPage(<Widget view={view} />);
      await userEvent.click(button('Customer is speaking the number'));
      expect(commands.act).toHaveBeenLastCalledWith({ do: 'customer_speaking' });
      unmount();
    }
    renderPage(<Widget view={capture('check_basic', 'armed', { speaking: true })} />);
    expect(button('Customer is speaking the number')).toHaveAttribute('aria-pressed', 'true');
    expect(screen.getByText(/^Nobody hears the customer/)).toBeVisible();
    await userEvent.click(button('Customer is speaking the number'));
    expect(commands.act).toHaveBeenLastCalledWith({ do: 'customer_spoke' });
  });
});

test('an obtained routing number names its bank, and a refused one says why', () => {
  const { rerender } = renderPage(<Widget view={atField('check_advanced', 'routing_number', { state: 'obtained', bank_name: 'First Bank' })} stop="payment" />);
  expect(within(group('Routing number')).getByText('Bank: First Bank')).toBeVisible();
  const refused = { state: 'invalid', error: { code: 'routing_refused' }, refusal: 'Closed in May' } as const;
  rerender(<Widget view={atField('check_advanced', 'routing_number', refused, 'invalid')} stop="payment" />);
  expect(within(group('Routing number')).getByText('This routing number is not accepted here: Closed in May')).toBeVisible();
});

test('o15 a kept first entry asks for the second', () => {
  renderPage(<Widget view={atField('check_basic', 'account_number', { state: 'waiting', second_entry: true })} />);
  expect(within(group('Account number')).getByText('Kept. Ask for the number once more.')).toBeVisible();
});

describe('s20 the authorisation of a debit', () => {
  const view = (authorisation: 'recording' | 'notice') => {
    const ready = capture('check_advanced', 'ready');
    return { ...ready, widget: { ...ready.widget, authorisation } };
  };
  const text = 'Jane Roe authorises one debit of 120.50 USD.';

  test('Process Payment waits for Consumer agreed while the call is recorded', async () => {
    commands.readOut.mockImplementation(async (_: unknown, agreed: boolean) => ({ text, is_recorded: true, agreed_at: agreed ? NOW : null }));
    renderPage(<Widget view={view('recording')} form={FILLED} stop="payment" />);
    expect(await screen.findByText(text)).toBeVisible();
    expect(button('Process Payment')).toBeDisabled();
    expect(button('Process Payment')).toHaveAccessibleDescription('Missing: Consumer agreed');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Consumer agreed' }));
    expect(commands.readOut).toHaveBeenLastCalledWith(expect.objectContaining({ amount: { minor: 12_050, currency: 'USD' } }), true);
    await waitFor(() => expect(button('Process Payment')).toBeEnabled());
  });

  test('nobody agrees on a call that is not recorded', async () => {
    commands.readOut.mockResolvedValue({ text, is_recorded: false, agreed_at: null });
    renderPage(<Widget view={view('recording')} form={FILLED} stop="payment" />);
    expect(await screen.findByRole('checkbox', { name: 'Consumer agreed' })).toBeDisabled();
    expect(screen.getByText(/Nothing confirms that this call is recorded/)).toBeVisible();
    expect(button('Process Payment')).toBeDisabled();
  });

  test('a written notice is shown and holds nothing up', async () => {
    commands.readOut.mockResolvedValue({ text, is_recorded: false, agreed_at: null });
    renderPage(<Widget view={view('notice')} form={FILLED} stop="payment" />);
    expect(await screen.findByText(text)).toBeVisible();
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(button('Process Payment')).toBeEnabled();
  });
});
