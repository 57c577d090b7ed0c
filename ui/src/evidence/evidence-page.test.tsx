import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { evidenceFile } from './evidence-fixtures';
import EvidencePage from './evidence-page';

afterEach(() => vi.unstubAllGlobals());

const CAPTURE = '0123456789abcdefghjkmnpqrs';
const FILE = evidenceFile([
  { action: 'capture_opened', actor: 'a.kim', address: '192.0.2.7', detail: { widget: 'Card payment' } },
  { action: 'recorder_refused', detail: { recorder: 'Screen', medium: 'screen', asked: 'pause', reason: 'recorder_without_control', answered_ms: 3_000 } },
  { action: 'recorder_paused', detail: { recorder: 'Tonewall', medium: 'call', answered_ms: 21 } },
  { action: 'capture_armed' },
  { action: 'capture_ended', detail: { state: 'done', keys: 26 } },
]);

test('the file that leaves is what is shown, made once, and what is kept from here', async () => {
  const requests = fakeServer(() => ({ text: FILE }));
  const kept: Blob[] = [];
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: (blob: Blob) => (kept.push(blob), 'blob:x'), revokeObjectURL: () => undefined }));
  renderPage(<EvidencePage capture={CAPTURE} login={loginOf('audit.read', 'recording.listen')} />);
  const recorders = await screen.findByRole('region', { name: 'Recorders, by their own word' });
  const [refused, paused] = within(recorders).getAllByRole('listitem');
  expect(refused).toHaveTextContent('NOT CONFIRMED');
  expect(refused).toHaveTextContent('pause: recorder_without_control');
  expect(paused).toHaveTextContent('answered after 21 ms');
  expect(screen.getByText('Keys heard').parentElement).toHaveTextContent('26');
  for (const text of ['a.kim from 192.0.2.7', 'k'.repeat(43), 's'.repeat(86)]) expect(screen.getByText(text)).toBeVisible();
  expect(screen.getByText(/This record is a part/)).toBeVisible();
  expect(screen.getByText(`tonewall verify evidence-${CAPTURE}.json --keys evidence-keys.json`)).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Save the signed file' }));
  expect(await kept[0]?.text()).toBe(FILE);
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`POST /captures/${CAPTURE}/evidence`]);
});

test('what guard and scan have seen is said, loudly where they found something, and not at all where no entry says it', async () => {
  const seen = (ms: number, finds: number, trips: number) => ({ action: 'capture_released' as const, detail: { egress_checked_ms: ms, egress_finds: finds, egress_trips: trips } });
  const scanned = (keys: number) => ({ action: 'recording_scanned' as const, detail: { masked_keys: keys, paused_samples: 0, unprotected_keys: 0 } });
  const opened = { action: 'capture_opened' as const };
  for (const [entries, guard, scan] of [
    [[opened, seen(12_000, 0, 0), seen(500, 0, 0), scanned(0)], '12.5 s judged, no key found, silenced never', 'Nothing found'],
    [[opened, seen(12_000, 0, 0), seen(500, 2, 1), scanned(3)], '12.5 s judged, 2 keys found, silenced once', 'FOUND'],
    [[opened, { action: 'capture_released' as const }], 'Not told yet', 'Not told yet'],
  ] as const) {
    fakeServer(() => ({ text: evidenceFile([...entries]) }));
    const { unmount } = renderPage(<EvidencePage capture={CAPTURE} login={loginOf('audit.read', 'recording.listen')} />);
    expect((await screen.findByText('Last look behind the mask')).parentElement).toHaveTextContent(guard);
    expect(screen.getByText('Scan of the recording after the call').parentElement).toHaveTextContent(scan);
    unmount();
  }
});

test('a place in the recording is a link for whoever may listen, and for nobody else', async () => {
  const placed = evidenceFile([{ action: 'capture_opened' }, { action: 'capture_armed', detail: { recording: 'kept', recording_ms: 134_250 } }]);
  fakeServer(() => ({ text: placed }));
  const { unmount } = renderPage(<EvidencePage capture={CAPTURE} login={loginOf('audit.read', 'recording.listen')} />);
  const place = await screen.findByRole('link', { name: 'Listen in the recording at 02:14' });
  expect(place).toHaveAttribute('href', '/recordings/kept?at=134250');
  unmount();
  renderPage(<EvidencePage capture={CAPTURE} login={loginOf('audit.read')} />);
  await screen.findByText('Proof');
  expect(screen.queryByRole('link', { name: /Listen/ })).toBeNull();
});

test('a refusal is told', async () => {
  fakeServer(() => ({ status: 404, json: { title: 'Not found', status: 404, code: 'not_found' } }));
  renderPage(<EvidencePage capture={CAPTURE} login={loginOf('audit.read', 'recording.listen')} />);
  expect(await screen.findByRole('alert')).toHaveTextContent('It is not there any more.');
});
