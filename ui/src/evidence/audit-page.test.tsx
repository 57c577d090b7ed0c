import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditRow, AuditVerification } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import AuditPage from './audit-page';

beforeEach(() => window.history.replaceState(null, '', '/audit'));
afterEach(() => vi.unstubAllGlobals());

const LOGIN = loginOf('audit.read', 'recording.listen');
const AT = new Date(2026, 10, 26, 14, 5).getTime();
const entry = (position: number, change: Partial<AuditRow> = {}): AuditRow => ({
  position, seq: position, chain: 'one/1', at: AT, actor: 'm.lee', address: '192.0.2.7', action: 'user_saved', object: 'user a.kim', detail: {}, hash: '0'.repeat(64), ...change,
});
const sound: AuditVerification = { intact: true, position: 18_204, at: AT, broken: null };

function serve(entries: AuditRow[], verification: AuditVerification = sound) {
  return fakeServer(({ path }) => {
    if (path === '/audit/verification') return { json: verification };
    if (path.startsWith('/audit/export')) return { text: '{}\n' };
    return { json: { entries } };
  });
}

test('the chains were verified: to which entry and when', async () => {
  serve([entry(1)]);
  renderPage(<AuditPage login={LOGIN} />);
  expect(await screen.findByText(`Chain verified to #18,204 at 14:05:00`)).toBeVisible();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a broken chain is an alert that names the entry, also when that cannot be read', async () => {
  serve([entry(1)], { ...sound, intact: false, broken: entry(12, { seq: 3, chain: 'one/2' }) });
  const page = renderPage(<AuditPage login={LOGIN} />);
  expect(await screen.findByRole('alert')).toHaveTextContent('entry #12 (number 3 of one/2) does not fit');
  page.unmount();
  serve([entry(1)], { ...sound, intact: false, broken: null });
  renderPage(<AuditPage login={LOGIN} />);
  expect(await screen.findByRole('alert')).toHaveTextContent('an entry is gone or cannot be read');
});

test('l4 an entry says who, from where, what, on what, and what changed', async () => {
  const detail = { revision: 3, before: { roles: ['agent'], name: 'kim' }, after: { roles: ['agent', 'auditor'], name: 'kim' } };
  serve([entry(7, { detail }), entry(6, { action: 'login_failed', object: 'login', detail: { reason: 'wrong_password' } })]);
  renderPage(<AuditPage login={LOGIN} />);
  const saved = await screen.findByRole('row', { name: /User saved/ });
  for (const text of ['#7', 'm.lee', '192.0.2.7', 'user a.kim', 'Done', 'revision', '3', '["agent"] → ["agent","auditor"]']) expect(within(saved).getByText(text)).toBeVisible();
  expect(within(saved).queryByText('name')).toBeNull();
  const failed = screen.getByRole('row', { name: /Sign-in failed/ });
  expect(within(failed).getByText('Refused')).toBeVisible();
});

test('the server narrows; days leave as a file, and not more than 31 of them', async () => {
  const requests = serve([entry(1)]);
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined }));
  renderPage(<AuditPage login={LOGIN} />);
  await userEvent.type(await screen.findByRole('textbox', { name: 'Actor' }), 'm.lee');
  await userEvent.type(screen.getByRole('textbox', { name: 'Object begins with' }), 'user a{Enter}');
  expect(requests.at(-1)?.path).toContain('actor=m.lee&object=user+a');
  await userEvent.click(screen.getByRole('button', { name: 'Export these days (JSON lines)' }));
  const exported = requests.at(-1);
  expect(exported?.method).toBe('POST');
  expect(Number(new URLSearchParams(exported?.path.split('?')[1]).get('from'))).toBe(new Date().setHours(0, 0, 0, 0));
  await userEvent.click(screen.getByRole('button', { name: /Days/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'All days' }));
  expect(screen.getByRole('button', { name: 'Export these days (JSON lines)' })).toBeDisabled();
  expect(screen.getByText('Choose one to 31 days to export.')).toBeVisible();
});
