import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Listening, Permission, RunningCall, Voice } from '../lib/api/types';
import { LiveStore } from '../lib/events/live-store';
import { fakeServer, loginOf, renderPage } from '../test-page';
import { withPhone } from '../phone/with-phone';
import RunningCalls from './running-calls';

// As the page is loaded: what it shows of the queue loads more words, and then only what was asked for is spoken.
beforeAll(async () => void (await withPhone(() => Promise.resolve({}))()));

const parameter = () => ({ value: 0, setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() });
class Sounding {
  state = 'running';
  currentTime = 0;
  destination = {};
  resume = () => Promise.resolve();
  close = () => Promise.resolve();
  createGain = () => ({ gain: parameter(), connect: vi.fn(), disconnect: vi.fn() });
}
class Ticker extends EventTarget {
  postMessage = vi.fn();
  terminate = vi.fn();
}
const track = Object.assign(new EventTarget(), { kind: 'audio', label: 'Desk microphone', stop: vi.fn() });
const stream = { getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream;
const devices = Object.assign(new EventTarget(), { getUserMedia: vi.fn(() => Promise.resolve(stream)), enumerateDevices: () => Promise.resolve([]) });

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('Worker', Ticker);
  vi.stubGlobal('AudioContext', Sounding);
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: devices });
});
afterEach(async () => {
  cleanup();
  // A phone that nothing shows any more lets go a moment later.
  await new Promise((done) => setTimeout(done));
  vi.unstubAllGlobals();
});

const mine = (voice: Voice): Listening => ({ id: 'leg-1', call: 'call-1', listener: 'u1', name: 'M. Lee', since: 7, voice });
const FREE: RunningCall = { id: 'call-1', began_at: 5, state: 'connected', agent: 'u2', agent_name: 'Jane Roe', caller: '+1 555 0142', is_protected: false, listeners: [] };

/** A server with this call; what was sent to it that is not asking. */
function setUp(call: RunningCall, rights: Permission[] = ['call.listen', 'call.join'], refusal?: { status: number; json: unknown }) {
  const sent = fakeServer(({ method, path }) => {
    if (method !== 'GET') return path.startsWith('/phone') ? { json: {} } : (refusal ?? { json: mine('nobody') });
    return path.startsWith('/running-calls') ? { json: { calls: [call] } } : { json: { udp: { host: 'phone.example', port: 40_000 } } };
  });
  renderPage(<RunningCalls login={loginOf(...rights)} store={new LiveStore()} locked={false} />);
  return () => sent.filter(({ method, path }) => method !== 'GET' && !path.startsWith('/phone')).map(({ method, path, body }) => [method, path, body]);
}

test('a call is listened to once the phone of the page is on', async () => {
  const asked = setUp({ ...FREE, is_protected: true });
  const row = await screen.findByRole('row', { name: /Jane Roe/ });
  expect(within(row).getByText('Protected')).toBeVisible();
  const listen = within(row).getByRole('button', { name: 'Listen to Jane Roe with +1 555 0142' });
  expect(listen).toBeDisabled();
  await userEvent.click(screen.getByRole('button', { name: 'Turn on the phone' }));
  await waitFor(() => expect(listen).toBeEnabled());
  await userEvent.click(listen);
  await waitFor(() => expect(asked()).toHaveLength(1));
  const [method, path, body] = asked()[0]!;
  expect([method, path]).toEqual(['POST', '/running-calls/call-1/listeners']);
  expect(body).toEqual({ instance: expect.any(String) as string });
});

test('whoever listens says who hears them, by button and by key, and leaves', async () => {
  const asked = setUp({ ...FREE, listeners: [mine('agent')] });
  await screen.findByText(/Only Jane Roe hears you/);
  expect(screen.getByRole('button', { name: 'Whisper' })).toHaveAttribute('aria-pressed', 'true');
  await userEvent.click(screen.getByRole('button', { name: 'Join' }));
  await waitFor(() => expect(screen.getByRole('button', { name: 'Only listen' })).toBeEnabled());
  await userEvent.keyboard('{Alt>}{Shift>}l{/Shift}{/Alt}');
  await waitFor(() => expect(screen.getByRole('button', { name: 'Leave' })).toBeEnabled());
  await userEvent.click(screen.getByRole('button', { name: 'Leave' }));
  await waitFor(() =>
    expect(asked()).toEqual([
      ['PUT', '/listening/leg-1/voice', { voice: 'both' }],
      ['PUT', '/listening/leg-1/voice', { voice: 'nobody' }],
      ['DELETE', '/listening/leg-1', undefined],
    ]),
  );
});

test('nobody joins a protected call, and whoever may only listen is heard by nobody', async () => {
  const asked = setUp({ ...FREE, is_protected: true, listeners: [mine('nobody')] });
  await screen.findByText(/you can listen and whisper, not join/);
  expect(screen.getByRole('button', { name: 'Join' })).toBeDisabled();
  await userEvent.keyboard('{Alt>}{Shift>}j{/Shift}{/Alt}');
  expect(asked()).toEqual([]);
  cleanup();
  setUp({ ...FREE, listeners: [mine('nobody')] }, ['call.listen']);
  await screen.findByText('You listen to Jane Roe. Nobody hears you.');
  expect(screen.queryByRole('button', { name: 'Whisper' })).toBeNull();
  expect(screen.getByRole('button', { name: 'Leave' })).toBeEnabled();
});

test('a refusal is said', async () => {
  const problem = { code: 'call_protected', title: 'Nobody joins a call while it is protected', status: 409 };
  setUp({ ...FREE, listeners: [mine('nobody')] }, undefined, { status: 409, json: problem });
  await userEvent.click(await screen.findByRole('button', { name: 'Join' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('you can listen and whisper, not join');
});
