import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../lib/api/client';
import type { ScreenView } from '../../lib/api/types';
import { ScreenRecorder } from './recorder';
import type { Chunk, Wire } from './recorder';

/** jsdom has none: one that hands over a byte when it is told, and its last one before it stops. */
class Recorder extends EventTarget {
  static isTypeSupported = () => true;
  static all: Recorder[] = [];
  state = 'inactive';
  constructor() {
    super();
    Recorder.all.push(this);
  }
  start() {
    this.state = 'recording';
  }
  give() {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob(['x']) }));
  }
  stop() {
    this.state = 'inactive';
    queueMicrotask(() => {
      this.give();
      this.dispatchEvent(new Event('stop'));
    });
  }
}

class Track extends EventTarget {
  enabled = true;
  stopped = false;
  getSettings = () => ({ displaySurface: 'monitor' });
  stop() {
    this.stopped = true;
  }
}

const view = (changes: Partial<ScreenView> = {}): ScreenView => ({ call: 'c1', revision: 1, surfaces: 'any', required: false, shared: true, ended: null, hold: 'none', part: 0, at_ms: 0, ...changes });
const refused = (code: string) => new ApiError({ title: '', status: 409, code });

function setUp() {
  const sent: string[] = [];
  const answers: (Error | undefined)[] = [];
  const withheld = new Set<string>();
  const track = new Track();
  const wire: Wire = {
    share: async (call, { surface }) => {
      sent.push(`share ${call} ${surface}`);
      return view({ call, revision: 2, hold: withheld.has(call) ? 'paused' : 'none' });
    },
    chunk: async (_, { part, sequence }: Chunk) => {
      sent.push(`chunk ${part}.${sequence}`);
      const answer = answers.shift();
      if (answer) throw answer;
    },
    acknowledge: async (call, { part, chunks }) => {
      sent.push(`acknowledge ${part} with ${chunks}`);
      return view({ call, revision: 4, hold: 'paused', part: part + 1 });
    },
    end: async (call, why) => {
      sent.push(`end ${call} ${why}`);
      return view({ call, shared: false });
    },
  };
  const recorder = new ScreenRecorder(wire);
  const stream = { getVideoTracks: () => [track] } as unknown as MediaStream;
  const share = async () => {
    await recorder.follow(view({ shared: false }));
    await recorder.take(stream);
  };
  return { recorder, track, sent, answers, withheld, share };
}

const newest = () => Recorder.all.at(-1)!;

beforeEach(() => {
  Recorder.all = [];
  vi.stubGlobal('MediaRecorder', Recorder);
  vi.stubGlobal('MediaStream', class {});
});
afterEach(() => vi.unstubAllGlobals());

test('a pause takes the picture away at once, is acknowledged with all chunks, and only then the last one goes', async () => {
  const { recorder, track, sent, share } = setUp();
  await share();
  expect(track.enabled).toBe(true);
  newest().give();
  const paused = recorder.follow(view({ revision: 3, hold: 'pausing' }));
  expect(track.enabled).toBe(false);
  await paused;
  await vi.waitFor(() => expect(sent).toContain('chunk 0.1'));
  expect(sent).toEqual(['share c1 monitor', 'chunk 0.0', 'acknowledge 0 with 2', 'chunk 0.1']);
  expect(recorder.snapshot().sharing).toBe('paused');
  await recorder.follow(view({ revision: 5, part: 1 }));
  expect(track.enabled).toBe(true);
  newest().give();
  await vi.waitFor(() => expect(sent.at(-1)).toBe('chunk 1.0'));
});

test('what is shared while a pause lasts begins behind it', async () => {
  const { recorder, track, share } = setUp();
  await recorder.follow(view({ shared: false, revision: 0 }));
  await share();
  await recorder.follow(view({ revision: 3, hold: 'paused' }));
  expect([track.enabled, recorder.snapshot().sharing]).toEqual([false, 'paused']);
});

test('a chunk that came already counts as kept, and one that is refused ends the share with a word', async () => {
  const { recorder, track, sent, answers, share } = setUp();
  await share();
  answers.push(refused('screen_repeated'), refused('screen_refused'));
  newest().give();
  await vi.waitFor(() => expect(sent).toContain('chunk 0.0'));
  newest().give();
  await vi.waitFor(() => expect(sent).toContain('end c1 failed'));
  expect(sent).toEqual(['share c1 monitor', 'chunk 0.0', 'chunk 0.1', 'end c1 failed']);
  expect(track.stopped).toBe(true);
  expect(recorder.snapshot()).toEqual({ sharing: 'off', refusal: 'failed' });
});

test('a server that has put the share away is believed', async () => {
  const { recorder, track, share } = setUp();
  await share();
  await recorder.follow(view({ revision: 3, shared: false, ended: 'unanswered' }));
  expect([track.stopped, recorder.snapshot().refusal]).toEqual([true, 'failed']);
});

test('the share is kept from call to call, and told of each', async () => {
  const { recorder, track, sent, share } = setUp();
  await share();
  await recorder.follow(undefined);
  expect([track.enabled, track.stopped]).toEqual([false, false]);
  await recorder.follow(view({ call: 'c2', shared: false }));
  expect(sent.filter((one) => one.startsWith('share'))).toEqual(['share c1 monitor', 'share c2 monitor']);
  expect(track.enabled).toBe(true);
});

test('the next call\'s screen stays dark while a value of the call before may be on it', async () => {
  const { recorder, track, withheld, share } = setUp();
  await share();
  await recorder.follow(undefined);
  withheld.add('c2');
  await recorder.follow(view({ call: 'c2', shared: false, hold: 'paused' }));
  expect([Recorder.all.length, track.enabled, recorder.snapshot().sharing]).toEqual([1, false, 'paused']);
  await recorder.follow(view({ call: 'c2', revision: 3 }));
  expect([Recorder.all.length, track.enabled]).toEqual([2, true]);
});

test('a chunk that meets the end of its call ends no share', async () => {
  const { recorder, track, sent, answers, share } = setUp();
  await share();
  answers.push(refused('not_found'));
  newest().give();
  await vi.waitFor(() => expect(recorder.snapshot().sharing).toBe('paused'));
  expect([track.enabled, track.stopped]).toEqual([false, false]);
  await recorder.follow(undefined);
  await recorder.follow(view({ call: 'c2', shared: false }));
  expect(track.enabled).toBe(true);
  expect(sent).toEqual(['share c1 monitor', 'chunk 0.0', 'share c2 monitor']);
});

test('a share that ends is told with its reason', async () => {
  const { recorder, track, sent, share } = setUp();
  await share();
  track.dispatchEvent(new Event('ended'));
  await vi.waitFor(() => expect(sent).toContain('end c1 stopped'));
  expect(recorder.snapshot().sharing).toBe('off');
});
