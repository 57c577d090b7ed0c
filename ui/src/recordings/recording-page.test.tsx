import { fireEvent, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Permission, RecordingDetail, RecordingFileView, RecordingRow, RecordingSpan } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import RecordingPage from './recording-page';

beforeEach(() => {
  window.history.replaceState(null, '', '/recordings/kept');
  // jsdom has no audio; that it is heard is told by a story in a real browser.
  vi.spyOn(HTMLMediaElement.prototype, 'load').mockReturnValue();
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockReturnValue();
});
afterEach(() => vi.unstubAllGlobals());

const AT = new Date(2026, 10, 26, 14, 5).getTime();
const ROW: RecordingRow = {
  id: 'kept', medium: 'call', call: 'call-1', service: 's1', service_name: 'Collections', agent: 'u1', agent_name: 'a.kim', node: 'node-a', began: AT, keep_until: AT + 86_400_000,
  end: { length_ms: 372_000, bytes: 6_000_000, is_whole: true },
};
const SCREEN: RecordingRow = { ...ROW, id: 'seen', medium: 'screen' };
const SPANS: RecordingSpan[] = [
  { kind: 'paused', tracks: 'both', from_ms: 134_000, until_ms: 171_000 },
  { kind: 'gap', tracks: 'agent', from_ms: 200_000, until_ms: 201_000 },
];
const KEPT: RecordingDetail = { row: ROW, file: { length_ms: 372_000, spans: SPANS, parts: [], ending: { is: 'whole' } }, unreadable: null, missing_key: null };

function open(detail: RecordingDetail, ...rights: Permission[]) {
  const requests = fakeServer(({ method, path }) => {
    if (path.startsWith('/recordings?')) return { json: { recordings: [SCREEN, ROW], next: null } };
    if (path.endsWith('/peaks')) return { json: { length_ms: 372_000, step_ms: 125, consumer: [1, 2], agent: [3, 4] } };
    if (path.endsWith('/download')) return { status: 503, json: { title: 'Busy', status: 503, code: 'busy' } };
    return method === 'DELETE' ? {} : { json: detail };
  });
  renderPage(<RecordingPage id="kept" login={loginOf(...rights)} locked={false} />);
  return requests;
}

test('a screen is shown part by part with its pauses between, no video is asked for before it is played, and the audio of its call is a link away', async () => {
  const file: RecordingFileView = {
    length_ms: 372_000,
    spans: [{ kind: 'paused', tracks: 'both', from_ms: 134_000, until_ms: 171_000 }],
    parts: [
      { number: 1, begin_ms: 2_000, length_ms: 132_000, bytes: 1, media_type: 'video/webm' },
      { number: 2, begin_ms: 171_000, length_ms: 201_000, bytes: 1, media_type: 'video/webm' },
    ],
    ending: { is: 'whole' },
  };
  const requests = open({ row: SCREEN, file, unreadable: null, missing_key: null }, 'recording.listen', 'recording.download');
  const shown = await screen.findByRole('region', { name: 'Screen' });
  const [first, pause, second] = within(shown).getAllByRole('listitem');
  expect(first).toHaveTextContent('00:02 – 02:14');
  expect(pause).toHaveTextContent('02:14 – 02:51');
  expect(pause).toHaveTextContent('Screen recording paused');
  const video = within(second!).getByLabelText('Screen, part 2');
  expect(video).toHaveAttribute('src', '/api/v1/recordings/seen/parts/2');
  expect(video).toHaveAttribute('preload', 'none');
  expect(video).toHaveAttribute('controlslist', expect.stringContaining('nodownload'));
  expect(await screen.findByRole('link', { name: /^Audio, / })).toHaveAttribute('href', '/recordings/kept');
  expect(requests.some(({ path }) => path.endsWith('/peaks'))).toBe(false);
  expect(screen.queryByRole('button', { name: 'Download' })).toBeNull();
});

test('parts that are not plain audio are told in words, and each is one press away; no audio is asked for before Play', async () => {
  const requests = open(KEPT, 'recording.listen');
  const parts = await screen.findByRole('region', { name: 'Parts without plain audio' });
  const [paused, gap] = within(parts).getAllByRole('listitem');
  expect(paused).toHaveTextContent('02:14 – 02:51');
  expect(paused).toHaveTextContent('Recording paused');
  expect(gap).toHaveTextContent('Agent. Meant to be kept, and not there.');
  expect(screen.getByText('One part was lost and is silent.')).toBeVisible();
  const position = screen.getByRole('slider', { name: 'Position' });
  expect(position).toHaveAttribute('aria-valuetext', '00:00 of 06:12');
  await userEvent.click(within(parts).getByRole('button', { name: 'Go to: Recording paused 02:14 – 02:51' }));
  expect(position).toHaveAttribute('aria-valuetext', '02:12 of 06:12');
  await userEvent.click(screen.getByRole('button', { name: 'Forward 10 seconds' }));
  expect(position).toHaveAttribute('aria-valuetext', '02:22 of 06:12, Recording paused');
  await userEvent.click(screen.getByRole('button', { name: 'Back 10 seconds' }));
  position.focus();
  await userEvent.keyboard('{ArrowRight}{ArrowUp}{ArrowLeft}');
  expect(position).toHaveValue('133');
  expect(requests.map(({ path }) => path).sort()).toEqual(['/recordings/kept', '/recordings/kept/captures', '/recordings/kept/peaks', '/recordings/seen', '/recordings?call=call-1&limit=20']);
  expect(screen.queryByRole('button', { name: 'Download' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
});

test('a pause says by whose word it was one, and a recorder that did not confirm it', async () => {
  const said = { medium: 'call', at_ms: 134_038, answered_ms: 38, asked: null, reason: null } as const;
  const captures = [{ object: 'capture one', kind: 'credit_card_basic', from_ms: 133_900, until_ms: 171_100, spoken: [{ from_ms: 120_000, until_ms: 135_000 }], said: [{ ...said, recorder: 'Tonewall', did: 'paused' }, { ...said, recorder: 'Floor', did: 'refused', asked: 'pause', reason: 'recorder_no_answer' }] }];
  fakeServer(({ path }) => ({ json: path.endsWith('/captures') ? { captures } : path.startsWith('/recordings?') ? { recordings: [], next: null } : KEPT }));
  renderPage(<RecordingPage id="kept" login={loginOf()} locked={false} />);
  const parts = await screen.findByRole('region', { name: 'Parts without plain audio' });
  const spoken = (await within(parts).findByText('Number perhaps spoken')).closest('li');
  // What lies in the pause was not kept.
  expect(spoken).toHaveTextContent('02:00 – 02:14');
  const paused = within(parts).getByText('Recording paused').closest('li');
  const other = within(parts).getByText('Lost').closest('li');
  expect(await within(paused!).findByText('Tonewall (Audio) paused after 38 ms')).toBeVisible();
  expect(within(paused!).getByText('NOT CONFIRMED by Floor (Audio): pause: recorder_no_answer')).toBeVisible();
  expect(other).not.toHaveTextContent('CONFIRMED');
});

test('the screen of the call is asked for once its sound plays, at the same place', async () => {
  const part = { number: 1, begin_ms: 60_000, length_ms: 100_000, bytes: 1, media_type: 'video/webm' };
  const seen: RecordingDetail = { row: SCREEN, file: { ...KEPT.file!, spans: [{ kind: 'paused', tracks: 'both', from_ms: 0, until_ms: 60_000 }], parts: [part] }, unreadable: null, missing_key: null };
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockImplementation(function (this: HTMLMediaElement) {
    this.dispatchEvent(new Event('play'));
    return Promise.resolve();
  });
  fakeServer(({ path }) => {
    if (path.startsWith('/recordings?')) return { json: { recordings: [SCREEN, ROW], next: null } };
    if (path.endsWith('/peaks')) return { json: { length_ms: 372_000, step_ms: 125, consumer: [1, 2], agent: [3, 4] } };
    return { json: path.endsWith('/seen') ? seen : { ...KEPT, file: { ...KEPT.file!, spans: [] } } };
  });
  renderPage(<RecordingPage id="kept" login={loginOf('recording.listen')} locked={false} />);
  const beside = await screen.findByRole('region', { name: 'Screen at this place' });
  expect(await within(beside).findByText('Screen recording paused')).toBeVisible();
  fireEvent.change(screen.getByRole('slider', { name: 'Position' }), { target: { value: '70' } });
  expect(within(beside).getByText('The screen plays along with the sound.')).toBeVisible();
  expect(beside.querySelector('video')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Play' }));
  const video = within(beside).getByLabelText('Screen, part 1');
  expect(video).toHaveAttribute('src', '/api/v1/recordings/seen/parts/1');
  expect((video as HTMLVideoElement).currentTime).toBe(10);
});

test('a place of the evidence is where the player stands at first, silent until Play; what is no place is the beginning', async () => {
  const sought = vi.spyOn(HTMLMediaElement.prototype, 'currentTime', 'set');
  const played = vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue();
  for (const [search, shown] of [['?at=134250', '02:14'], ['?at=999000', '06:12'], ['?at=-5', '00:00'], ['?at=1e3', '00:00']]) {
    window.history.replaceState(null, '', `/recordings/kept${search}`);
    fakeServer(({ path }) => ({ json: path.endsWith('/peaks') ? { length_ms: 372_000, step_ms: 125, consumer: [1], agent: [1] } : path.startsWith('/recordings?') ? { recordings: [], next: null } : KEPT }));
    const { unmount } = renderPage(<RecordingPage id="kept" login={loginOf('recording.listen')} locked={false} />);
    const position = await screen.findByRole('slider', { name: 'Position' });
    expect(position.getAttribute('aria-valuetext')).toMatch(new RegExp(`^${shown} of 06:12`));
    expect(played).not.toHaveBeenCalled();
    if (search === '?at=134250') {
      await userEvent.click(screen.getByRole('checkbox', { name: /protected/i }));
      screen.getByRole('button', { name: 'Play' }).focus();
      await userEvent.keyboard('{Enter}');
      expect(sought).toHaveBeenLastCalledWith(134.25);
      expect(played).toHaveBeenCalledOnce();
      played.mockClear();
    }
    unmount();
  }
});

test('who may only take it out or delete it hears nothing, and gives a reason without a card number', async () => {
  const requests = open(KEPT, 'recording.download', 'recording.delete');
  await userEvent.click(await screen.findByRole('button', { name: 'Download' }));
  expect(screen.getByText('Your roles do not allow you to listen to recordings.')).toBeInTheDocument();
  const go = screen.getByRole('button', { name: 'Download file' });
  const reason = screen.getByRole('textbox', { name: /Reason/ });
  await userEvent.type(reason, '4111 1111 1111 1111');
  expect(go).toBeDisabled();
  await userEvent.clear(reason);
  await userEvent.type(reason, 'asked for');
  await userEvent.click(screen.getByRole('radio', { name: /Opus/ }));
  await userEvent.click(go);
  expect(await screen.findByRole('alert')).toHaveTextContent('The server is busy.');
  expect(requests.at(-1)?.body).toEqual({ format: 'opus', reason: 'asked for' });
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await userEvent.type(screen.getByRole('textbox', { name: /Reason/ }), 'asked for');
  await userEvent.click(screen.getByRole('button', { name: 'Delete for good' }));
  await vi.waitFor(() => expect(window.location.pathname).toBe('/recordings'));
  expect(requests.filter(({ path }) => path.endsWith('/peaks'))).toEqual([]);
  expect(requests.find(({ method }) => method === 'DELETE')?.body).toEqual({ reason: 'asked for' });
});

test('a part is removed from where the player stands, with a reason; the drawing, the list and the audio are then without it', async () => {
  const loads = vi.spyOn(HTMLMediaElement.prototype, 'load').mockReturnValue();
  let removed: RecordingSpan[] = [];
  let answer = 503;
  const requests = fakeServer(({ method, path, body }) => {
    if (path.startsWith('/recordings?')) return { json: { recordings: [ROW], next: null } };
    if (path.endsWith('/peaks')) return { json: { length_ms: 372_000, step_ms: 125, consumer: [1, 2], agent: [3, 4] } };
    if (method !== 'POST') return { json: { ...KEPT, file: { ...KEPT.file!, spans: [...SPANS, ...removed] } } };
    if (answer !== 204) return { status: answer, json: { title: 'x', status: answer, code: 'recording_unavailable' } };
    const { from_ms, until_ms } = body as { from_ms: number; until_ms: number };
    removed = [{ kind: 'removed', tracks: 'both', from_ms, until_ms }];
    return {};
  });
  renderPage(<RecordingPage id="kept" login={loginOf('recording.listen', 'recording.redact')} locked={false} />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Go to: Recording paused 02:14 – 02:51' }));
  await user.click(screen.getByRole('button', { name: 'Forward 10 seconds' }));
  await user.click(screen.getByRole('button', { name: 'Remove a part…' }));
  const dialog = screen.getByRole('alertdialog', { name: 'Remove a part of this recording?' });
  const [from, until, reason] = [/^From/, /^Until/, /^Reason/].map((name) => within(dialog).getByRole('textbox', { name })) as [HTMLElement, HTMLElement, HTMLElement];
  // The pause in which the player stands.
  expect([from, until].map((input) => (input as HTMLInputElement).value)).toEqual(['2:14.0', '2:51.0']);
  expect(from).toHaveFocus();
  const go = within(dialog).getByRole('button', { name: 'Remove for good' });
  await user.keyboard('{Control>}a{/Control}3:00{Tab}{Control>}a{/Control}7:00{Tab}asked for');
  expect(until).toHaveAccessibleDescription('The recording ends at 6:12.0.');
  expect(go).toBeDisabled();
  await user.clear(until);
  await user.type(until, '3:05,5');
  expect(dialog).toHaveTextContent('3:00.0 – 3:05.5: 5.5 s of both sides become silence.');
  await user.click(go);
  expect(await within(dialog).findByRole('alert')).toHaveTextContent('The recording cannot be reached now.');
  answer = 204;
  expect(reason).toHaveValue('asked for');
  await user.click(go);
  const parts = await screen.findByRole('region', { name: 'Parts without plain audio' });
  const gone = await within(parts).findByText('Removed');
  expect(gone.closest('li')).toHaveTextContent('03:00 – 03:05');
  expect(screen.getByText('Removed: 3:00.0 – 3:05.5')).toBeVisible();
  expect(requests.filter(({ method }) => method === 'POST').at(-1)).toMatchObject({ path: '/recordings/kept/redactions', body: { from_ms: 180_000, until_ms: 185_500, reason: 'asked for' } });
  expect(requests.filter(({ path }) => path.endsWith('/peaks')).length).toBeGreaterThan(1);
  // The old player is gone with its audio; the new one stands where it stood.
  expect(loads).toHaveBeenCalled();
  expect(screen.getByRole('slider', { name: 'Position' })).toHaveValue('142');
});

test('of a screen whole videos are removed, one that is gone is a card among the others, and there is nothing to remove where no video is left', async () => {
  const part = (number: number, begin_ms: number, length_ms: number) => ({ number, begin_ms, length_ms, bytes: 1, media_type: 'video/webm' });
  const removed: RecordingSpan = { kind: 'removed', tracks: 'both', from_ms: 2_000, until_ms: 134_000 };
  const file: RecordingFileView = { length_ms: 372_000, spans: [removed, { kind: 'paused', tracks: 'both', from_ms: 134_000, until_ms: 171_000 }], parts: [part(2, 171_040, 100_000), part(3, 271_060, 100_940)], ending: { is: 'whole' } };
  const requests = open({ row: SCREEN, file, unreadable: null }, 'recording.listen', 'recording.redact');
  const cards = within(await screen.findByRole('region', { name: 'Screen' })).getAllByRole('listitem');
  expect(cards.map((card) => card.textContent)).toEqual(['00:02 – 02:14Removed', '02:14 – 02:51Screen recording paused', '02:51 – 04:31', '04:31 – 06:12']);
  await userEvent.click(screen.getByRole('button', { name: 'Remove a part…' }));
  const dialog = screen.getByRole('alertdialog');
  const [from, until] = [/^From/, /^Until/].map((name) => within(dialog).getByRole('textbox', { name })) as [HTMLElement, HTMLElement];
  expect([from, until].map((input) => (input as HTMLInputElement).value)).toEqual(['2:51.1', '4:31.0']);
  expect(dialog).toHaveTextContent('This part goes as a whole: 02:51 – 04:31');
  await userEvent.clear(until);
  await userEvent.type(until, '4:31.1');
  expect(dialog).toHaveTextContent('These 2 parts go as a whole: 02:51 – 04:31, 04:31 – 06:12');
  await userEvent.clear(from);
  await userEvent.type(from, '0:05');
  await userEvent.clear(until);
  await userEvent.type(until, '2:00');
  expect(from).toHaveAccessibleDescription('Nothing of the screen is kept in this time.');
  await userEvent.clear(until);
  await userEvent.type(until, '3:00');
  await userEvent.type(within(dialog).getByRole('textbox', { name: /^Reason/ }), 'asked for');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Remove for good' }));
  await vi.waitFor(() => expect(requests.find(({ method }) => method === 'POST')?.body).toEqual({ from_ms: 5_000, until_ms: 180_000, reason: 'asked for' }));
  expect(requests.find(({ method }) => method === 'POST')?.path).toBe('/recordings/seen/redactions');
  await vi.waitFor(() => expect(dialog).not.toBeInTheDocument());
  open({ row: SCREEN, file: { ...file, parts: [] }, unreadable: null }, 'recording.redact');
  const page = (await screen.findAllByRole('main')).at(-1)!;
  expect(await within(page).findByText('Removed')).toBeVisible();
  expect(within(page).queryByRole('button', { name: 'Remove a part…' })).toBeNull();
});

test('of a quarantined recording the part in which keys were found is offered, and nobody without the right removes one', async () => {
  const masked: RecordingSpan = { kind: 'masked', tracks: 'consumer', from_ms: 250_010, until_ms: 302_040 };
  const found: RecordingDetail = { ...KEPT, row: { ...ROW, scan: { at: AT, finds: { masked_keys: 2, paused_samples: 0, unprotected_keys: 0 } } }, file: { ...KEPT.file!, spans: [...SPANS, masked] } };
  open(found, 'recording.redact');
  await userEvent.click(await screen.findByRole('button', { name: 'Remove a part…' }));
  expect([/^From/, /^Until/].map((name) => screen.getByRole<HTMLInputElement>('textbox', { name }).value)).toEqual(['4:10.0', '5:02.1']);
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  const page = screen.getByRole('main');
  open(KEPT, 'recording.listen', 'recording.download', 'recording.delete');
  await screen.findByRole('region', { name: 'Player' });
  const other = screen.getAllByRole('main').find((one) => one !== page)!;
  expect(within(other).getByRole('button', { name: 'Delete' })).toBeVisible();
  expect(within(other).queryByRole('button', { name: 'Remove a part…' })).toBeNull();
});

test('one that runs, one that was cut, one in which something was found and one that cannot be read say so and what to do', async () => {
  open({ row: { ...ROW, end: null }, file: null, unreadable: null, missing_key: null }, 'recording.listen', 'recording.delete');
  expect(await screen.findByText(/It can be listened to once it has ended/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
  open({ ...KEPT, row: { ...ROW, end: { ...ROW.end!, is_whole: false } }, file: { ...KEPT.file!, ending: { is: 'cut' } } }, 'recording.listen');
  expect(await screen.findByText(/At most its last second is missing/)).toBeVisible();
  open({ ...KEPT, row: { ...ROW, scan: { at: AT, finds: { masked_keys: 2, paused_samples: 0, unprotected_keys: 16 } } } }, 'recording.listen');
  const found = await screen.findByText(/so nobody listens to it/);
  for (const words of [/^2 keys can be told/, /^16 keys were pressed/]) expect(screen.getByText(words)).toBeVisible();
  expect(screen.queryByText(/sound in a pause/)).toBeNull();
  expect(within(found.closest('main')!).queryByRole('button')).toBeNull();
  open({ row: ROW, file: null, unreadable: 'its file is gone', missing_key: null }, 'recording.listen');
  expect(await screen.findByText(/Tell your administrator what the server says: its file is gone/)).toBeVisible();
  open({ row: ROW, file: null, unreadable: 'key ab is not at hand', missing_key: 'abababababababab' }, 'recording.listen');
  expect(await screen.findByText(/^The key abababababababab that opens this recording is not in/)).toBeVisible();
});
