import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeServer, renderPage } from '../../test-page';
import type { Aftermath, PaymentDetail, PlanStanding } from '../api/types';
import PlanPanel from './plan-panel';

afterEach(() => vi.unstubAllGlobals());

const usd = (minor: number) => ({ minor, currency: 'USD' });
const NOTHING: Aftermath = { voided: false, refunded_minor: 0, captured_minor: 0 };

/** 500.00, of which 125.50 were paid, the rest in two weekly parts. */
const detail = (plan: PlanStanding, maySetUp: boolean, aftermath = NOTHING): PaymentDetail => ({
  row: {
    agent_name: 'a.kim', desktop_name: 'Collections', proposal: null, aftermath, plan,
    payment: {
      attempt: 'ONE', reference: '7F2K-91QD', capture: 'c', call: 'k', widget: 'w', desktop: 'd1', kind: 'credit_card_advanced', agent: 'u1',
      amount: usd(12_550), brand: null, last_four: null, state: { state: 'final', detail: 'approved' }, message: '', outputs: [], created_at: 1, changed_at: 1,
      arrangement: { by: 'schedule', total: usd(50_000), down_minor: 12_550, first: '2026-12-01', interval: 'weekly', count: 2, each_minor: 18_725, last_minor: 18_725, end: '2026-12-08' },
    },
  },
  steps: [], follow_ups: [], choices: [],
  plan: { parts: [{ day: '2026-12-01', amount: usd(18_725) }, { day: '2026-12-08', amount: usd(18_725) }], may_set_up: maySetUp },
});

test('what is due when stands in a table, with what was paid today and the whole', async () => {
  fakeServer(() => ({ json: detail('set_up', false) }));
  renderPage(<PlanPanel attempt="ONE" />);
  const plan = await screen.findByRole('region', { name: 'Due later' });
  expect(within(plan).getByRole('status')).toHaveTextContent('Down payment paid, plan set up');
  const rows = within(plan).getAllByRole('row').slice(1).map((row) => row.textContent);
  expect(rows).toEqual([expect.stringMatching(/^Down payment.*125\.50/), expect.stringMatching(/187\.25/), expect.stringMatching(/187\.25/), expect.stringMatching(/^In all.*500\.00/)]);
  expect(within(plan).queryByRole('button')).toBeNull();
});

test('a plan that is not set up is asked for alone, a lost answer with the same key again', async () => {
  let standing: PlanStanding = 'not_set_up';
  let isLost = true;
  const requests = fakeServer(({ method }) => {
    if (method === 'GET') return { json: detail(standing, standing === 'not_set_up') };
    if (isLost) return 'no answer';
    standing = 'set_up';
    return { json: {} };
  });
  renderPage(<PlanPanel attempt="ONE" />);
  expect(await screen.findByText('Down payment paid, plan not set up')).toBeVisible();
  const button = screen.getByRole('button', { name: 'Set up the plan' });
  await userEvent.click(button);
  await screen.findByRole('alert');
  isLost = false;
  await userEvent.click(button);
  expect(await screen.findByText('Down payment paid, plan set up')).toBeVisible();
  const posts = requests.filter(({ method }) => method === 'POST');
  expect(posts.map(({ path }) => path)).toEqual(['/payments/ONE/plan', '/payments/ONE/plan']);
  const [first, second] = posts.map(({ headers }) => headers['Idempotency-Key']);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(second).toBe(first);
});

test('while nobody knows of a plan nothing offers to set it up', async () => {
  fakeServer(() => ({ json: detail('unknown', false) }));
  renderPage(<PlanPanel attempt="ONE" />);
  expect(await screen.findByText('Down payment paid, the plan may or may not be set up')).toBeVisible();
  expect(screen.getByText(/^Do not set it up again/)).toBeVisible();
  expect(screen.queryByRole('button')).toBeNull();
});

test('money that went back leaves the plan at the gateway, and it says so', async () => {
  fakeServer(() => ({ json: detail('set_up', false, { ...NOTHING, voided: true }) }));
  renderPage(<PlanPanel attempt="ONE" />);
  expect(await screen.findByText(/the plan stays at the gateway/)).toBeVisible();
});

test.each([
  ['credit_card_advanced', 'approved', 'Card stored, plan not set up'],
  ['check_advanced', 'approved', 'Account stored, plan not set up'],
  ['credit_card_advanced', 'review', 'Held for review by the gateway, plan not set up'],
] as const)('of a %s with nothing due today that is %s it says: %s', async (kind, state, words) => {
  const stored = detail('not_set_up', true);
  const { payment } = stored.row;
  stored.row.payment = { ...payment, kind, amount: usd(0), state: { state: 'final', detail: state }, arrangement: { ...payment.arrangement!, down_minor: 0 } };
  fakeServer(() => ({ json: stored }));
  renderPage(<PlanPanel attempt="ONE" />);
  expect(await screen.findByText(words)).toBeVisible();
  expect(screen.getByText('Nothing was charged today.')).toBeVisible();
  expect(screen.queryByRole('row', { name: /Down payment/ })).toBeNull();
});
