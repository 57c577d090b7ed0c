import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { LiveCaptureRow } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import LivePage from './live-page';

afterEach(() => vi.unstubAllGlobals());

const capture: LiveCaptureRow['capture'] = {
  call: 'k1', began_at: 5, agent: 'u1', kind: 'credit_card_advanced', open: { title: 'Card payment', state: 'invalid' }, process_used: 0,
  fields: [{ field: 'card_number', attempts_used: 3, is_locked: true }, { field: 'expiry', attempts_used: 0, is_locked: false }],
};

test('s14 a supervisor sees who has no attempts left, and gives them back by call and widget kind', async () => {
  let rows: LiveCaptureRow[] = [{ agent_name: 'a.kim', capture }];
  const requests = fakeServer(({ method }) => {
    if (method === 'POST') rows = [{ agent_name: 'a.kim', capture: { ...capture, fields: [] } }];
    return { json: { captures: rows } };
  });
  renderPage(<LivePage />);
  const row = await screen.findByRole('row', { name: /a.kim/ });
  expect(within(row).getByText('Value refused')).toBeVisible();
  expect(within(row).getByText('Card number: 3, none left')).toBeVisible();
  expect(within(row).queryByText(/Expiration/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Reset attempts: a.kim, Card payment' }));
  const sent = requests.find(({ method }) => method === 'POST');
  expect([sent?.path, sent?.body]).toEqual(['/calls/k1/reset-attempts', { kind: 'credit_card_advanced' }]);
  expect(await screen.findByText('None')).toBeVisible();
  expect(screen.queryByRole('button', { name: /Reset/ })).toBeNull();
});

test('attempts of a closed capture still count, and an empty list says so', async () => {
  fakeServer(() => ({ json: { captures: [{ agent_name: 'a.kim', capture: { ...capture, open: null } }] } }));
  const page = renderPage(<LivePage />);
  expect(await screen.findByText('Closed')).toBeVisible();
  expect(screen.getByText('Credit Card Advanced')).toBeVisible();
  page.unmount();
  fakeServer(() => ({ json: { captures: [] } }));
  renderPage(<LivePage />);
  expect(await screen.findByText('No capture is open.')).toBeVisible();
});
