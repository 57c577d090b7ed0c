import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RecordingRow } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import RecordingsPage from './recordings-page';

beforeEach(() => window.history.replaceState(null, '', '/recordings?days=all&call=call-1'));
afterEach(() => vi.unstubAllGlobals());

const AT = new Date(2026, 10, 26, 14, 5).getTime();
const row = (id: string, change: Partial<RecordingRow> = {}): RecordingRow => ({
  id, medium: 'call', call: 'call-1', service: 's1', service_name: 'Collections', agent: 'u1', agent_name: 'a.kim', node: 'node-a', began: AT, keep_until: AT + 86_400_000,
  end: { length_ms: 61_000, bytes: 1, is_whole: true }, ...change,
});

function serve(recordings: RecordingRow[]) {
  return fakeServer(({ path }) =>
    path === '/recordings/choices' ? { json: { services: [{ id: 's1', name: 'Collections' }], agents: [{ id: 'u1', name: 'a.kim' }] } } : { json: { recordings, next: null } },
  );
}

test('the server narrows by what the address says; a row says how it ended, and opens', async () => {
  const requests = serve([row('one'), row('two', { end: null }), row('three', { end: { length_ms: 5_000, bytes: 1, is_whole: false }, agent: null, agent_name: '', service_name: '' })]);
  renderPage(<RecordingsPage login={loginOf('recording.listen')} />);
  await screen.findByText('Cut off');
  const [, whole, running, cut] = screen.getAllByRole('row');
  for (const text of ['Nobody', 'Service is gone', '00:05']) expect(within(cut!).getByText(text)).toBeVisible();
  expect(within(running!).getByText('Still recording')).toBeVisible();
  expect(requests.map(({ path }) => path)).toContain('/recordings?call=call-1&limit=50');
  await userEvent.click(screen.getByRole('button', { name: /Agent/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'a.kim' }));
  expect(requests.at(-1)?.path).toBe('/recordings?call=call-1&agent=u1&limit=50');
  await userEvent.click(whole!);
  expect(window.location.pathname).toBe('/recordings/one');
});

test('where nothing is found it is said what recording needs, and who may configure it is shown the way', async () => {
  serve([]);
  const page = renderPage(<RecordingsPage login={loginOf('recording.listen')} />);
  expect(await screen.findByText(/recordings\.directory/)).toBeVisible();
  expect(screen.queryByRole('link')).toBeNull();
  page.rerender(<RecordingsPage login={loginOf('recording.listen', 'spc.enable')} />);
  expect(screen.getByRole('link', { name: 'Choose services whose calls are recorded' })).toHaveAttribute('href', '/configure/calls/services');
});
