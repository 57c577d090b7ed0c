/**
 * The calls of this agent, as they are now.
 * Owns: the newest view of each call and capture, which of them this page opened, and whether the stream is up.
 * Never: invents a state; it only keeps what the server said last.
 */
import type { CallView, CaptureView, ScreenView } from '../api/types';

export type Connection = 'connecting' | 'open' | 'lost';
/** `screen`: of the newest call whose screen the server wants to record; none was told of yet. */
export type LiveState = { connection: Connection; calls: readonly CallView[]; screen?: ScreenView; unreached?: Unreached };
/** Why the last number was not reached that the agent called. */
export type Unreached = NonNullable<NonNullable<CallView['dialled']>['failed']>;

/** Captures that are over stay known for as long as an answer may be late, and those that were opened here while they last: a few are plenty. */
const KNOWN_MAX = 16;

export class LiveStore {
  #state: LiveState = { connection: 'connecting', calls: [] };
  readonly #listeners = new Set<() => void>();
  /** Hands on what the stream says to the phone of this page, as it comes: nothing of it is kept. */
  readonly phone = new EventTarget();
  #gone: readonly string[] = [];
  #opened: readonly string[] = [];
  /** For each list that is being read: the calls that events told of since. */
  readonly #readings = new Set<Set<string>>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): LiveState => this.#state;

  setConnection(connection: Connection): void {
    if (connection !== this.#state.connection) this.#set({ ...this.#state, connection });
  }

  /**
   * To be called before the whole list is asked for; the list goes to what it returns, or nothing if none came. What an event says of a call in
   * the meantime is newer than the list.
   */
  beginReading(): (calls: readonly CallView[] | undefined) => void {
    const told = new Set<string>();
    this.#readings.add(told);
    return (calls) => {
      this.#readings.delete(told);
      if (calls) this.#replaceCalls(calls.filter((call) => !told.has(call.id)), told);
    };
  }

  #replaceCalls(calls: readonly CallView[], told: ReadonlySet<string>): void {
    for (const call of calls) this.#noteGone(call, this.#find(call.id));
    const kept = this.#state.calls.filter((call) => told.has(call.id));
    const merged = calls.map((call) => newer(call, this.#find(call.id)));
    this.#set({ ...this.#state, calls: [...kept, ...merged.filter(isWorthShowing)] });
  }

  applyCall(call: CallView): void {
    for (const told of this.#readings) told.add(call.id);
    const known = this.#find(call.id);
    this.#noteGone(call, known);
    const merged = newer(call, known);
    const calls = known
      ? this.#state.calls.map((other) => (other.id === call.id ? merged : other))
      : [merged, ...this.#state.calls];
    const failed = call.state === 'ended' ? call.dialled?.failed : undefined;
    this.#set({ ...this.#state, calls: calls.filter(isWorthShowing), ...(failed && { unreached: failed }) });
  }

  /** The agent knows why. */
  forgetUnreached(): void {
    const { unreached: _, ...state } = this.#state;
    this.#set(state);
  }

  /** The answer to a command that closes a capture may come after the event that took it away. */
  applyCapture(capture: CaptureView): void {
    if (this.#gone.includes(capture.id)) return;
    const calls = this.#state.calls.map((call) =>
      call.id === capture.call && !isOlder(capture, call.capture) ? { ...call, capture } : call,
    );
    this.#set({ ...this.#state, calls });
  }

  /** Of one call the newest word counts, of two calls the last. */
  applyScreen(screen: ScreenView): void {
    const known = this.#state.screen;
    if (known?.call !== screen.call || known.revision <= screen.revision) this.#set({ ...this.#state, screen });
  }

  /** The answer to the command that opened it. */
  applyOpened(capture: CaptureView): void {
    this.#opened = [capture.id, ...this.#opened].slice(0, KNOWN_MAX);
    this.applyCapture(capture);
  }

  /** Another page of the same agent shows it, too, maybe at another desk. */
  isOpenedHere(capture: string): boolean {
    return this.#opened.includes(capture);
  }

  #noteGone(call: CallView, known: CallView | undefined): void {
    const before = known?.capture?.id;
    if (before && before !== call.capture?.id) this.#gone = [before, ...this.#gone].slice(0, KNOWN_MAX);
  }

  #find(id: string): CallView | undefined {
    return this.#state.calls.find((call) => call.id === id);
  }

  #set(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function isWorthShowing(call: CallView): boolean {
  return call.state !== 'ended' || Boolean(call.capture);
}

/** Answers to commands and events race; the revision says which is older. */
function isOlder(capture: CaptureView, known: CaptureView | null | undefined): boolean {
  return known?.id === capture.id && capture.revision < known.revision;
}

function newer(call: CallView, known: CallView | undefined): CallView {
  return call.capture && known?.capture && isOlder(call.capture, known.capture)
    ? { ...call, capture: known.capture }
    : call;
}
