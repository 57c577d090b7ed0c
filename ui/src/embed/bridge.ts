/**
 * The wire to the page around this one.
 * Owns: who that is, what was told last, what is known of the next call's customer.
 * Never: listens to, or tells, any other window or origin than that of the page around the frame, which the server lists.
 */
import type { CallView, ConsumerDraft } from '../lib/api/types';
import type { Incoming, Outgoing, Taken } from './messages';
import { VERSION, parseIncoming, toldOf } from './messages';

export type BridgeHooks = {
  /** A code, a language, a theme. */
  init: (message: Incoming & { type: 'spc.init' }, origin: string) => void;
  /** Tells the server; rejects if it refuses. */
  tell: (call: string, consumer: Partial<ConsumerDraft>) => Promise<unknown>;
};

/** The page around this one, as the browser says; undefined: it does not say. */
export function originAround(view: Pick<Window, 'location' | 'document'> = window): string | undefined {
  const [nearest] = view.location.ancestorOrigins ?? [];
  if (nearest) return nearest;
  return URL.canParse(view.document.referrer) ? new URL(view.document.referrer).origin : undefined;
}

export class Bridge {
  readonly #around: Window;
  readonly #origins: readonly string[];
  readonly #hooks: BridgeHooks;
  readonly #told = new Map<string, string>();
  #origin: string | undefined;
  #call: CallView | undefined;
  #known: Partial<ConsumerDraft> | undefined;

  constructor(around: Window, origins: readonly string[], nearest: string | undefined, hooks: BridgeHooks) {
    this.#around = around;
    this.#origins = origins;
    this.#hooks = hooks;
    this.#origin = origins.find((origin) => origin === nearest);
  }

  /** The page around the frame; undefined: it has not shown itself as one that the server lists. */
  get origin(): string | undefined {
    return this.#origin;
  }

  /** Listens until the returned function is called. */
  listen(view: Window = window): () => void {
    const take = (event: MessageEvent) => this.#take(event);
    view.addEventListener('message', take);
    return () => view.removeEventListener('message', take);
  }

  /** Tells it if it is not what was told last. */
  tell(message: Outgoing): void {
    const text = JSON.stringify(message);
    if (!this.#origin || this.#told.get(message.type) === text) return;
    this.#told.set(message.type, text);
    this.#post(message);
  }

  /** What is on screen now. What was said of the customer before goes to the first call that comes. */
  show(call: CallView | undefined): void {
    const isOther = call?.id !== this.#call?.id;
    if (isOther && this.#call) this.#known = undefined;
    this.#call = call;
    if (isOther && call && this.#known) void this.#offer();
    for (const message of toldOf(call)) this.tell(message);
  }

  #post(message: Outgoing): void {
    if (this.#origin) this.#around.postMessage({ v: VERSION, ...message }, this.#origin);
  }

  #take({ source, origin, data }: MessageEvent): void {
    if (source !== this.#around || !this.#origins.includes(origin) || (this.#origin ?? origin) !== origin) return;
    const message = parseIncoming(data);
    if (!message) return;
    this.#origin = origin;
    switch (message.type) {
      case 'spc.init':
        return this.#hooks.init(message, origin);
      case 'spc.dial':
        return this.#post({ type: 'spc.dial', result: 'not_available' });
      case 'spc.customer':
        this.#known = { ...this.#known, values: message.values };
        return void this.#answer(message.type);
      case 'spc.amount':
        this.#known = { ...this.#known, amount: message.amount, currency: message.currency };
        return void this.#answer(message.type);
    }
  }

  async #answer(type: 'spc.customer' | 'spc.amount'): Promise<void> {
    this.#post({ type, result: await this.#offer() });
  }

  async #offer(): Promise<Taken> {
    const [call, known] = [this.#call, this.#known];
    if (!call || !known) return 'kept_for_the_next_call';
    return this.#hooks.tell(call.id, known).then(
      () => 'taken' as const,
      () => 'refused' as const,
    );
  }
}
