import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PaymentRow, TimelineStep } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import PaymentsPage from './payments-page';

beforeEach(() => window.history.replaceState(null, '', '/payments'));
afterEach(() => vi.unstubAllGlobals());

const AT = new Date(2026, 10, 26, 14, 3, 7).getTime();
const row = (attempt: string, change: Partial<PaymentRow> = {}): PaymentRow => ({
  agent_name: 'a.kim',
  desktop_name: 'Collections',
  proposal: null,
  aftermath: { voided: false, refunded_minor: 0, captured_minor: 0 },
  payment: {
    attempt, reference: `7F2K-${attempt}`, capture: 'c', call: 'k', widget: 'w', desktop: 'd1', kind: 'credit_card_advanced', agent: 'u9',
    amount: { minor: 12_050, currency: 'USD' }, brand: null, last_four: null, state: { state: 'final', detail: 'unknown' }, message: '', outputs: [], created_at: AT, changed_at: AT,
  },
  ...change,
});
const steps: TimelineStep[] = [
  { at: AT, actor: 'a.kim', what: { step: 'field_obtained', field: 'card_number', attempts: 2 } },
  { at: AT, actor: 'a.kim', what: { step: 'ended', outcome: 'unknown' } },
];
const supervisor = loginOf('payment.view', 'payment.resolve_unknown');

function serve(rows: PaymentRow[], post: (path: string) => { status?: number; json?: unknown } = () => ({ json: {} }), next: string | null = null) {
  return fakeServer(({ method, path }) => {
    if (method === 'POST') return post(path);
    if (path === '/payments/choices') return { json: { agents: [{ id: 'u9', name: 'a.kim' }], desktops: [] } };
    if (path.startsWith('/payments?')) return { json: { payments: path.includes('after=') ? [row('OLD')] : rows, next: path.includes('after=') ? null : next, unknown: rows.length } };
    return { json: { row: rows[0], steps, follow_ups: [], choices: [] } };
  });
}

test('the server narrows: what is chosen is in its query and in the address', async () => {
  const requests = serve([row('ONE')]);
  renderPage(<PaymentsPage login={supervisor} />);
  await screen.findByRole('row', { name: /7F2K-ONE/ });
  const lists = () => requests.filter(({ path }) => path.startsWith('/payments?')).map(({ path }) => new URLSearchParams(path.split('?')[1]));
  expect(Number(lists()[0]?.get('from'))).toBe(new Date().setHours(0, 0, 0, 0));
  await userEvent.click(screen.getByRole('button', { name: '1 unknown outcome' }));
  expect(window.location.search).toBe('?outcome=unknown&days=all');
  await userEvent.type(screen.getByRole('textbox', { name: 'Reference or call' }), '7f2k{Enter}');
  const last = lists().at(-1);
  expect([last?.get('outcome'), last?.get('search'), last?.get('from')]).toEqual(['unknown', '7f2k', null]);
});

test('a card number that is typed into the search stays on the page and is refused', async () => {
  const requests = serve([row('ONE')]);
  renderPage(<PaymentsPage login={supervisor} />);
  await userEvent.type(await screen.findByRole('textbox', { name: 'Reference or call' }), '4111 1111 1111 1111{Enter}');
  expect(await screen.findByText(/looks like a card number/)).toBeVisible();
  expect(window.location.search).toBe('');
  expect(requests.some(({ path }) => path.includes('4111'))).toBe(false);
});

test('the next page is asked for with the place where this one ends', async () => {
  const requests = serve([row('ONE')], undefined, '5.one');
  renderPage(<PaymentsPage login={supervisor} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Show more' }));
  expect(await screen.findByRole('row', { name: /7F2K-OLD/ })).toBeVisible();
  expect(requests.at(-1)?.path).toContain('after=5.one');
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});

test('w45 an unknown outcome: one person says what the report shows, with a reason; the payment has its steps', async () => {
  const requests = serve([row('ONE')]);
  renderPage(<PaymentsPage login={supervisor} />);
  await userEvent.click(await screen.findByRole('row', { name: /7F2K-ONE/ }));
  const drawer = await screen.findByRole('dialog');
  expect(await within(drawer).findByText('Card number obtained (2 attempts)')).toBeVisible();
  expect(within(drawer).getByText('No clear answer: outcome unknown')).toBeVisible();
  const submit = within(drawer).getByRole('button', { name: 'Ask for a second person' });
  await userEvent.type(within(drawer).getByRole('textbox', { name: /How you know/ }), ' It is listed. ');
  expect(submit).toBeDisabled();
  await userEvent.click(within(drawer).getByRole('radio', { name: 'The customer was charged' }));
  await userEvent.click(submit);
  const sent = requests.find(({ method }) => method === 'POST');
  expect([sent?.path, sent?.body]).toEqual(['/payments/ONE/proposal', { outcome: 'approved', reason: 'It is listed.' }]);
});

test('w45 who said it can withdraw it and not confirm it; another person confirms what they read', async () => {
  const proposal = { outcome: 'declined', reason: 'Not in the report', by: 's.roe', at: AT, is_own: true } as const;
  serve([row('ONE', { proposal })]);
  const page = renderPage(<PaymentsPage login={supervisor} />);
  await userEvent.click(await screen.findByRole('row', { name: /7F2K-ONE/ }));
  expect(await screen.findByText('A second person has to confirm this.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Withdraw' })).toBeVisible();
  expect(screen.queryByRole('button', { name: /^Confirm/ })).toBeNull();
  page.unmount();

  const requests = serve([row('ONE', { proposal: { ...proposal, is_own: false } })], () => ({ status: 409, json: { title: 'It was changed meanwhile', status: 409, detail: 'What was said has changed' } }));
  renderPage(<PaymentsPage login={supervisor} />);
  await userEvent.click(await screen.findByRole('row', { name: /7F2K-ONE/ }));
  await userEvent.click(await screen.findByRole('button', { name: 'Confirm: The customer was not charged' }));
  expect(requests.find(({ method }) => method === 'POST')?.body).toEqual({ outcome: 'declined' });
  expect(await screen.findByRole('alert')).toHaveTextContent('What was said has changed');
});

test('who may not settle it is told whom to ask', async () => {
  serve([row('ONE')]);
  renderPage(<PaymentsPage login={loginOf('payment.view')} />);
  await userEvent.click(await screen.findByRole('row', { name: /7F2K-ONE/ }));
  expect(await screen.findByText(/Ask a supervisor/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Ask for a second person' })).toBeNull();
});
