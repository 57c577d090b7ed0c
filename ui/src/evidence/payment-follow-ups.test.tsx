import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FollowUpChoice, FollowUpView, PaymentRow } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { PaymentTimeline } from './payment-timeline';
import PaymentsPage from './payments-page';

beforeEach(() => window.history.replaceState(null, '', '/payments'));
afterEach(() => vi.unstubAllGlobals());

const AT = new Date(2026, 10, 26, 14, 3, 7).getTime();
const row: PaymentRow = {
  agent_name: 'a.kim',
  desktop_name: 'Collections',
  proposal: null,
  aftermath: { voided: false, refunded_minor: 0, captured_minor: 0 },
  payment: {
    attempt: 'ONE', reference: '7F2K-91QD', capture: 'c', call: 'k', widget: 'w', desktop: 'd1', kind: 'credit_card_advanced', agent: 'u9',
    amount: { minor: 12_050, currency: 'USD' }, brand: null, last_four: null, state: { state: 'final', detail: 'approved' }, message: '', outputs: [], created_at: AT, changed_at: AT,
  },
};
const most = { minor: 12_050, currency: 'USD' };
const open: FollowUpChoice[] = [
  { kind: 'void', most, refused: null },
  { kind: 'refund', most, refused: null },
  { kind: 'capture', most: null, refused: 'not_configured' },
];
const refund = (change: Partial<FollowUpView>): FollowUpView => ({
  id: 'f1', number: 1, kind: 'refund', amount: { minor: 2_000, currency: 'USD' }, reason: 'It came broken.', by: 's.roe', is_own: true,
  state: { state: 'final', detail: 'approved' }, message: '', outputs: [], created_at: AT, changed_at: AT, ...change,
});
const supervisor = loginOf('payment.view', 'payment.refund', 'payment.resolve_unknown');

type Served = { choices?: FollowUpChoice[]; follow_ups?: FollowUpView[]; listed?: PaymentRow; post?: () => { status?: number; json?: unknown } };

async function drawerOf({ choices = open, follow_ups = [], listed = row, post = () => ({ json: {} }) }: Served, login = supervisor) {
  const requests = fakeServer(({ method, path }) => {
    if (method === 'POST') return post();
    if (path === '/payments/choices') return { json: { agents: [], desktops: [] } };
    if (path.startsWith('/payments?')) return { json: { payments: [listed], next: null, unknown: 0 } };
    return { json: { row: listed, steps: [], follow_ups, choices } };
  });
  renderPage(<PaymentsPage login={login} />);
  await userEvent.click(await screen.findByRole('row', { name: /7F2K-91QD/ }));
  const drawer = await screen.findByRole('dialog');
  await within(drawer).findByText('The audit trail has no entry about this payment.');
  return { requests, drawer };
}

const posts = (requests: { method: string }[]) => requests.filter(({ method }) => method === 'POST');

test('a part is refunded with a reason, after a question that names amount and payment', async () => {
  const { requests, drawer } = await drawerOf({});
  expect(within(drawer).getByRole('button', { name: 'Capture' })).toBeDisabled();
  expect(within(drawer).getByText(/^Capture: the gateway of this payment's widget is not configured/)).toBeVisible();
  await userEvent.click(within(drawer).getByRole('button', { name: 'Refund' }));
  const amount = within(drawer).getByRole('textbox', { name: /Amount/ });
  expect(amount).toHaveValue('120.50');
  await userEvent.type(within(drawer).getByRole('textbox', { name: /Why/ }), ' It came broken. ');
  await userEvent.clear(amount);
  await userEvent.type(amount, '120.51');
  expect(within(drawer).getByRole('button', { name: /^Refund 120.51/ })).toBeDisabled();
  await userEvent.clear(amount);
  await userEvent.type(amount, '20');
  await userEvent.click(within(drawer).getByRole('button', { name: 'Refund 20.00 USD' }));
  expect(posts(requests)).toHaveLength(0);
  const question = await screen.findByRole('alertdialog', { name: 'Refund: 20.00 USD of payment 7F2K-91QD?' });
  await userEvent.click(within(question).getByRole('button', { name: 'Yes, Refund: 20.00 USD' }));
  const [sent] = posts(requests) as { path?: string; body?: unknown }[];
  expect([sent?.path, sent?.body]).toEqual(['/payments/ONE/follow-ups', { kind: 'refund', amount: '20.00', reason: 'It came broken.' }]);
  expect(await within(drawer).findByRole('button', { name: 'Refund' })).toBeVisible();
});

test('a void is of the whole amount, and a refusal by the server stands beside it', async () => {
  const post = () => ({ status: 409, json: { title: 'Not possible in this state', status: 409, detail: 'this payment was voided' } });
  const { requests, drawer } = await drawerOf({ post });
  await userEvent.click(within(drawer).getByRole('button', { name: 'Void' }));
  expect(within(drawer).queryByRole('textbox', { name: /Amount/ })).toBeNull();
  await userEvent.type(within(drawer).getByRole('textbox', { name: /Why/ }), 'Wrong customer');
  await userEvent.click(within(drawer).getByRole('button', { name: 'Void 120.50 USD' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Yes, Void: 120.50 USD' }));
  expect(await within(drawer).findByRole('alert')).toHaveTextContent('this payment was voided');
  expect(posts(requests)).toHaveLength(1);
});

test('what was done is listed with its outcome, and the payment says what became of it', async () => {
  const listed = { ...row, aftermath: { voided: false, refunded_minor: 2_000, captured_minor: 0 } };
  const failed = refund({ id: 'f2', number: 2, state: { state: 'final', detail: 'error' } });
  const notSent = refund({ id: 'f3', number: 3, state: { state: 'not_sent', detail: 'tls' } });
  const { drawer } = await drawerOf({ listed, follow_ups: [refund({ message: 'Given back' }), failed, notSent] }, loginOf('payment.view'));
  const list = within(drawer).getByRole('region', { name: 'Void, refund, capture' });
  const [first, second, third] = within(list).getAllByRole('listitem');
  expect(first).toHaveTextContent(/Refund 20.00 USD.*Approved.*s\.roe.*It came broken\..*Given back/);
  expect(second).toHaveTextContent('Not done');
  expect(third).toHaveTextContent(/Not sent.*certificate/);
  expect(within(drawer).getByText('Refunded 20.00 USD')).toBeVisible();
  expect(within(list).queryByRole('button')).toBeNull();
});

test('an unknown refund is settled by a second person only', async () => {
  const unknown = { state: 'final', detail: 'unknown' } as const;
  const choices = open.map(({ kind }) => ({ kind, most: null, refused: 'last_unknown' as const }));
  const { requests, drawer } = await drawerOf({ choices, follow_ups: [refund({ state: unknown, is_own: false })] });
  expect(within(drawer).getByText(/^Void, Refund, Capture: nobody knows how the last one ended/)).toBeVisible();
  await userEvent.click(within(drawer).getByRole('radio', { name: 'Not done' }));
  await userEvent.type(within(drawer).getByRole('textbox', { name: /How you know/ }), 'The report lacks it.');
  await userEvent.click(within(drawer).getByRole('button', { name: 'Save outcome' }));
  const [sent] = posts(requests) as { path?: string; body?: unknown }[];
  expect([sent?.path, sent?.body]).toEqual(['/payments/ONE/follow-ups/f1/outcome', { outcome: 'declined', reason: 'The report lacks it.' }]);
});

test('who asked for it does not settle it', async () => {
  const unknown = { state: 'final', detail: 'unknown' } as const;
  const { drawer } = await drawerOf({ follow_ups: [refund({ state: unknown })] });
  expect(within(drawer).getByText(/^A second person says how it ended/)).toBeVisible();
  expect(within(drawer).queryByRole('button', { name: 'Save outcome' })).toBeNull();
});

test('a payment that was not charged has no such part', async () => {
  const choices = open.map(({ kind }) => ({ kind, most: null, refused: 'not_charged' as const }));
  const { drawer } = await drawerOf({ choices });
  expect(within(drawer).queryByRole('region', { name: 'Void, refund, capture' })).toBeNull();
});

/** All is due on one date; nothing was charged. */
const stored: PaymentRow = {
  ...row,
  payment: {
    ...row.payment,
    amount: { minor: 0, currency: 'USD' },
    arrangement: { by: 'schedule', total: most, down_minor: 0, first: '2026-12-01', interval: null, count: 1, each_minor: 12_050, last_minor: 12_050, end: '2026-12-01' },
  },
};

test('of a card that is only stored nothing is offered but its plan, and list and drawer say so', async () => {
  const choices = open.map(({ kind }): FollowUpChoice => ({ kind, most: null, refused: 'not_charged' }));
  const plan = refund({ kind: 'schedule', amount: most, reason: '', state: { state: 'final', detail: 'declined' } });
  const { drawer } = await drawerOf({ listed: { ...stored, plan: 'not_set_up' }, choices, follow_ups: [plan] });
  expect(within(drawer).getByText('Card stored, nothing charged today')).toBeVisible();
  for (const name of ['Void', 'Refund', 'Capture']) expect(within(drawer).queryByRole('button', { name })).toBeNull();
  await userEvent.click(within(drawer).getByRole('button', { name: 'Close' }));
  const listed = screen.getByRole('row', { name: /7F2K-91QD/ });
  expect(listed).toHaveTextContent('Card stored, nothing charged today');
  expect(listed).toHaveTextContent('Card stored, plan not set up');
});

test('its steps say that nothing was charged', () => {
  renderPage(<PaymentTimeline payment={stored.payment} steps={[{ at: AT, actor: 'a.kim', what: { step: 'ended', outcome: 'approved' } }]} />);
  expect(screen.getByText('Gateway answered: Card stored, nothing charged today')).toBeVisible();
});

test('an unknown store is settled as stored or not', async () => {
  const unknown: PaymentRow = { ...stored, payment: { ...stored.payment, state: { state: 'final', detail: 'unknown' } } };
  const { drawer } = await drawerOf({ listed: unknown, choices: [] });
  expect(within(drawer).getByRole('radio', { name: 'Card or account is stored' })).toBeInTheDocument();
  expect(within(drawer).getByRole('radio', { name: 'Nothing is stored' })).toBeInTheDocument();
});
