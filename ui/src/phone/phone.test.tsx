import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { call as callOf } from '../lib/capture/fixtures';
import { LiveStore } from '../lib/events/live-store';
import type { Sent } from '../test-page';
import { fakeServer, renderPage } from '../test-page';
import PhoneBar from './phone-bar';

/** What of a browser's WebRTC and sound the phone uses, without a network. */
class Track extends EventTarget {
  kind = 'audio';
  label = 'Desk microphone';
  enabled = true;
  readyState = 'live';
  stop = vi.fn(() => {
    this.readyState = 'ended';
  });
}

class Connection extends EventTarget {
  static all: Connection[] = [];
  iceConnectionState = 'new';
  localDescription: { sdp: string } | null = null;
  readonly transceivers = [{ direction: 'recvonly' }];
  readonly sender = { replaceTrack: vi.fn(() => Promise.resolve()) };
  restartIce = vi.fn();
  close = vi.fn();
  setRemoteDescription = vi.fn(() => Promise.resolve());
  constructor() {
    super();
    Connection.all.push(this);
  }
  setLocalDescription = () => {
    this.localDescription = { sdp: 'page' };
    return Promise.resolve();
  };
  createOffer = () => Promise.resolve({ type: 'offer', sdp: 'page' });
  getTransceivers = () => this.transceivers;
  getSenders = () => [this.sender];
  getReceivers = () => [];
  getStats = () => Promise.resolve(new Map());
  ice(state: string) {
    this.iceConnectionState = state;
    this.dispatchEvent(new Event('iceconnectionstatechange'));
  }
}

class Ticker extends EventTarget {
  static all: Ticker[] = [];
  postMessage = vi.fn();
  terminate = vi.fn();
  constructor() {
    super();
    Ticker.all.push(this);
  }
}

const parameter = () => ({ value: 0, setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() });
class Sounding {
  state = 'running';
  currentTime = 0;
  destination = {};
  resume = () => Promise.resolve();
  close = () => Promise.resolve();
  createGain = () => ({ gain: parameter(), connect: vi.fn(), disconnect: vi.fn() });
  createOscillator = () => Object.assign(new EventTarget(), { frequency: parameter(), connect: vi.fn(), start: vi.fn(), stop: vi.fn() });
}

let track: Track;
const opened = vi.fn(() => Promise.resolve({ getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream));
const devices = Object.assign(new EventTarget(), { getUserMedia: opened, enumerateDevices: () => Promise.resolve([]) });

beforeEach(() => {
  track = new Track();
  Connection.all = [];
  Ticker.all = [];
  localStorage.clear();
  sessionStorage.clear();
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('RTCPeerConnection', Connection);
  vi.stubGlobal('Worker', Ticker);
  vi.stubGlobal('AudioContext', Sounding);
  vi.stubGlobal('MediaStream', class {});
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: devices });
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockImplementation(() => Promise.resolve());
});
afterEach(async () => {
  cleanup();
  // A phone that nothing shows any more lets go a moment later.
  await new Promise((done) => setTimeout(done));
  vi.unstubAllGlobals();
});

type Answers = (sent: Sent) => ReturnType<Parameters<typeof fakeServer>[0]>;
const OFFER = { offer: 'server', state: 'ringing' };

function setUp(answer: Answers = () => ({}), apart = false) {
  const store = new LiveStore();
  const sent = fakeServer((request) => {
    const own = answer(request);
    if (Object.keys(own).length > 0) return own;
    if (request.method === 'GET') return { json: OFFER };
    return request.path.endsWith('/restart') ? { json: { answer: 'server' } } : {};
  });
  renderPage(<PhoneBar store={store} locked={false} apart={apart} network={{ udp: { host: 'phone.example', port: 40_000 } }} />);
  const tell = (data: unknown) => store.phone.dispatchEvent(new MessageEvent('phone', { data: JSON.stringify(data) }));
  const asked = () => sent.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
  return { store, sent, tell, asked };
}

async function turnOn() {
  await userEvent.click(screen.getByRole('button', { name: 'Turn on phone' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Turn on' }));
}
const on = () => screen.findByRole('button', { name: 'Phone: on' });

test('says why before the browser asks, lets the microphone go again, and holds the phone by a clock of its own', async () => {
  const { sent, asked } = setUp();
  await userEvent.click(screen.getByRole('button', { name: 'Turn on phone' }));
  expect(await screen.findByText(/Your browser asks for the microphone next/)).toBeVisible();
  expect(opened).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole('button', { name: 'Turn on' }));
  await on();
  expect(track.stop).toHaveBeenCalledOnce();
  expect(sent[0]?.body).toMatchObject({ take_over: false, instance: expect.stringMatching(/^.{16,64}$/) as string });
  expect(Ticker.all[0]?.postMessage).toHaveBeenCalledWith(8_000);
  Ticker.all[0]?.dispatchEvent(new MessageEvent('message'));
  await waitFor(() => expect(asked()).toEqual(['PUT /phone', 'PUT /phone']));
});

test('a microphone that was refused is said, with what to do', async () => {
  opened.mockRejectedValueOnce(new DOMException('', 'NotAllowedError'));
  const { asked } = setUp();
  await turnOn();
  expect(await screen.findByText(/Allow it beside the address, then try again/)).toBeVisible();
  expect(asked()).toEqual([]);
});

test('a call rings with its caller, is connected before the click, and the click answers with the microphone', async () => {
  const { store, tell, sent, asked } = setUp();
  await turnOn();
  await on();
  store.applyCall(callOf({ id: 'c1', state: 'ringing', caller: 'Jane Roe' }));
  tell({ kind: 'ring', call: 'c1' });
  expect(await screen.findByText('A call rings: Jane Roe')).toBeVisible();
  await waitFor(() => expect(asked()).toEqual(['PUT /phone', 'GET /phone/calls/c1', 'POST /phone/calls/c1/connect']));
  expect(sent[2]?.body).toMatchObject({ answer: 'page' });
  const [peer] = Connection.all;
  expect([peer?.transceivers[0]?.direction, peer?.sender.replaceTrack.mock.calls.length]).toEqual(['sendrecv', 0]);
  expect(document.title).toBe('A call rings');
  await userEvent.keyboard('{Control>}{Shift>}l{/Shift}{/Control}');
  await waitFor(() => expect(asked().at(-1)).toBe('POST /phone/calls/c1/answer'));
  expect(peer?.sender.replaceTrack).toHaveBeenCalledWith(track);
  expect(screen.queryByText(/A call rings/)).toBeNull();
  expect(document.title).not.toBe('A call rings');

  store.applyCall(callOf({ id: 'c1', agent_muted: true }));
  expect(track.enabled).toBe(false);
  peer?.ice('connected');
  peer?.ice('disconnected');
  expect(await screen.findByText('Reconnecting… 00:00. The call stays.')).toBeVisible();
  await waitFor(() => expect(asked().at(-1)).toBe('POST /phone/calls/c1/restart'));
  peer?.ice('connected');
  await waitFor(() => expect(screen.queryByText(/Reconnecting/)).toBeNull());

  tell({ kind: 'gone', call: 'c1' });
  expect(peer?.close).toHaveBeenCalledOnce();
  expect(track.readyState).toBe('ended');
});

test('a microphone that goes in the middle of a call is replaced, and that is said', async () => {
  const { tell, asked } = setUp();
  await turnOn();
  await on();
  tell({ kind: 'ring', call: 'c1' });
  await userEvent.click(await screen.findByRole('button', { name: 'Answer' }));
  await waitFor(() => expect(asked().at(-1)).toBe('POST /phone/calls/c1/answer'));
  const first = track;
  track = Object.assign(new Track(), { label: 'Built-in' });
  first.dispatchEvent(new Event('ended'));
  expect(await screen.findByText('Your microphone is gone. Built-in is used now.')).toBeVisible();
  expect(Connection.all[0]?.sender.replaceTrack).toHaveBeenLastCalledWith(track);
});

test('a path that never comes about names what has to be opened', async () => {
  const { tell } = setUp();
  await turnOn();
  await on();
  vi.useFakeTimers({ shouldAdvanceTime: true });
  tell({ kind: 'ring', call: 'c1' });
  await screen.findByRole('button', { name: 'Answer' });
  vi.advanceTimersByTime(5_000);
  expect(await screen.findByText(/lets no UDP reach phone.example, port 40000/)).toBeVisible();
  vi.useRealTimers();
});

test('decline is told to the server, and the call is gone here', async () => {
  const { tell, asked } = setUp();
  await turnOn();
  await on();
  tell({ kind: 'ring', call: 'c1' });
  await userEvent.click(await screen.findByRole('button', { name: 'Decline' }));
  expect(screen.queryByText(/A call rings/)).toBeNull();
  await waitFor(() => expect(asked().at(-1)).toBe('POST /phone/calls/c1/decline'));
});

test('another tab that has it is named and taken over from; one that takes it is taken back from', async () => {
  const elsewhere = { status: 409, json: { title: 'x', status: 409, code: 'phone_elsewhere' } };
  const { tell, sent } = setUp(({ path, body }) => (path === '/phone' && !(body as { take_over: boolean }).take_over ? elsewhere : {}));
  await turnOn();
  expect(await screen.findByText('Your phone is on in another tab.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Take over here' }));
  await on();
  expect(sent.at(-1)?.body).toMatchObject({ take_over: true });
  tell({ kind: 'taken', instance: (sent.at(-1)?.body as { instance: string }).instance });
  await on();
  tell({ kind: 'taken', instance: 'another-tab-0123' });
  expect(await screen.findByRole('button', { name: 'Take it back' })).toBeVisible();
});

test('a call that is on screen is asked for once, and is no business of this phone where the server does not know it', async () => {
  const { store, asked } = setUp(({ method }) => (method === 'GET' ? { status: 404, json: { title: 'x', status: 404, code: 'not_found' } } : {}));
  await turnOn();
  await on();
  store.applyCall(callOf({ id: 'desk-phone', state: 'ringing' }));
  store.applyCall(callOf({ id: 'desk-phone', state: 'connected' }));
  await waitFor(() => expect(asked()).toEqual(['PUT /phone', 'GET /phone/calls/desk-phone']));
  expect([screen.queryByText(/A call rings/), screen.queryByRole('alert', { name: /./ })]).toEqual([null, null]);
});

test('beside another page it shows itself only while it is on', () => {
  setUp(undefined, true);
  expect(screen.queryByRole('button')).toBeNull();
});
