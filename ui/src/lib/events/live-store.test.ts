import { describe, expect, test, vi } from 'vitest';
import type { CallView } from '../api/types';
import { call, capture } from '../capture/fixtures';
import { LiveStore } from './live-store';
import { connectStream } from './stream';

const revision = (n: number) => capture('credit_card_advanced', 'armed', { revision: n });

describe('the live store', () => {
  test('keeps the newest view of a capture, whatever comes last', () => {
    const store = new LiveStore();
    store.applyCall(call({ capture: revision(5) }));
    store.applyCapture(revision(4));
    expect(store.snapshot().calls[0]?.capture?.revision).toBe(5);
    store.applyCall(call({ capture: revision(3) }));
    expect(store.snapshot().calls[0]?.capture?.revision).toBe(5);
    store.applyCapture(revision(6));
    expect(store.snapshot().calls[0]?.capture?.revision).toBe(6);
  });

  test('a capture that was taken away does not come back with a late answer', () => {
    const store = new LiveStore();
    store.applyCall(call({ capture: revision(5) }));
    store.applyCall(call({ capture: null }));
    store.applyCapture(revision(6));
    expect(store.snapshot().calls[0]?.capture).toBeNull();
  });

  test('why a number was not reached is known until the agent has read it', () => {
    const store = new LiveStore();
    const dialled = (failed: 'busy' | null) => ({ step: 'ringing', failed }) as const;
    store.applyCall(call({ state: 'ringing', dialled: dialled(null) }));
    expect(store.snapshot().unreached).toBeUndefined();
    store.applyCall(call({ state: 'ended', dialled: dialled('busy') }));
    expect([store.snapshot().calls, store.snapshot().unreached]).toEqual([[], 'busy']);
    store.forgetUnreached();
    expect(store.snapshot().unreached).toBeUndefined();
  });

  test('of one screen the newest word counts, of two the last', () => {
    const store = new LiveStore();
    const screen = (call: string, revision: number) => ({ call, revision, surfaces: 'any', required: false, shared: true, ended: null, hold: 'none', part: 0, at_ms: 0 }) as const;
    store.applyScreen(screen('a', 5));
    store.applyScreen(screen('a', 4));
    expect(store.snapshot().screen?.revision).toBe(5);
    store.applyScreen(screen('b', 1));
    expect(store.snapshot().screen?.call).toBe('b');
  });

  test('an ended call stays while its capture is open, and goes with it', () => {
    const store = new LiveStore();
    store.applyCall(call({ state: 'ended', capture: revision(1) }));
    expect(store.snapshot().calls).toHaveLength(1);
    store.applyCall(call({ state: 'ended', capture: null }));
    expect(store.snapshot().calls).toHaveLength(0);
  });
});

class FakeSource extends EventTarget {
  readyState: number = EventSource.OPEN;
  close() {
    this.readyState = EventSource.CLOSED;
  }
  tell(topic: string, data: unknown = {}) {
    this.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(data) }));
  }
}

describe('the event stream', () => {
  vi.stubGlobal('EventSource', { CONNECTING: 0, OPEN: 1, CLOSED: 2 });

  function connect() {
    const store = new LiveStore();
    const sources: FakeSource[] = [];
    const hooks = {
      readCalls: vi.fn(() => Promise.resolve([call()])),
      changed: vi.fn(),
      locked: vi.fn(),
      loggedOut: vi.fn(),
      open: () => {
        const source = new FakeSource();
        sources.push(source);
        return source as unknown as EventSource;
      },
    };
    return { store, sources, hooks, stop: connectStream(store, hooks) };
  }

  test('reads the calls when it opens and when it lost its place', async () => {
    const { store, sources, hooks, stop } = connect();
    sources[0]?.tell('open');
    await vi.waitFor(() => expect(store.snapshot().connection).toBe('open'));
    expect(store.snapshot().calls).toHaveLength(1);
    expect(hooks.changed.mock.calls).toEqual([['availability'], ['queue']]);
    sources[0]?.tell('reset');
    await vi.waitFor(() => expect(hooks.readCalls).toHaveBeenCalledTimes(2));
    expect(hooks.changed).toHaveBeenCalledTimes(4);
    stop();
  });

  test('a call that comes or ends while the list is read is not lost, and does not come back', async () => {
    const { store, sources, hooks, stop } = connect();
    const answers: ((calls: CallView[]) => void)[] = [];
    hooks.readCalls.mockImplementation(() => new Promise((answer) => answers.push(answer)));
    sources[0]?.tell('open');
    sources[0]?.tell('call', call({ id: 'rings' }));
    answers[0]?.([]);
    await vi.waitFor(() => expect(store.snapshot().connection).toBe('open'));
    expect(store.snapshot().calls.map(({ id }) => id)).toEqual(['rings']);

    sources[0]?.tell('reset');
    sources[0]?.tell('call', call({ id: 'rings', state: 'ended', capture: null }));
    answers[1]?.([call({ id: 'rings' }), call({ id: 'other' })]);
    await vi.waitFor(() => expect(store.snapshot().calls.map(({ id }) => id)).toEqual(['other']));

    sources[0]?.tell('reset');
    answers[2]?.([]);
    await vi.waitFor(() => expect(store.snapshot().calls).toEqual([]));
    stop();
  });

  test('says that it is lost, and opens again when the browser gave up', () => {
    vi.useFakeTimers();
    const { store, sources, stop } = connect();
    const [first] = sources;
    if (first) first.readyState = 2;
    first?.tell('error');
    expect(store.snapshot().connection).toBe('lost');
    vi.advanceTimersByTime(2_000);
    expect(sources).toHaveLength(2);
    stop();
    vi.useRealTimers();
  });

  test('hands on what else changed, the lock and the logout', () => {
    const { sources, hooks, stop } = connect();
    sources[0]?.tell('payment');
    sources[0]?.tell('locked');
    sources[0]?.tell('logged_out');
    expect(hooks.changed).toHaveBeenCalledWith('payment');
    expect(hooks.locked).toHaveBeenCalledOnce();
    expect(hooks.loggedOut).toHaveBeenCalledOnce();
    stop();
  });
});
