/** One try of the phone as it runs. Owns: the levels and the end of it. Never: the verdict's rules; `trial.ts` has them. */
import { measure } from '../devices/meter';
import type { State } from './machine';
import { BEGUN, conclude, hear, isOver } from './trial';
import type { Trial } from './trial';

type Hooks = { stop: () => void; microphone: () => MediaStream | undefined; back: () => MediaStream | undefined };

/** How often it looks at what was heard. */
const LOOK_MS = 50;

export class TrialRun {
  readonly #tell: (trial: Trial | undefined) => void;
  #trial: Trial | undefined;
  #call: string | undefined;
  #hooks: Hooks | undefined;
  #isKnown = false;
  #ends: (() => void)[] = [];

  constructor(tell: (trial: Trial | undefined) => void) {
    this.#tell = tell;
  }

  begin(): void {
    this.#set(BEGUN);
  }

  is(call: string, hooks: Hooks): void {
    this.#call = call;
    this.#hooks = hooks;
    this.#isKnown = false;
  }

  /** The server gave no call for it. */
  fail(): void {
    this.#set(undefined);
  }

  /** The agent has heard enough. */
  stop(): void {
    if (this.#trial) this.#set({ ...this.#trial, verdict: 'stopped' });
    this.#hooks?.stop();
  }

  answered(call: string): void {
    const hooks = this.#hooks;
    if (call !== this.#call || !this.#trial || !hooks) return;
    this.#set({ ...this.#trial, since: Date.now() });
    const levels = { microphone: 0, back: 0 };
    for (const side of ['microphone', 'back'] as const) {
      const stream = hooks[side]();
      if (stream) this.#ends.push(measure(stream, (level) => (levels[side] = level)));
    }
    const timer = setInterval(() => {
      if (!this.#trial) return;
      this.#set(hear(this.#trial, Date.now(), levels.microphone, levels.back));
      if (isOver(this.#trial, Date.now())) hooks.stop();
    }, LOOK_MS);
    this.#ends.push(() => clearInterval(timer));
  }

  /** It ends with its call; one whose sound finds no way is ended here. */
  follow(state: State): void {
    const call = state.calls.find(({ id }) => id === this.#call);
    if (call?.path === 'blocked') this.#hooks?.stop();
    if (call) this.#isKnown = true;
    else if (this.#isKnown) this.#conclude();
  }

  #conclude(): void {
    this.#call = undefined;
    this.#isKnown = false;
    for (const end of this.#ends) end();
    this.#ends = [];
    if (this.#trial) this.#set(conclude(this.#trial, Date.now()));
  }

  #set(trial: Trial | undefined): void {
    if (trial === this.#trial) return;
    this.#trial = trial;
    this.#tell(trial);
  }
}
