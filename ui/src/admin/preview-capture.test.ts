import { describe, expect, test } from 'vitest';
import type { CaptureView, WidgetKind } from '../lib/api/types';
import { newWidget } from './desktop-form';
import type { Happening } from './preview-capture';
import { acted, canHappen, happened, opened, processed, valuesOf } from './preview-capture';

const widget = (kind: WidgetKind) => newWidget(kind, 'Preview', false);
const start = (kind: WidgetKind) => acted(opened(widget(kind), 0), { do: 'listen', field: kind.startsWith('check') ? 'routing_number' : 'card_number' })!;
const run = (view: CaptureView, ...steps: Happening[]) => steps.reduce(happened, view);
const states = (view: CaptureView) => view.fields.map(({ state }) => state);

describe('the simulator of the live preview', () => {
  test('16 keys obtain a card number, and the next field listens by itself', () => {
    const half = run(start('credit_card_basic'), ...Array<Happening>(6).fill('key'));
    expect(half.fields[0]).toMatchObject({ state: 'keying', count: 6 });
    const whole = run(half, ...Array<Happening>(10).fill('key'));
    expect(states(whole)).toEqual(['obtained', 'waiting', 'idle']);
    expect(whole.listening).toBe('expiry');
    expect(valuesOf(whole, widget('credit_card_basic'))).toEqual({ card_number: '4111111111111111' });
    expect(valuesOf(run(start('credit_card_advanced'), 'value'), widget('credit_card_advanced'))).toEqual({});
  });

  test('a wrong value is refused until the attempts are used up', () => {
    const wrong = run(start('check_advanced'), 'wrong');
    expect(wrong).toMatchObject({ state: 'invalid', listening: 'routing_number' });
    expect(wrong.fields[0]).toMatchObject({ state: 'invalid', error: { code: 'aba_checksum' }, attempt: 2 });
    const locked = run(wrong, 'wrong', 'wrong');
    expect(locked.fields[0]?.state).toBe('locked');
    expect(canHappen(locked, 'wrong')).toBe(false);
  });

  test('every outcome of a payment is reached, and only after Process Payment', () => {
    const ready = run(start('credit_card_advanced'), 'value', 'value', 'value');
    expect(ready).toMatchObject({ state: 'ready', missing: [] });
    expect(canHappen(ready, 'approve')).toBe(false);
    const sent = processed(ready, { amount: { minor: 100, currency: 'USD' }, values: {} }, 5);
    expect(sent).toMatchObject({ state: 'processing', process_left: 2 });
    for (const [what, state] of [['approve', 'approved'], ['decline', 'declined'], ['no_answer', 'unknown']] as const) {
      expect(canHappen(sent, what)).toBe(true);
      expect(run(sent, what)).toMatchObject({ state, payment: { outcome: state, amount: { minor: 100 } } });
    }
    const again = acted(run(sent, 'decline'), { do: 'try_again' })!;
    expect(states(again)).toEqual(['idle', 'idle', 'idle']);
  });

  test('keys that nobody asked for are counted; the end of the call ends the capture', () => {
    const view = run(opened(widget('credit_card_basic'), 0), 'key', 'key');
    expect(view).toMatchObject({ stray_keys: 2, state: 'armed' });
    expect(run(view, 'hang_up')).toMatchObject({ state: 'lost', reason: 'call_ended' });
  });

  test('the widget is shown with its own texts and options', () => {
    const draft = widget('credit_card_basic');
    const view = opened({ ...draft, prompts: { ...draft.prompts, expiry: 'The date.' }, options: { ...draft.options, security_code: 'not_captured', expiry_format: 'mmyyyy' }, numbers: { ...draft.numbers, attempts_max: '7' } }, 0);
    expect(view.fields.map(({ field, prompt, expected, attempts_max }) => [field, prompt, expected, attempts_max])).toEqual([
      ['card_number', draft.prompts.card_number, 16, 7],
      ['expiry', 'The date.', 6, 7],
    ]);
  });
});
