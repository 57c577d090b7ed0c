import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import type { ButtonView } from '../lib/api/types';
import { renderPage } from '../test-page';
import { ControlButtons } from './control-buttons';

const basic: ButtonView = { widget: 'w1', kind: 'credit_card_basic', title: 'Card to CRM', titles: {}, disabled: null };
const advanced: ButtonView = { widget: 'w2', kind: 'credit_card_advanced', title: 'Card payment', titles: {}, disabled: null };
const check: ButtonView = { widget: 'w3', kind: 'check_advanced', title: 'Bank payment', titles: {}, disabled: null };

function show(buttons: ButtonView[], change: Partial<Parameters<typeof ControlButtons>[0]> = {}) {
  const onOpen = vi.fn();
  renderPage(<ControlButtons buttons={buttons} online waiting={false} keyboard onOpen={onOpen} {...change} />);
  return onOpen;
}

describe('control buttons', () => {
  test('one widget of a kind opens directly, by click and by Alt+1', async () => {
    const onOpen = show([advanced]);
    expect(screen.getByRole('button', { name: /Credit card/ })).toHaveAttribute('aria-keyshortcuts', 'Alt+1');
    await userEvent.click(screen.getByRole('button', { name: /Credit card/ }));
    await userEvent.keyboard('{Alt>}1{/Alt}');
    expect(onOpen.mock.calls).toEqual([['w2'], ['w2']]);
  });

  test('two of a kind make a menu of their titles', async () => {
    const onOpen = show([basic, advanced, check]);
    await userEvent.click(screen.getByRole('button', { name: /Credit card/ }));
    expect(screen.getAllByRole('menuitem').map((item) => item.textContent)).toEqual(['Card to CRM', 'Card payment']);
    await userEvent.click(screen.getByRole('menuitem', { name: 'Card payment' }));
    expect(onOpen).toHaveBeenCalledWith('w2');
  });

  test.each([
    ['not_connected', 'The call is not connected.'],
    ['on_hold', 'The call is on hold.'],
    ['capture_open', 'Another capture is open.'],
    ['host_not_approved', "The gateway's host is not approved."],
  ] as const)('disabled as %s says why', (disabled, text) => {
    show([{ ...check, disabled }]);
    const button = screen.getByRole('button', { name: /Check/ });
    expect(button).toBeDisabled();
    expect(button).toHaveAccessibleDescription(text);
  });

  test('without a call they are there and say so', () => {
    show([advanced], { waiting: true });
    expect(screen.getByRole('button', { name: /Credit card/ })).toHaveAccessibleDescription('No call.');
  });

  test('without a widget there is no button', () => {
    show([]);
    expect(screen.queryByRole('button')).toBeNull();
  });
});
