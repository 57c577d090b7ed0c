import { act, renderHook } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { call as callOf, capture } from '../lib/capture/fixtures';
import { emptyForm } from '../lib/capture/payment-form';
import { callBehind, callOnScreen, useKeptByCall } from './agent-page';
import { lineChip, recordingChip } from './call-bar';

const held = callOf({ id: 'ended', state: 'ended', capture: capture('credit_card_basic', 'done') });
const fresh = callOf({ id: 'new', state: 'connected', capture: null });
const over = callOf({ id: 'over', state: 'ended', capture: null });

describe('two calls', () => {
  test('the one with a widget is on screen, the other is named', () => {
    const calls = [fresh, held, over];
    expect(callOnScreen(calls)).toBe(held);
    expect(callBehind(calls, held)).toBe(fresh);
  });

  test('the agent chooses, and what was left is named', () => {
    const calls = [fresh, held, over];
    expect(callOnScreen(calls, 'new')).toBe(fresh);
    expect(callBehind(calls, fresh)).toBe(held);
  });

  test('a choice lasts no longer than its call', () => {
    expect(callOnScreen([over, held], 'over')).toBe(held);
    expect(callBehind([over], undefined)).toBeUndefined();
  });
});

test('the line of an ended call is not protected any more', () => {
  const armed = capture('credit_card_advanced', 'armed');
  expect(lineChip(callOf({ state: 'connected', capture: armed })).state).toBe('chip.line_protected');
  expect(lineChip(callOf({ state: 'ended', capture: armed })).state).toBe('chip.line_normal');
});

test('what is not known to be recorded by nobody counts as recorded, and a recording that failed is said', () => {
  const shown = (state: 'off' | 'elsewhere' | 'starting' | 'on' | 'failed') => recordingChip(callOf({ recording: { state, on_demand: false } })).state;
  expect(shown('elsewhere')).toBe('chip.on');
  expect(shown('on')).toBe('chip.on');
  expect(shown('off')).toBe('chip.off');
  expect(shown('starting')).toBe('chip.off');
  expect(shown('failed')).toBe('chip.broken');
});

describe('what the agent typed', () => {
  const jane = emptyForm({ firstName: 'Jane' });
  const none = emptyForm();
  type Props = { call: ReturnType<typeof callOf> | undefined; calls: ReturnType<typeof callOf>[] };
  const typing = (first: Props) => renderHook(({ call, calls }: Props) => useKeptByCall(call, calls, emptyForm()), { initialProps: first });

  test('before a call carries over into it, and is not kept for the next', () => {
    const { result, rerender } = typing({ call: undefined, calls: [] });
    act(() => result.current[1](jane));
    rerender({ call: fresh, calls: [fresh] });
    expect(result.current[0]).toEqual(jane);
    rerender({ call: undefined, calls: [] });
    expect(result.current[0]).toEqual(none);
    rerender({ call: callOf({ id: 'next' }), calls: [callOf({ id: 'next' })] });
    expect(result.current[0]).toEqual(none);
  });

  test('stays with its call while another one is on screen', () => {
    const calls = [fresh, held];
    const { result, rerender } = typing({ call: held, calls });
    act(() => result.current[1](jane));
    rerender({ call: fresh, calls });
    expect(result.current[0]).toEqual(none);
    rerender({ call: held, calls });
    expect(result.current[0]).toEqual(jane);
  });
});
