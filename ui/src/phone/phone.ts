/**
 * The phone of this page at work.
 * Owns: the machine's state, the connection of each call, timers, and what the effects come to.
 * Never: decides what follows an event; `machine.ts` does. Outlives the place where it is shown: calls go on while the agent looks elsewhere.
 */
import { troubleBefore, troubleOf } from '../devices/trouble';
import type { Trouble } from '../devices/trouble';
import { ApiError, sentenceOf } from '../lib/api/client';
import type { CallView } from '../lib/api/types';
import type { LiveStore } from '../lib/events/live-store';
import { say } from '../lib/i18n/say';
import { Bell } from './bell';
import type { Choices, Devices } from './choices';
import { asksForMicrophone, instanceOfTab, keepChoices, keepOn, listDevices, openMicrophone, readChoices, wasOn } from './choices';
import type { Effect, Event, State } from './machine';
import { OFF, hasPhone, isSpokenOn, ringing, step } from './machine';
import { Microphone } from './microphone';
import { Caller } from './notify';
import { Peer } from './peer';
import type { Figures, Totals } from './quality';
import { figuresOf } from './quality';
import { timeAnswer } from './timing';
import type { Trial } from './trial';
import { TrialRun } from './trial-run';
import type { Told, Wire } from './wire';
import { wireOf } from './wire';

/** The server lets the phone go 20 s after the last word of this tab: two may be lost. */
const BEAT_MS = 8_000;
/** ICE that has not connected by then has no way: on a good network it takes a tenth of that. */
const PATH_MS = 5_000;
/** Pause before a path, or an offer, is tried anew. */
const AGAIN_MS = 3_000;
const LOOK_MS = 2_000;

/** What became of a device that was in use. */
export type Changed = { kind: 'microphone' | 'speaker'; name: string };

export type PhoneView = {
  state: State;
  choices: Choices;
  devices: Devices;
  /** Of the call that is spoken on. */
  figures: Figures | undefined;
  changed: Changed | undefined;
  /** Why a call has no microphone. */
  trouble: Trouble | undefined;
  /** The browser lets nothing sound before a click. */
  mute: boolean;
  trial: Trial | undefined;
};

export class Phone {
  #view: PhoneView = { state: OFF, choices: readChoices(), devices: { microphone: [], speaker: [] }, figures: undefined, changed: undefined, trouble: undefined, mute: false, trial: undefined };
  readonly #listeners = new Set<() => void>();
  readonly #store: LiveStore;
  readonly #instance: string;
  readonly #wire: Wire;
  readonly #peers = new Map<string, Peer>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #totals = new Map<string, Totals>();
  readonly #bell = new Bell();
  readonly #caller = new Caller();
  readonly #end = new AbortController();
  readonly #microphone = new Microphone({
    track: (track, trouble) => {
      this.#set({ trouble });
      for (const [call, peer] of this.#peers) if (this.#isSpokenOn(call)) void peer.speak(track);
    },
    replaced: (name) => this.#set({ changed: { kind: 'microphone', name } }),
  });
  readonly #trial = new TrialRun((trial) => this.#set({ trial }));
  #beat: Worker | undefined;
  #looks: ReturnType<typeof setInterval> | undefined;
  /** Calls that the page knows and that were asked for here. */
  #asked = new Set<string>();

  constructor(store: LiveStore, instance: string) {
    this.#store = store;
    this.#instance = instance;
    this.#wire = wireOf(instance);
    const { signal } = this.#end;
    store.phone.addEventListener('phone', (event) => this.#told(JSON.parse((event as MessageEvent<string>).data) as Told), { signal });
    signal.addEventListener('abort', store.subscribe(() => this.#follow()));
    window.addEventListener('online', () => this.dispatch({ is: 'network_changed' }), { signal });
    networkInformation()?.addEventListener('change', () => this.dispatch({ is: 'network_changed' }), { signal });
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#devicesChanged(), { signal });
    for (const name of ['pointerdown', 'keydown']) window.addEventListener(name, () => this.#touched(), { signal, passive: true });
    if (wasOn()) void this.#comeBack();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): PhoneView => this.#view;

  readonly dispatch = (event: Event): void => {
    const [state, effects] = step(this.#view.state, event);
    this.#set({ state });
    for (const effect of effects) this.#run(effect);
    this.#sound();
    this.#trial.follow(state);
    if (event.is === 'held') this.#follow();
  };

  /** To be called from a click. */
  turnOn(takeOver: boolean, asks: boolean): void {
    this.#bell.wake();
    this.dispatch({ is: 'turn_on', takeOver, asks });
  }

  choose(change: Partial<Choices>): void {
    const choices = { ...this.#view.choices, ...change };
    keepChoices(choices);
    this.#set({ choices, changed: undefined });
    if (change.microphone !== undefined) void this.#microphone.change(change.microphone);
    if (change.speaker !== undefined) void this.#play();
  }

  ringOnce(): void {
    this.#bell.once(this.#view.choices.bell, this.#view.choices.volume);
  }

  /** What is in use was seen to. */
  forgetChange(): void {
    this.#set({ changed: undefined });
  }

  async beginTrial(): Promise<void> {
    this.#trial.begin();
    try {
      const call = await this.#wire.test();
      this.#trial.is(call, { stop: () => this.dispatch({ is: 'decline', call }), microphone: () => this.#microphone.stream, back: () => this.#peers.get(call)?.heard });
      this.dispatch({ is: 'test_begun', call });
    } catch (error) {
      this.#trial.fail();
      this.dispatch({ is: 'test_refused', sentence: sentenceOf(error) });
    }
  }

  /** Listens to a call of another; the phone has to be on. */
  async listen(call: string): Promise<void> {
    const { id } = await this.#wire.listen(call);
    this.dispatch({ is: 'test_begun', call: id });
  }

  stopTrial(): void {
    this.#trial.stop();
  }

  /** What is heard of a call's other side. */
  heardOf(call: string): MediaStream | undefined {
    return this.#peers.get(call)?.heard;
  }

  get microphone(): MediaStream | undefined {
    return this.#microphone.stream;
  }

  close(): void {
    if (hasPhone(this.#view.state)) void this.#wire.letGo().catch(() => undefined);
    for (const call of [...this.#peers.keys()]) this.#close(call);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    clearInterval(this.#looks);
    this.#beat?.terminate();
    this.#bell.close();
    this.#caller.end();
    this.#end.abort();
  }

  /** It was on when this browser was here last; where the microphone would be asked for, a click is waited for. */
  async #comeBack(): Promise<void> {
    if (troubleBefore('microphone') || (await asksForMicrophone())) return;
    await this.#list();
    this.dispatch({ is: 'turn_on', takeOver: false, asks: false });
  }

  #told(told: Told): void {
    if (told.kind === 'ring') return this.dispatch({ is: 'rings', call: told.call, dialled: told.dialled ?? false });
    if (told.kind === 'gone') return this.dispatch({ is: 'gone', call: told.call });
    if (told.instance !== this.#instance) this.dispatch({ is: 'taken' });
  }

  /** What rings or is up may be at this phone, for an event may be lost and a page loaded anew: the server is asked of each call once. */
  #follow(): void {
    const { calls } = this.#store.snapshot();
    for (const call of calls) this.#peers.get(call.id)?.mute(call.agent_muted);
    const lasting = calls.filter(({ state }) => state !== 'ended').map(({ id }) => id);
    for (const id of this.#asked) if (!lasting.includes(id)) this.dispatch({ is: 'gone', call: id });
    if (!hasPhone(this.#view.state)) {
      this.#asked = new Set();
      return;
    }
    const fresh = lasting.filter((id) => !this.#asked.has(id));
    this.#asked = new Set(lasting);
    for (const id of fresh) this.dispatch({ is: 'rings', call: id, dialled: this.#callOf(id)?.dialled?.step === 'agent_phone' });
  }

  #run(effect: Effect): void {
    switch (effect.do) {
      case 'open_microphone':
        return void this.#ask();
      case 'hold':
        return void this.#hold(effect.takeOver);
      case 'let_go':
        this.#beat?.terminate();
        this.#beat = undefined;
        return void this.#wire.letGo().catch(() => undefined);
      case 'beat_later':
        return this.#beatLater();
      case 'remember':
        return keepOn(effect.on);
      case 'watch_path':
        return this.#later(`path ${effect.call}`, PATH_MS, { is: 'path_due', call: effect.call });
      case 'again_later':
        return this.#later(`again ${effect.call}`, AGAIN_MS, { is: 'again_due', call: effect.call });
      case 'close':
        return this.#close(effect.call);
      case 'decline':
        return void this.#wire.decline(effect.call).catch(() => undefined);
      default:
        return void this.#runCall(effect).catch((error: unknown) => this.#failed(effect, error));
    }
  }

  async #runCall(effect: Extract<Effect, { do: 'read' | 'link' | 'speak' | 'answer' | 'restart' }>): Promise<void> {
    const { call } = effect;
    const peer = this.#peers.get(call);
    switch (effect.do) {
      case 'read': {
        const { offer, state } = await this.#wire.read(call);
        return this.dispatch({ is: 'read', call, offer, connected: state === 'connected' });
      }
      case 'link':
        return this.#link(call, effect.offer);
      case 'speak':
        if (peer) timeAnswer(peer);
        await peer?.speak(this.#microphone.track);
        return this.#play();
      case 'answer':
        await this.#wire.answer(call);
        performance.mark('phone-answered');
        this.#trial.answered(call);
        this.#look();
        return this.dispatch({ is: 'answered', call });
      case 'restart':
        if (peer) await peer.endRestart(await this.#wire.restart(call, await peer.beginRestart()));
        return undefined;
      default:
        return effect satisfies never;
    }
  }

  async #link(call: string, offer: string): Promise<void> {
    this.#peers.get(call)?.close();
    const peer = new Peer({ open: () => this.dispatch({ is: 'path_open', call }), lost: () => this.dispatch({ is: 'path_lost', call, at: Date.now() }) });
    this.#peers.set(call, peer);
    peer.mute(this.#callOf(call)?.agent_muted ?? false);
    this.#microphone.want(this.#view.choices.microphone);
    await this.#wire.connect(call, await peer.take(offer));
    this.dispatch({ is: 'linked', call });
  }

  /** A call that the server does not know at this phone is another phone's, or over: nobody wants to read of it. A path that was not made anew is tried again by its own clock. */
  #failed({ do: what, call }: { do: string; call: string }, error: unknown): void {
    const refusal = error instanceof ApiError && error.isRefusal ? error : undefined;
    if (refusal && (what === 'read' || refusal.status === 404)) return this.dispatch({ is: 'gone', call });
    if (what === 'restart') return;
    const isOurs = !(error instanceof ApiError);
    this.dispatch({ is: 'failed', call, sentence: isOurs ? say('phone.failed') : sentenceOf(error), answered: isOurs || refusal !== undefined });
  }

  async #ask(): Promise<void> {
    const before = troubleBefore('microphone');
    if (before) return this.dispatch({ is: 'microphone', trouble: before });
    try {
      const stream = await openMicrophone(this.#view.choices.microphone);
      await this.#list();
      for (const track of stream.getTracks()) track.stop();
      this.dispatch({ is: 'microphone', trouble: undefined });
    } catch (error) {
      this.dispatch({ is: 'microphone', trouble: troubleOf(error, 'microphone') });
    }
  }

  async #hold(takeOver: boolean): Promise<void> {
    try {
      await this.#wire.hold(takeOver);
      this.dispatch({ is: 'held' });
    } catch (error) {
      this.dispatch(refusalOf(error));
    }
  }

  #beatLater(): void {
    if (!this.#beat) {
      this.#beat = new Worker(new URL('./beat.worker.ts', import.meta.url), { type: 'module' });
      this.#beat.addEventListener('message', () => this.dispatch({ is: 'beat_due' }));
    }
    this.#beat.postMessage(BEAT_MS);
  }

  #later(name: string, ms: number, event: Event): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => this.dispatch(event), ms));
  }

  #close(call: string): void {
    this.#peers.get(call)?.close();
    this.#peers.delete(call);
    this.#totals.delete(call);
    for (const name of [`path ${call}`, `again ${call}`]) clearTimeout(this.#timers.get(name));
    if (this.#peers.size > 0) return;
    this.#microphone.release();
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#set({ figures: undefined, changed: undefined, trouble: undefined });
  }

  #sound(): void {
    const { state, choices } = this.#view;
    if (!ringing(state)) {
      this.#bell.stop();
      this.#caller.end();
      return;
    }
    this.#bell.ring(choices.bell, choices.volume);
    this.#caller.begin(choices.notifies);
    this.#set({ mute: !this.#bell.isAwake });
  }

  /** A click anywhere lets what rings or speaks be heard. */
  #touched(): void {
    if (!this.#view.mute) return;
    this.#bell.wake();
    this.#set({ mute: false });
    void this.#play();
  }

  async #play(): Promise<void> {
    const heard = await Promise.all([...this.#peers].filter(([call]) => this.#isSpokenOn(call)).map(([, peer]) => peer.play(this.#view.choices.speaker)));
    if (heard.includes(false)) this.#set({ mute: true });
  }

  #look(): void {
    this.#looks ??= setInterval(() => {
      for (const [call, peer] of this.#peers) if (this.#isSpokenOn(call)) void this.#measure(call, peer);
    }, LOOK_MS);
  }

  async #measure(call: string, peer: Peer): Promise<void> {
    const totals = await peer.totals();
    const before = this.#totals.get(call);
    if (!totals || this.#peers.get(call) !== peer) return;
    this.#totals.set(call, totals);
    this.#set({ figures: before && figuresOf(before, totals) });
  }

  async #devicesChanged(): Promise<void> {
    const { speaker } = this.#view.choices;
    const had = this.#view.devices.speaker.some(({ id }) => id === speaker);
    await this.#list();
    const has = this.#view.devices.speaker.some(({ id }) => id === speaker);
    await this.#play();
    if (speaker && had && !has && this.#peers.size > 0) this.#set({ changed: { kind: 'speaker', name: '' } });
  }

  async #list(): Promise<void> {
    this.#set({ devices: await listDevices() });
  }

  #isSpokenOn(call: string): boolean {
    return this.#view.state.calls.some((one) => one.id === call && isSpokenOn(one));
  }

  #callOf(id: string): CallView | undefined {
    return this.#store.snapshot().calls.find((call) => call.id === id);
  }

  #set(change: Partial<PhoneView>): void {
    const names = Object.keys(change) as (keyof PhoneView)[];
    if (names.every((name) => this.#view[name] === change[name])) return;
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Refusals that say nothing of the phone: the login's, and a server that has too much to do. */
const PASSING = ['idle_locked', 'not_logged_in'];

function refusalOf(error: unknown): Event {
  if (!(error instanceof ApiError)) return { is: 'hold_unanswered' };
  if (error.problem.code === 'phone_elsewhere') return { is: 'held_elsewhere' };
  const passes = !error.isRefusal || error.status === 429 || PASSING.includes(error.problem.code ?? '');
  return passes ? { is: 'hold_unanswered' } : { is: 'hold_refused', sentence: sentenceOf(error) };
}

/** Says, where the browser has it, that the machine is on another network. */
const networkInformation = () => (navigator as { connection?: EventTarget }).connection;

const phones = new WeakMap<LiveStore, { phone: Phone; users: number }>();

/** The phone beside these calls, for as long as anything that shows it has joined. It outlives the moment in which one place gives way to another. */
export function joinPhone(store: LiveStore): { phone: Phone; join: () => () => void } {
  const shared = phones.get(store) ?? { phone: new Phone(store, instanceOfTab()), users: 0 };
  phones.set(store, shared);
  const leave = () => {
    shared.users -= 1;
    setTimeout(() => {
      if (shared.users > 0) return;
      phones.delete(store);
      shared.phone.close();
    });
  };
  const join = () => {
    shared.users += 1;
    return leave;
  };
  return { phone: shared.phone, join };
}
