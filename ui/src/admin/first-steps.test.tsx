import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { FirstStep } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { FirstSteps } from './first-steps';

const ALL: readonly FirstStep[] = ['switch', 'widget', 'gateway', 'test', 'service', 'agent', 'call'];
const serve = (...done: FirstStep[]) => fakeServer(() => ({ json: { desktop: 'd 1', steps: ALL.map((step) => ({ step, done: done.includes(step) })) } }));

afterEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

test('the steps say what is done and what is next, and lead to where it is done', async () => {
  serve('switch', 'service');
  renderPage(<FirstSteps login={loginOf('desktop.edit', 'spc.enable', 'gateway.edit', 'user.manage')} />);
  const steps = within(await screen.findByRole('region', { name: 'The way to a first working desktop' }));
  const items = steps.getAllByRole('listitem');
  expect(items.map((item) => item.textContent?.match(/^(Done|Next|Open)/)?.[0])).toEqual(['Done', 'Next', 'Open', 'Open', 'Done', 'Open', 'Open']);
  expect(items[1]).toHaveAttribute('aria-current', 'step');
  expect(steps.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual([
    '/configure/agents/secure-payment-capture', '/configure/agents/agent-desktop/d%201', '/configure/agents/agent-desktop/d%201', '/configure/agents/agent-desktop/d%201', '/configure/calls/services', '/configure/users/users',
  ]);
  expect(steps.getByText('2 of 7 done')).toBeVisible();
});

test('who lacks the right for a step is told whom to ask', async () => {
  serve();
  renderPage(<FirstSteps login={loginOf('desktop.edit')} />);
  await screen.findByRole('region', { name: 'The way to a first working desktop' });
  expect(screen.getAllByText(/Ask a Security admin/)).toHaveLength(5);
  expect(screen.getAllByRole('link')).toHaveLength(1);
});

test('the card is hidden for good, and gone once all is done', async () => {
  const requests = serve();
  const { unmount } = renderPage(<FirstSteps login={loginOf('desktop.edit')} />);
  await userEvent.click(await screen.findByRole('button', { name: 'Hide' }));
  expect(screen.queryByRole('region')).toBeNull();
  unmount();
  renderPage(<FirstSteps login={loginOf('desktop.edit')} />);
  expect(requests).toHaveLength(1);
  localStorage.clear();
  const others = serve(...ALL);
  renderPage(<FirstSteps login={loginOf('desktop.edit')} />);
  await waitFor(() => expect(others).toHaveLength(1));
  expect(screen.queryByRole('region')).toBeNull();
});

test('who edits no desktops does not see it', () => {
  const requests = serve();
  renderPage(<FirstSteps login={loginOf('gateway.edit')} />);
  expect(requests).toEqual([]);
});
