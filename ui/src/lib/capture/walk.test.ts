import { describe, expect, test } from 'vitest';
import { atField, capture } from './fixtures';
import type { Walk } from './walk';
import { AUTO_MOVE_GUARD_MS, back, firstStop, follow, next, stopOfTab, stopsOf } from './walk';

const at = (stop: Walk['stop'], movedByItselfAt = 0): Walk => ({ stop, movedByItselfAt });
const LATER = 1_000_000;

describe('the walk', () => {
  const view = atField('credit_card_advanced', 'card_number', { state: 'keying', count: 3 });

  test('goes Demographic, Payment, each field, Status, and back the same way', () => {
    const stops = ['demographic', 'payment', 'card_number', 'expiry', 'security_code', 'status'];
    expect(stopsOf(view)).toEqual(stops);
    let walk = at('demographic');
    const forth = stops.slice(1).map(() => (walk = next(walk, view, LATER)).stop);
    expect(forth).toEqual(stops.slice(1));
    const home = stops.slice(1).map(() => (walk = back(walk, view)).stop);
    expect(home).toEqual(stops.slice(0, -1).reverse());
  });

  test('stays at its ends', () => {
    expect(next(at('status'), view, LATER).stop).toBe('status');
    expect(back(at('demographic'), view).stop).toBe('demographic');
  });

  test('ignores Next within a second of an automatic move', () => {
    const moved = at('expiry', LATER);
    expect(next(moved, view, LATER + AUTO_MOVE_GUARD_MS - 1).stop).toBe('expiry');
    expect(next(moved, view, LATER + AUTO_MOVE_GUARD_MS).stop).toBe('security_code');
  });

  test('follows the field that listens when it stands at a capture stop', () => {
    const then = atField('credit_card_advanced', 'expiry', { state: 'waiting' });
    expect(follow(at('card_number'), view, then, LATER)).toEqual(at('expiry', LATER));
  });

  test('is not taken away from the tab on which the agent types', () => {
    const then = atField('credit_card_advanced', 'expiry', { state: 'waiting' });
    expect(follow(at('demographic'), view, then, LATER).stop).toBe('demographic');
  });

  test('ends at Status with Process Payment and returns to Payment with a new attempt', () => {
    const ready = capture('credit_card_advanced', 'ready');
    const processing = capture('credit_card_advanced', 'processing');
    const again = capture('credit_card_advanced', 'armed');
    const status = follow(at('security_code'), ready, processing, LATER);
    expect(status.stop).toBe('status');
    expect(follow(status, processing, again, LATER).stop).toBe('payment');
  });

  test('a reloaded page stands at the field that listens, or at the outcome', () => {
    expect(firstStop(view)).toBe('card_number');
    expect(firstStop(capture('credit_card_advanced', 'unknown'))).toBe('status');
    expect(stopOfTab('payment', view)).toBe('card_number');
  });
});
