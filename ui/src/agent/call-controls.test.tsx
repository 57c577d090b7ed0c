import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import type { CallView } from '../lib/api/types';
import { call as callOf, capture } from '../lib/capture/fixtures';
import { fakeServer, renderPage } from '../test-page';
import { CallBar } from './call-bar';
import { CallControls } from './call-controls';

const idleCommands = () => ({ mute: vi.fn(), hold: vi.fn(), record: vi.fn(), end: vi.fn(), key: vi.fn(), transfer: vi.fn(), cancelTransfer: vi.fn() });

function show(change: Partial<CallView> = {}, props: { busy?: boolean; locked?: boolean } = {}) {
  const commands = { ...idleCommands(), key: vi.fn(() => Promise.resolve()) };
  renderPage(<CallControls call={callOf(change)} busy={false} locked={false} commands={commands} {...props} />);
  return commands;
}
const button = (name: string) => screen.getByRole('button', { name });

describe('call controls', () => {
  test('Record is there where calls are recorded on demand, and says whether this one is', async () => {
    const { unmount } = renderPage(<CallControls call={callOf()} busy={false} locked={false} commands={idleCommands()} />);
    expect(screen.queryByRole('button', { name: 'Record' })).toBeNull();
    unmount();
    const commands = show({ recording: { state: 'off', on_demand: true } });
    expect(button('Record')).toHaveAttribute('aria-pressed', 'false');
    await userEvent.click(button('Record'));
    await userEvent.keyboard('{Control>}{Shift>}s{/Shift}{/Control}');
    expect(commands.record.mock.calls).toEqual([[true], [true]]);
  });

  test.each([
    ['is recorded', { recording: { state: 'on', on_demand: true } }, false],
    ['is about to be', { recording: { state: 'starting', on_demand: true } }, true],
    ['has an open payment', { recording: { state: 'on', on_demand: true }, capture: capture('credit_card_basic', 'armed') }, true],
  ] as const)('Record of a call that %s', async (_, change, refused) => {
    const commands = show(change);
    expect(button('Record').hasAttribute('disabled')).toBe(refused);
    await userEvent.click(button('Record'));
    await userEvent.keyboard('{Control>}{Shift>}s{/Shift}{/Control}');
    expect(commands.record.mock.calls).toEqual(refused ? [] : [[false], [false]]);
  });

  test('Mute and Hold are pressed and released, by click and by shortcut', async () => {
    const commands = show();
    expect(button('Mute')).toHaveAttribute('aria-pressed', 'false');
    await userEvent.click(button('Mute'));
    await userEvent.keyboard('{Control>}{Shift>}m{/Shift}{/Control}');
    await userEvent.click(button('Hold'));
    await userEvent.keyboard('{Control>}{Shift>}h{/Shift}{/Control}');
    await userEvent.keyboard('{Control>}{Shift>}e{/Shift}{/Control}');
    expect(commands.mute.mock.calls).toEqual([[true], [true]]);
    expect(commands.hold.mock.calls).toEqual([[true], [true]]);
    expect(commands.end).toHaveBeenCalledTimes(1);
  });

  test('what is pressed is released', async () => {
    const commands = show({ state: 'held', held_by: 'agent', agent_muted: true });
    expect(button('Hold')).toHaveAttribute('aria-pressed', 'true');
    await userEvent.click(button('Hold'));
    await userEvent.click(button('Mute'));
    expect([commands.hold.mock.calls, commands.mute.mock.calls]).toEqual([[[false]], [[false]]]);
  });

  test('a hold by a phone is no press of the button, which holds as well', async () => {
    const commands = show({ state: 'held', held_by: 'phone' });
    expect(button('Hold')).toHaveAttribute('aria-pressed', 'false');
    await userEvent.click(button('Hold'));
    expect(commands.hold).toHaveBeenCalledWith(true);
  });

  test.each(['ringing', 'ended'] as const)('a call that is %s has nothing to mute, hold or key into', async (state) => {
    const commands = show({ state });
    for (const name of ['Mute', 'Hold', 'Keypad', 'Transfer']) expect(button(name)).toBeDisabled();
    await userEvent.keyboard('{Control>}{Shift>}m{/Shift}{/Control}');
    expect(commands.mute).not.toHaveBeenCalled();
  });

  test('s22 a locked page keeps Mute and End', async () => {
    const commands = show({}, { locked: true });
    for (const name of ['Hold', 'Keypad', 'Transfer']) expect(button(name)).toBeDisabled();
    await userEvent.keyboard('{Control>}{Shift>}h{/Shift}{/Control}');
    await userEvent.click(button('Mute'));
    await userEvent.click(button('End'));
    expect(commands.hold).not.toHaveBeenCalled();
    expect([commands.mute, commands.end].map((command) => command.mock.calls.length)).toEqual([1, 1]);
  });

  test('the bar says who holds, and that the agent is muted', () => {
    const commands = idleCommands();
    const bar = (change: Partial<CallView>) => <CallBar call={callOf(change)} now={0} busy={false} commands={commands} />;
    const { rerender } = renderPage(bar({ state: 'held', held_by: 'agent', agent_muted: true }));
    expect(screen.getByText('On hold')).toBeVisible();
    expect(screen.getByText('Muted: the customer does not hear you')).toBeVisible();
    rerender(bar({ state: 'held', held_by: 'phone' }));
    expect(screen.getByText('On hold by a phone')).toBeVisible();
  });
});

describe('the keypad', () => {
  const open = async (change: Partial<CallView> = {}) => {
    const commands = show(change);
    await userEvent.keyboard('{Control>}{Shift>}k{/Shift}{/Control}');
    await screen.findByRole('dialog', { name: 'Keypad' });
    return commands;
  };

  test('keys go out one by one, by click and typed, and none is shown', async () => {
    const commands = await open();
    await userEvent.click(button('Key 5'));
    await userEvent.keyboard('0*#x');
    expect(await screen.findByText('4 keys sent')).toBeVisible();
    expect(commands.key.mock.calls).toEqual([['5'], ['0'], ['*'], ['#']]);
    expect(screen.getByRole('dialog')).not.toHaveTextContent('50*#');
  });

  test('each key waits for the one before it', async () => {
    const commands = await open();
    let taken: () => void = () => undefined;
    commands.key.mockImplementationOnce(() => new Promise((resolve) => (taken = () => resolve())));
    await userEvent.keyboard('12');
    expect(commands.key.mock.calls).toEqual([['1']]);
    taken();
    expect(await screen.findByText('2 keys sent')).toBeVisible();
  });

  test('Escape closes it and the focus is back on the button', async () => {
    const commands = show();
    await userEvent.click(button('Keypad'));
    await screen.findByRole('dialog', { name: 'Keypad' });
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
    await waitFor(() => expect(button('Keypad')).toHaveFocus());
    expect(commands.key).not.toHaveBeenCalled();
  });

  test.each([
    ['on hold', { state: 'held', held_by: 'agent' }, 'The call is on hold.'],
    ['with an open payment', { capture: capture('credit_card_basic', 'armed') }, 'A payment is open: keys belong to the customer.'],
  ] as [string, Partial<CallView>, string][])('s31 %s it sends nothing and says why', async (_, change, why) => {
    const commands = await open(change);
    expect(screen.getByText(why)).toBeVisible();
    expect(button('Key 5')).toBeDisabled();
    await userEvent.keyboard('5');
    expect(commands.key).not.toHaveBeenCalled();
  });
});

describe('transfer', () => {
  const AGENTS = [
    { user: 'u7', name: 'Morgan Lee', free: true },
    { user: 'u8', name: 'Sam Roe', free: false },
  ];
  const open = async (change: Partial<CallView> = {}, agents = AGENTS) => {
    fakeServer(() => ({ json: { agents } }));
    const commands = show(change);
    await userEvent.click(button('Transfer'));
    await screen.findByRole('dialog', { name: 'Transfer to' });
    return commands;
  };

  test('goes to a free agent who is chosen, and to nobody who is not free', async () => {
    const commands = await open();
    expect(await screen.findByRole('button', { name: 'Sam Roe Not free' })).toBeDisabled();
    await userEvent.click(button('Morgan Lee Free'));
    expect(commands.transfer.mock.calls).toEqual([['u7', false]]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  test('says when there is nobody', async () => {
    await open({}, []);
    expect(await screen.findByText('No other agent’s phone is registered.')).toBeVisible();
  });

  test('an open capture is discarded only after a yes', async () => {
    const commands = await open({ capture: capture('credit_card_advanced', 'collecting') });
    await userEvent.click(await screen.findByRole('button', { name: 'Morgan Lee Free' }));
    expect(screen.getByRole('alertdialog', { name: 'Discard capture and transfer?' })).toBeVisible();
    expect(commands.transfer).not.toHaveBeenCalled();
    await userEvent.click(button('Back'));
    await userEvent.click(await screen.findByRole('button', { name: 'Morgan Lee Free' }));
    await userEvent.click(button('Discard and transfer'));
    expect(commands.transfer.mock.calls).toEqual([['u7', true]]);
  });

  test('while it rings it can be given up, and the call stays on hold', async () => {
    const rings = { state: 'held', held_by: 'agent', transfer: { to: 'Morgan Lee', failed: null } } as const;
    const commands = show(rings);
    expect(button('Hold')).toBeDisabled();
    await userEvent.click(button('Cancel transfer'));
    await userEvent.keyboard('{Control>}{Shift>}x{/Shift}{/Control}');
    expect(commands.cancelTransfer).toHaveBeenCalledTimes(2);
  });

  test('the bar says whom it rings, and then why the call is back', () => {
    const bar = (transfer: CallView['transfer']) => <CallBar call={callOf({ transfer })} now={0} busy={false} commands={idleCommands()} />;
    const { rerender } = renderPage(bar({ to: 'Morgan Lee', failed: null }));
    expect(screen.getByRole('status')).toHaveTextContent('Calling Morgan Lee');
    rerender(bar({ to: 'Morgan Lee', failed: 'no_answer' }));
    expect(screen.getByRole('status')).toHaveTextContent('Morgan Lee did not answer. The call is still yours.');
  });
});
