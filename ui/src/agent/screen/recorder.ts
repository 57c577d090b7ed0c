/**
 * The recorder of the agent's screen.
 * Owns: the shared stream, the part under way, the order in which chunks and acknowledgements are sent.
 * Never: records while the server has paused it; begins a part that the server does not expect. docs/decisions/0014-screen-recordings.md has the rules.
 */
import type { PauseAcknowledgement, ScreenSurface, ScreenView } from '../../lib/api/types';
import { ApiError } from '../../lib/api/client';

/** How much video a chunk has. */
const CHUNK_MS = 1_000;
/** Pictures a second: text is read, not watched. */
const FRAMES_PER_S = 10;
const BITS_PER_S = 1_000_000;
/** Chunks that may wait for a slow line: half a minute. More, and sharing has failed. */
const WAITING_MAX = 30;
/** Pause before a chunk that nobody answered is sent again. */
const AGAIN_MS = 1_000;

/** The same while a pause is on its way to this page. */
const PAUSING_MS = 100;

export type Chunk = { part: number; sequence: number; begin_ms: number; until_ms: number; bytes: Blob };

/** What is asked of the server, about one call. */
export type Wire = {
  share: (call: string, form: { surface: ScreenSurface; media_type: string }) => Promise<ScreenView>;
  chunk: (call: string, chunk: Chunk) => Promise<void>;
  acknowledge: (call: string, said: PauseAcknowledgement) => Promise<ScreenView>;
  end: (call: string, why: 'stopped' | 'failed') => Promise<ScreenView>;
};

export type Sharing = 'off' | 'on' | 'paused';
/** `failed`: the server refused or could not be reached; `surface`: it wants an entire screen. */
export type Refusal = 'surface' | 'failed' | undefined;
export type State = { sharing: Sharing; refusal: Refusal };

/** A part under way. */
type Run = { part: number; recorder: MediaRecorder; chunks: number; until: number };

export class ScreenRecorder {
  #state: State = { sharing: 'off', refusal: undefined };
  readonly #listeners = new Set<() => void>();
  readonly #wire: Wire;
  #track: MediaStreamTrack | undefined;
  #view: ScreenView | undefined;
  /** The call that was told of the stream. */
  #told: string | undefined;
  /** When the recording began, by this page's clock. */
  #origin = 0;
  #run: Run | undefined;
  #waiting: Chunk[] = [];
  #isSending = false;
  #isPausing = false;
  #isTelling = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): State => this.#state;

  /** Takes a stream that the agent chose; it is kept from call to call. */
  async take(stream: MediaStream): Promise<void> {
    this.stop();
    const [track] = stream.getVideoTracks();
    if (!track) return;
    track.enabled = false;
    track.addEventListener('ended', () => void this.#lose(track, 'stopped'));
    this.#track = track;
    this.#set({ sharing: 'paused', refusal: undefined });
    await this.#tell();
  }

  /** The agent shares no longer. */
  stop(): void {
    const track = this.#track;
    if (!track) return;
    track.stop();
    void this.#lose(track, 'stopped');
  }

  /** What the server says last of the call's screen; none: there is no call whose screen is recorded. */
  async follow(view: ScreenView | undefined): Promise<void> {
    if (view && this.#view?.call === view.call && view.revision < this.#view.revision) return;
    if (view?.call !== this.#view?.call) this.#leave();
    this.#view = view;
    if (!view || !this.#track) return;
    if (this.#told !== view.call) return this.#tell();
    if (this.#isTelling) return;
    if (!view.shared) return this.#fail('failed');
    if (view.hold === 'none') this.#begin(view);
    else await this.#pause(view);
  }

  /** Tells the call's server of the stream, and begins where it may. */
  async #tell(): Promise<void> {
    const { call } = this.#view ?? {};
    const track = this.#track;
    if (!call || !track) return;
    this.#told = call;
    this.#isTelling = true;
    try {
      const view = await this.#wire.share(call, { surface: surfaceOf(track), media_type: mediaType() });
      this.#isTelling = false;
      if (this.#track !== track || this.#view?.call !== call) return;
      this.#origin = performance.now() - view.at_ms;
      await this.follow(view);
    } catch (error) {
      this.#isTelling = false;
      this.#fail(error instanceof ApiError && error.problem.errors?.some(({ field }) => field === 'surface') ? 'surface' : 'failed');
    }
  }

  #begin(view: ScreenView): void {
    const track = this.#track;
    if (this.#run || this.#isPausing || !track) return;
    track.enabled = true;
    const recorder = new MediaRecorder(new MediaStream([track]), { mimeType: mediaType(), videoBitsPerSecond: BITS_PER_S });
    const run: Run = { part: view.part, recorder, chunks: 0, until: this.#now() };
    recorder.addEventListener('dataavailable', ({ data }) => this.#push(run, data));
    recorder.start(CHUNK_MS);
    this.#run = run;
    this.#set({ sharing: 'on', refusal: undefined });
  }

  #push(run: Run, bytes: Blob): void {
    if (bytes.size === 0) return;
    const begin_ms = run.until;
    run.until = Math.max(begin_ms, this.#now());
    this.#waiting.push({ part: run.part, sequence: run.chunks, begin_ms, until_ms: run.until, bytes });
    run.chunks += 1;
    if (this.#waiting.length > WAITING_MAX) return this.#fail('failed');
    void this.#send();
  }

  /** The picture goes at once; then the part gets its end, and the server hears it. */
  async #pause(view: ScreenView): Promise<void> {
    if (this.#track) this.#track.enabled = false;
    this.#set({ ...this.#state, sharing: 'paused' });
    if (this.#isPausing) return;
    this.#isPausing = true;
    const run = this.#run;
    this.#run = undefined;
    if (run) await ended(run.recorder);
    try {
      if (view.hold === 'pausing') {
        const said = run ? { part: run.part, chunks: run.chunks, at_ms: Math.max(run.until, this.#now()) } : { part: view.part, chunks: 0, at_ms: this.#now() };
        const answer = await this.#wire.acknowledge(view.call, said);
        if (this.#view?.call === answer.call && answer.revision >= this.#view.revision) this.#view = answer;
      }
    } catch {
      // A pause that was over before its answer came needs none.
    }
    this.#isPausing = false;
    void this.#send();
    const now = this.#view;
    if (now?.shared && now.hold === 'none') this.#begin(now);
  }

  async #send(): Promise<void> {
    const call = this.#told;
    if (this.#isSending || this.#isPausing || !call) return;
    this.#isSending = true;
    for (let next = this.#waiting[0]; next && !this.#isPausing && this.#told === call; next = this.#waiting[0]) {
      const answer = await this.#wire.chunk(call, next).then(
        () => 'kept',
        (error: unknown) => answerOf(error),
      );
      if (answer === 'again' || answer === 'pausing') await new Promise((done) => setTimeout(done, answer === 'again' ? AGAIN_MS : PAUSING_MS));
      else if (answer === 'kept') this.#waiting = this.#waiting.filter((one) => one !== next);
      else if (answer === 'over') this.#leave();
      else if (answer === 'late') this.#waiting = this.#waiting.filter(({ part }) => part !== next.part);
      else this.#fail('failed');
    }
    this.#isSending = false;
  }

  async #lose(track: MediaStreamTrack, why: 'stopped' | 'failed', refusal: Refusal = undefined): Promise<void> {
    if (this.#track !== track) return;
    this.#track = undefined;
    const call = this.#told;
    this.#leave();
    this.#set({ sharing: 'off', refusal });
    if (call) await this.#wire.end(call, why).catch(() => undefined);
  }

  #fail(refusal: Refusal): void {
    const track = this.#track;
    if (!track) return;
    track.stop();
    void this.#lose(track, 'failed', refusal);
  }

  /** The call is over, or its screen is no longer this page's: nothing more is recorded of it. */
  #leave(): void {
    this.#dropRun();
    this.#told = undefined;
    this.#waiting = [];
  }

  #dropRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (this.#track) {
      this.#track.enabled = false;
      this.#set({ ...this.#state, sharing: 'paused' });
    }
    if (run && run.recorder.state !== 'inactive') run.recorder.stop();
  }

  #now(): number {
    return Math.max(0, Math.round(performance.now() - this.#origin));
  }

  #set(state: State): void {
    if (state.sharing === this.#state.sharing && state.refusal === this.#state.refusal) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** What to share with: pictures for reading, no sound. */
export const CONSTRAINTS: DisplayMediaStreamOptions = { video: { frameRate: { max: FRAMES_PER_S } }, audio: false };

function mediaType(): string {
  const types = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'];
  return types.find((type) => MediaRecorder.isTypeSupported(type)) ?? 'video/webm';
}

function surfaceOf(track: MediaStreamTrack): ScreenSurface {
  const { displaySurface } = track.getSettings();
  return displaySurface === 'monitor' || displaySurface === 'window' ? displaySurface : 'browser';
}

/** Its last chunk comes before it says that it has stopped. */
function ended(recorder: MediaRecorder): Promise<void> {
  if (recorder.state === 'inactive') return Promise.resolve();
  return new Promise((done) => {
    recorder.addEventListener('stop', () => done(), { once: true });
    recorder.stop();
  });
}

/** What becomes of a chunk that was not taken. */
function answerOf(error: unknown): 'kept' | 'again' | 'pausing' | 'late' | 'over' | 'refused' {
  if (!(error instanceof ApiError) || !error.isRefusal) return 'again';
  if (error.problem.code === 'screen_repeated') return 'kept';
  if (error.problem.code === 'screen_pausing') return 'pausing';
  // The call ended while the chunk was on its way; the share is for the next one.
  if (error.problem.code === 'not_found') return 'over';
  return error.problem.code === 'screen_paused' ? 'late' : 'refused';
}
