import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import type { ButtonView, CaptureView, Layout, MyDesktop, Tile } from '../lib/api/types';
import { capture } from '../lib/capture/fixtures';
import { renderPage } from '../test-page';
import { ControlButtons } from './control-buttons';
import { DesktopLayout, useIdleDesktop } from './layouts';
import { NotesPanel } from './notes-panel';

const check: ButtonView = { widget: 'w2', kind: 'check_advanced', title: 'Bank payment', titles: {}, disabled: null };
const tile = (id: number, content: Tile['content'], [column, row, width, height]: [number, number, number, number]): Tile => ({ id, place: { column, row, width, height }, content });
const BAR = tile(1, { kind: 'call_bar' }, [1, 1, 12, 2]);
const BUTTONS = tile(2, { kind: 'control_buttons' }, [1, 3, 12, 2]);
const CARD = tile(3, { kind: 'payment', payment: 'card' }, [5, 5, 8, 8]);
const CHECK = tile(4, { kind: 'payment', payment: 'check' }, [5, 13, 8, 8]);
const CUSTOMER = tile(5, { kind: 'customer' }, [1, 5, 4, 8]);

const mineOf = (layout: Layout, tiles?: Tile[]): MyDesktop => ({
  desktop: 'd1',
  name: 'Sales',
  layout,
  revision: 1,
  design: tiles ? { id: 'g1', name: 'Billing', tiles, revision: 1 } : null,
  widgets: [],
  gate: null,
  pairing_code: false, dials: false, queue: false,
});

type Shown = { mine: MyDesktop; opened?: CaptureView; disabled?: ButtonView['disabled'] };

function show({ mine, opened, disabled = null }: Shown) {
  const onOpen = vi.fn();
  const card: ButtonView = { widget: opened?.widget.id ?? 'w1', kind: 'credit_card_advanced', title: 'Card payment', titles: {}, disabled };
  const use = { buttons: [card, { ...check, disabled }], online: true, waiting: false, onOpen };
  renderPage(
    <DesktopLayout
      mine={mine}
      capture={opened}
      stack={{ ...use, open: opened?.widget.id }}
      parts={{
        customer: <aside aria-label="Customer" />,
        buttons: <ControlButtons {...use} keyboard />,
        notes: <NotesPanel text="" onText={vi.fn()} />,
        widget: opened && <section aria-label={opened.widget.title} />,
        empty: 'Nothing is open.',
      }}
    />,
  );
  return onOpen;
}

const open = capture('credit_card_advanced', 'collecting');
/** Accessible names in the order of the document. */
const order = (...names: string[]) => {
  const found = names.map((name) => screen.getByLabelText(name));
  return found.every((element, index) => index === 0 || found[index - 1]!.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
};

const LAYOUTS: [string, MyDesktop][] = [
  ['p6 a6 Agent Panel', mineOf('agent_panel')],
  ['p7 a6 Agent Panel + Extended Panel', mineOf('extended_panel')],
  ['p8 a6 i18 Agent Panel + Designer', mineOf('designer', [BAR, BUTTONS, CUSTOMER, CARD, CHECK])],
];

describe.each(LAYOUTS)('%s', (_, mine) => {
  test('its buttons open a widget by click and by shortcut', async () => {
    const onOpen = show({ mine });
    await userEvent.click(screen.getByRole('button', { name: /^Credit card/ }));
    await userEvent.keyboard('{Alt>}2{/Alt}');
    expect(onOpen.mock.calls).toEqual([['w1'], ['w2']]);
  });

  test('the open widget is there once, beside the customer', () => {
    show({ mine, opened: open });
    expect(screen.getAllByRole('region', { name: open.widget.title })).toHaveLength(1);
    expect(screen.getByRole('complementary', { name: 'Customer' })).toBeInTheDocument();
  });
});

describe('Agent Panel + Extended Panel', () => {
  test('p7 every widget is in the stack, in the order of the administrator, and a press unfolds it', async () => {
    const onOpen = show({ mine: mineOf('extended_panel') });
    const folded = screen.getAllByRole('button', { expanded: false }).filter((button) => /payment/.test(button.textContent ?? ''));
    expect(folded.map(({ textContent }) => textContent)).toEqual(['Card payment', 'Bank payment']);
    await userEvent.click(folded[1]!);
    expect(onOpen).toHaveBeenCalledWith('w2');
  });

  test('a widget that cannot be opened says why', () => {
    show({ mine: mineOf('extended_panel'), disabled: 'on_hold' });
    const button = screen.getByRole('button', { name: 'Bank payment' });
    expect(button).toBeDisabled();
    expect(button).toHaveAccessibleDescription('The call is on hold.');
  });
});

describe('Agent Panel + Designer', () => {
  test('i18 a widget opens in the tile of its kind of payment', () => {
    show({ mine: mineOf('designer', [BAR, BUTTONS, CUSTOMER, CARD, CHECK]), opened: open });
    expect(screen.queryByText('Card payments open here.')).toBeNull();
    expect(screen.getByText('Bank payments open here.')).toBeVisible();
  });

  test('s7 i18 without a payment tile it opens under the buttons', () => {
    show({ mine: mineOf('designer', [BAR, BUTTONS, CUSTOMER]), opened: open });
    expect(screen.getByRole('region', { name: open.widget.title })).toBeInTheDocument();
    expect(order('Payment', open.widget.title, 'Customer')).toBeTruthy();
  });

  test('s7 a design without a tile for the buttons has them on top', async () => {
    const onOpen = show({ mine: mineOf('designer', [BAR, CUSTOMER]) });
    await userEvent.click(screen.getByRole('button', { name: /^Credit card/ }));
    expect(onOpen).toHaveBeenCalledWith('w1');
  });

  test('script, notes and a page of another site in a sandbox stand in reading order', () => {
    const script = tile(6, { kind: 'script', text: 'Good morning.\nHow are you?' }, [1, 20, 6, 2]);
    const page = tile(7, { kind: 'web_page', title: 'Orders', address: 'https://crm.example/orders' }, [7, 20, 6, 8]);
    show({ mine: mineOf('designer', [BAR, BUTTONS, CUSTOMER, script, page, tile(8, { kind: 'notes' }, [1, 30, 6, 4])]) });
    expect(screen.getByRole('region', { name: 'Script' })).toHaveTextContent('Good morning.');
    const frame = screen.getByTitle('Orders');
    expect(frame).toHaveAttribute('src', 'https://crm.example/orders');
    expect(frame.getAttribute('sandbox')?.split(' ')).not.toContain('allow-top-navigation');
    expect(frame).toHaveAttribute('referrerpolicy', 'no-referrer');
    expect(order('Customer', 'Script', 'Notes on this call')).toBeTruthy();
  });

  test('before a design was chosen it is the Agent Panel', () => {
    show({ mine: mineOf('designer'), opened: open });
    expect(screen.getByRole('region', { name: open.widget.title })).toBeInTheDocument();
  });
});

test('s5 a layout that changes while a capture is open waits until it is over', () => {
  const shown: (string | null | undefined)[] = [];
  const Page = ({ mine, busy }: { mine: MyDesktop; busy: boolean }) => {
    shown.push(useIdleDesktop(mine, busy)?.layout);
    return null;
  };
  const [before, after] = [mineOf('agent_panel'), mineOf('extended_panel')];
  const { rerender } = renderPage(<Page mine={before} busy={false} />);
  rerender(<Page mine={before} busy />);
  rerender(<Page mine={after} busy />);
  rerender(<Page mine={after} busy={false} />);
  expect(shown).toEqual(['agent_panel', 'agent_panel', 'agent_panel', 'extended_panel']);
});
