/** The consumer's side: a phone to call and key with, the sandbox gateway, and what the agent's phone heard. */
import { expect } from '@playwright/test';

export const MODES = ['rfc4733', 'inband', 'info'] as const;
export type Mode = (typeof MODES)[number];
export type TestCard = 'visa' | 'mastercard' | 'mastercard-2' | 'amex' | 'discover' | 'wrong';
export type Part = 'number' | 'expiry' | 'code' | 'routing' | 'account';
export type Answer = 'approve' | 'approve_with_echo' | 'decline' | 'decline_with_description' | 'never_answer' | 'charge_then_reset' | 'garbage' | 'server_error' | { approve_after: { delay_ms: number } };

type PhoneState = { call: 'idle' | 'calling' | 'ringing' | 'connected'; registered: boolean; keys_waiting: number; failure: number | null };
type State = PhoneState & { agents: (PhoneState & { user: string; address: string })[] };
export type HeardReport = { packets: number; event_packets: number; audio_ms: number; recoverable_digits: number; loud_ms: number };
export type LedgerRow = { reference: string; status: string; amount?: string };

/** SIP's status for nobody who could be reached (RFC 3261). */
const UNAVAILABLE = 480;
/** The phone of the demonstration's agent. */
export const AGENT_PHONE = '1001';

export class Simulator {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Calls the agent, whose phone answers by itself. */
  async call(): Promise<void> {
    await this.until('the agent’s phone is registered and both phones are free', ({ call, agents }) => call === 'idle' && agents.every((agent) => agent.registered && agent.call === 'idle'));
    await this.#post('call');
  }

  /** Calls until the agent's phone answers: who was told that nobody can be reached calls again. */
  async reach(): Promise<void> {
    await expect(async () => {
      await this.call();
      await this.until('the call is answered or refused', ({ call, failure }) => call === 'connected' || (call === 'idle' && failure !== null));
      expect((await this.#get<State>('state')).call).toBe('connected');
    }).toPass({ timeout: 40_000 });
  }

  /** Calls, and is told that nobody can be reached. */
  async callInVain(): Promise<void> {
    await this.#post('call');
    await this.until('the call is refused', ({ call, failure }) => call === 'idle' && failure === UNAVAILABLE);
  }

  /** Ends the call if there is one. */
  async hangUp(): Promise<void> {
    await this.#post('hang-up');
    await this.until('both phones are free', ({ call, agents }) => call === 'idle' && agents.every((agent) => agent.call === 'idle'));
  }

  /** Keys of the consumer's phone, or of an agent's, one after the other; they take 200 ms each and go on after this returns. */
  async keys(keys: string, who?: string): Promise<void> {
    await this.#post('keys', { keys, ...(who && { who }) });
  }

  /** Where the agent's telephone takes calls, as a PBX would know it. */
  async phoneAddress(): Promise<string> {
    const { agents } = await this.#get<State>('state');
    const mine = agents.find(({ user }) => user === AGENT_PHONE);
    if (!mine) throw new Error(`the simulator has no phone ${AGENT_PHONE}`);
    return mine.address;
  }

  async keyCard(card: TestCard, field: Part): Promise<void> {
    await this.#post('key-card', { card, field });
  }

  /** All keys have sounded. */
  async keyed(): Promise<void> {
    await this.until('no key waits', ({ keys_waiting }) => keys_waiting === 0);
  }

  async mode(mode: Mode): Promise<void> {
    await this.#post('mode', { mode });
  }

  /** What the sandbox gateway answers next, in order. */
  async script(...next: Answer[]): Promise<void> {
    await this.#post('script', { next });
  }

  /** Whether anybody listens at the sandbox gateway; if not, whoever connects is refused. */
  async gateway(listens: boolean): Promise<void> {
    await this.#post('gateway', { listens });
  }

  /** What the agent's phone heard on its last call. */
  async heard(): Promise<HeardReport> {
    const { agents } = await this.#get<{ agents: { user: string; heard: HeardReport }[] }>('heard');
    const mine = agents.find(({ user }) => user === AGENT_PHONE);
    if (!mine) throw new Error(`the simulator has no phone ${AGENT_PHONE}`);
    return mine.heard;
  }

  /** What the consumer's phone heard on its last call. */
  async heardByConsumer(): Promise<HeardReport> {
    return (await this.#get<{ consumer: HeardReport }>('heard')).consumer;
  }

  async heardAudio(): Promise<Buffer> {
    const response = await fetch(`${this.url}/control/heard/${AGENT_PHONE}.wav`);
    if (!response.ok) throw new Error(`the audio: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** What the gateway wrote down. */
  async ledger(): Promise<LedgerRow[]> {
    return (await this.#get<{ rows: LedgerRow[] }>('ledger')).rows;
  }

  async until(what: string, holds: (state: State) => boolean): Promise<void> {
    await expect.poll(async () => holds(await this.#get<State>('state')), { message: what, timeout: 15_000, intervals: [50, 100, 100] }).toBe(true);
  }

  async #get<T>(path: string): Promise<T> {
    return (await this.#ask(path)).json() as Promise<T>;
  }

  async #post(path: string, body: unknown = {}): Promise<void> {
    await this.#ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  }

  async #ask(path: string, request?: RequestInit): Promise<Response> {
    const response = await fetch(`${this.url}/control/${path}`, request);
    if (!response.ok) throw new Error(`the simulator refuses ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
