/**
 * The phone of this page, as states, events and effects.
 * Owns: whether this tab has the phone, which calls are at it, how far each is, and when a lost path is tried anew.
 * Never: a clock, the network, a microphone; `phone.ts` has those and reports what came of each effect.
 */
import type { Trouble } from '../devices/trouble';

/** `elsewhere`: another tab has it; `unreached`: the server does not answer, so nothing rings. */
export type Phase = 'off' | 'starting' | 'on' | 'unreached' | 'elsewhere';
/** `unread` until the server has said that it is at this phone, `ringing` until Answer, `answering` until the server has taken that. */
export type Stage = 'unread' | 'ringing' | 'answering' | 'up';
/** The way of the sound. `blocked`: it never came about; `lost`: it was there. */
export type Path = 'new' | 'open' | 'lost' | 'blocked';

export type PhoneCall = {
  id: string;
  /** Ours, to hear oneself, or a call of somebody else: nobody rings, it is answered by itself. */
  test: boolean;
  /** The agent makes it: answered by itself, too. */
  dialled: boolean;
  stage: Stage;
  /** The server has this page's description. */
  linked: boolean;
  path: Path;
  /** Since when the path is lost, by the page's clock. */
  lostAt: number | undefined;
};

/** Why the phone is not on, or a call did not come about. */
export type Failure = { what: 'microphone'; trouble: Trouble } | { what: 'server'; sentence: string };

export type State = {
  phase: Phase;
  calls: readonly PhoneCall[];
  failure: Failure | undefined;
  /** Another tab took it from this one, which so may take it back. */
  taken: boolean;
};

export type Event =
  | { is: 'turn_on'; takeOver: boolean; asks: boolean }
  | { is: 'turn_off' }
  | { is: 'microphone'; trouble: Trouble | undefined }
  | { is: 'held' }
  | { is: 'held_elsewhere' }
  | { is: 'hold_refused'; sentence: string }
  | { is: 'hold_unanswered' }
  | { is: 'beat_due' }
  | { is: 'taken' }
  | { is: 'test_begun'; call: string }
  | { is: 'test_refused'; sentence: string }
  /** `dialled`: the agent asked for it, so that it is taken by itself. */
  | { is: 'rings'; call: string; dialled?: boolean }
  | { is: 'gone'; call: string }
  | { is: 'read'; call: string; offer: string; connected: boolean }
  | { is: 'linked'; call: string }
  | { is: 'answer'; call: string }
  | { is: 'answered'; call: string }
  | { is: 'decline'; call: string }
  /** A request about the call came to nothing; without an answer it may be tried again. */
  | { is: 'failed'; call: string; sentence: string; answered: boolean }
  | { is: 'path_open'; call: string }
  | { is: 'path_lost'; call: string; at: number }
  | { is: 'path_due'; call: string }
  | { is: 'again_due'; call: string }
  | { is: 'network_changed' };

export type Effect =
  | { do: 'open_microphone' }
  | { do: 'hold'; takeOver: boolean }
  | { do: 'let_go' }
  | { do: 'beat_later' }
  | { do: 'remember'; on: boolean }
  | { do: 'read'; call: string }
  | { do: 'link'; call: string; offer: string }
  | { do: 'watch_path'; call: string }
  | { do: 'speak'; call: string }
  | { do: 'answer'; call: string }
  | { do: 'decline'; call: string }
  | { do: 'restart'; call: string }
  | { do: 'again_later'; call: string }
  | { do: 'close'; call: string };

type Step = readonly [State, readonly Effect[]];

export const OFF: State = { phase: 'off', calls: [], failure: undefined, taken: false };

/** What an event makes of the phone, and what is to be done. */
export function step(state: State, event: Event): Step {
  switch (event.is) {
    case 'turn_on':
      return turnOn(state, event.takeOver, event.asks);
    case 'turn_off':
      if (state.phase === 'off') return [state, []];
      return [OFF, [...closing(state), { do: 'let_go' }, { do: 'remember', on: false }]];
    case 'taken':
    case 'held_elsewhere':
      return elsewhere(state, event.is === 'taken' || hasPhone(state));
    case 'microphone':
    case 'held':
    case 'hold_refused':
    case 'hold_unanswered':
    case 'beat_due':
      return onHolding(state, event);
    case 'test_begun':
      return hasPhone(state) ? added(state, { ...newCall(event.call), test: true, stage: 'answering' }) : [state, []];
    case 'test_refused':
      return [{ ...state, failure: { what: 'server', sentence: event.sentence } }, []];
    case 'rings':
      return hasPhone(state) ? rings(state, event) : [state, []];
    case 'network_changed':
      return [state, state.calls.filter(({ linked }) => linked).map(({ id }) => ({ do: 'restart', call: id }))];
    default: {
      const call = state.calls.find(({ id }) => id === event.call);
      return call ? onCall(state, call, event) : [state, []];
    }
  }
}

/** The call that wants an answer. */
export const ringing = (state: State): PhoneCall | undefined => state.calls.find(({ stage }) => stage === 'ringing');

export const hasPhone = ({ phase }: State): boolean => phase === 'on' || phase === 'unreached';

/** A call is being spoken on. */
export const speaks = ({ calls }: State): boolean => calls.some(isSpokenOn);

export const isSpokenOn = ({ stage }: PhoneCall): boolean => stage === 'answering' || stage === 'up';

const newCall = (id: string): PhoneCall => ({ id, test: false, dialled: false, stage: 'unread', linked: false, path: 'new', lostAt: undefined });

const closing = ({ calls }: State): Effect[] => calls.map(({ id }) => ({ do: 'close', call: id }));

function turnOn(state: State, takeOver: boolean, asks: boolean): Step {
  if (hasPhone(state) || state.phase === 'starting') return [state, []];
  const starting: State = { ...OFF, phase: 'starting' };
  // Who takes it over has said yes to the microphone; where it was refused since, the first call says so.
  return [starting, [asks ? { do: 'open_microphone' } : { do: 'hold', takeOver }]];
}

function elsewhere(state: State, taken: boolean): Step {
  if (state.phase === 'off') return [state, []];
  return [{ ...OFF, phase: 'elsewhere', taken }, closing(state)];
}

type Holding = Extract<Event, { is: 'microphone' | 'held' | 'hold_refused' | 'hold_unanswered' | 'beat_due' }>;

/** From the first request for the phone to the last word that it is still this tab's. */
function onHolding(state: State, event: Holding): Step {
  if (state.phase === 'off' || state.phase === 'elsewhere') return [state, []];
  switch (event.is) {
    case 'microphone':
      if (event.trouble) return [{ ...OFF, failure: { what: 'microphone', trouble: event.trouble } }, []];
      return [state, [{ do: 'hold', takeOver: false }]];
    case 'held':
      return [{ ...state, phase: 'on' }, state.phase === 'starting' ? [{ do: 'remember', on: true }, { do: 'beat_later' }] : [{ do: 'beat_later' }]];
    case 'hold_refused':
      return [{ ...OFF, failure: { what: 'server', sentence: event.sentence } }, closing(state)];
    case 'hold_unanswered':
      return [{ ...state, phase: 'unreached' }, [{ do: 'beat_later' }]];
    case 'beat_due':
      return [state, [{ do: 'hold', takeOver: false }]];
    default:
      return event satisfies never;
  }
}

/** Of a call that is known already it may be told late that the agent makes it. */
function rings(state: State, { call: id, dialled = false }: { call: string; dialled?: boolean }): Step {
  const known = state.calls.find((call) => call.id === id);
  if (!known) return added(state, { ...newCall(id), dialled });
  if (!dialled || known.dialled) return [state, []];
  const asked: State = { ...state, calls: state.calls.map((call) => (call === known ? { ...known, dialled } : call)) };
  return known.stage === 'ringing' ? step(asked, { is: 'answer', call: id }) : [asked, []];
}

function added(state: State, call: PhoneCall): Step {
  if (state.calls.some(({ id }) => id === call.id)) return [state, []];
  return [{ ...state, failure: undefined, calls: [...state.calls, call] }, [{ do: 'read', call: call.id }]];
}

type OnCall = Exclude<Extract<Event, { call: string }>, { is: 'rings' | 'test_begun' }>;

function onCall(state: State, call: PhoneCall, event: OnCall): Step {
  const id = call.id;
  const become = (change: Partial<PhoneCall>, ...effects: Effect[]): Step => {
    const next = { ...call, ...change };
    const answers = isReady(next) && !isReady(call) ? SPEAK(id) : [];
    return [{ ...state, calls: state.calls.map((one) => (one === call ? next : one)) }, [...effects, ...answers]];
  };
  switch (event.is) {
    case 'gone':
      return without(state, call);
    case 'read':
      // It was answered before this page was loaded anew, or in another tab: it goes on here.
      return become(call.stage === 'unread' ? { stage: event.connected || call.dialled ? 'answering' : 'ringing' } : {}, { do: 'link', call: id, offer: event.offer }, { do: 'watch_path', call: id });
    case 'linked':
      return become({ linked: true });
    case 'answer':
      return call.stage === 'ringing' ? become({ stage: 'answering' }) : [state, []];
    case 'answered':
      return become({ stage: 'up' });
    case 'decline':
      return without(state, call, { do: 'decline', call: id });
    case 'failed':
      return failed(state, call, event, become);
    case 'path_open':
      return become({ path: 'open', lostAt: undefined });
    case 'path_lost':
      return call.path === 'lost' ? [state, []] : become({ path: 'lost', lostAt: event.at }, { do: 'restart', call: id }, { do: 'again_later', call: id });
    case 'path_due':
      return call.path === 'new' ? become({ path: 'blocked' }, { do: 'again_later', call: id }) : [state, []];
    case 'again_due':
      return again(state, call);
    default:
      return event satisfies never;
  }
}

/** Answer was pressed, and the server can be told: of a test once the sound has its way, so that none of it is missed. */
const isReady = ({ stage, linked, test, path }: PhoneCall): boolean => stage === 'answering' && linked && (!test || path === 'open');

const SPEAK = (call: string): Effect[] => [{ do: 'speak', call }, { do: 'answer', call }];

function without(state: State, call: PhoneCall, ...effects: Effect[]): Step {
  return [{ ...state, calls: state.calls.filter((one) => one !== call) }, [...effects, { do: 'close', call: call.id }]];
}

type Become = (change: Partial<PhoneCall>, ...effects: Effect[]) => Step;

function failed(state: State, call: PhoneCall, { sentence, answered }: { sentence: string; answered: boolean }, become: Become): Step {
  if (!answered) {
    // An Answer that did not arrive is given again by hand; all else is asked anew.
    const change: Partial<PhoneCall> = call.stage === 'answering' && call.linked && !call.test ? { stage: 'ringing' } : {};
    return become(change, { do: 'again_later', call: call.id });
  }
  const [next, effects] = without(state, call);
  return [{ ...next, failure: { what: 'server', sentence } }, effects];
}

/** What did not come about is tried anew: the offer, else the path. */
function again(state: State, call: PhoneCall): Step {
  if (!call.linked) return [state, [{ do: 'read', call: call.id }]];
  if (call.path === 'open' || call.path === 'new') return [state, []];
  return [state, [{ do: 'restart', call: call.id }, { do: 'again_later', call: call.id }]];
}
