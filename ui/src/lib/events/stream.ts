/**
 * The event stream.
 * Owns: the EventSource, its reconnection, and where each topic goes.
 */
import type { CallView, CaptureView, ScreenView } from '../api/types';
import type { LiveStore } from './live-store';

/** Topics without a view of their own: what they name is read again. */
const READ_AGAIN = ['availability', 'desktop', 'payment', 'queue', 'registration', 'settings'] as const;
export type ReadAgain = (typeof READ_AGAIN)[number];

/** Pause before a stream that the browser gave up is opened again. */
const REOPEN_MS = 2_000;

export type StreamHooks = {
  /** The stream is up, or lost its place: read the calls. Whether calls ring is read then, too: a server that started anew has forgotten it. */
  readCalls: () => Promise<readonly CallView[]>;
  /** How the screen of a call stands; it fails for calls whose screen is not recorded. */
  readScreen?: (call: string) => Promise<ScreenView>;
  /** Something else changed. */
  changed: (topic: ReadAgain) => void;
  /** The idle lock closed, or the login ended. */
  locked: () => void;
  loggedOut: () => void;
  open?: () => EventSource;
};

/** Keeps the store current until the returned function is called. */
export function connectStream(store: LiveStore, hooks: StreamHooks): () => void {
  const open = hooks.open ?? (() => new EventSource('/api/v1/events'));
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const readAll = async () => {
    const take = store.beginReading();
    const calls = await hooks.readCalls().catch(() => undefined);
    take(stopped ? undefined : calls);
    if (!calls || stopped) return;
    store.setConnection('open');
    const call = calls.find(({ state }) => state === 'connected' || state === 'held');
    const screen = call && (await hooks.readScreen?.(call.id).catch(() => undefined));
    if (screen && !stopped) store.applyScreen(screen);
  };

  const start = () => {
    source = open();
    const caughtUp = () => {
      void readAll();
      hooks.changed('availability');
      hooks.changed('queue');
    };
    source.addEventListener('open', caughtUp);
    source.addEventListener('reset', caughtUp);
    source.addEventListener('call', (event) => store.applyCall(JSON.parse(event.data) as CallView));
    source.addEventListener('capture', (event) => store.applyCapture(JSON.parse(event.data) as CaptureView));
    source.addEventListener('screen', (event) => store.applyScreen(JSON.parse(event.data) as ScreenView));
    source.addEventListener('phone', ({ data }) => store.phone.dispatchEvent(new MessageEvent('phone', { data })));
    source.addEventListener('locked', hooks.locked);
    source.addEventListener('logged_out', hooks.loggedOut);
    for (const topic of READ_AGAIN) {
      source.addEventListener(topic, () => {
        hooks.changed(topic);
        if (topic === 'desktop' || topic === 'settings') void readAll();
      });
    }
    source.addEventListener('error', () => {
      store.setConnection('lost');
      if (source?.readyState === EventSource.CLOSED && !stopped) timer = setTimeout(start, REOPEN_MS);
    });
  };

  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  };
}
