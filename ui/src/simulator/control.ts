/** Talks to the simulator's own process. It serves this page, so everything is same-origin. */
import { useCallback, useEffect, useState } from 'react';

export const MODES = ['rfc4733', 'inband', 'info'] as const;
export type Mode = (typeof MODES)[number];
export type CardField = 'number' | 'expiry' | 'code' | 'routing' | 'account';
/** What the sandbox gateway can answer. */
export const SCRIPTS = [
  'approve',
  'approve_with_echo',
  'decline',
  'do_not_honour',
  'never_answer',
  'charge_then_never_answer',
  'charge_then_reset',
  'garbage',
  'server_error',
  'unauthorised',
] as const;
export type Script = (typeof SCRIPTS)[number];

type PhoneState = {
  registered: boolean;
  call: 'idle' | 'calling' | 'ringing' | 'connected';
  mode: Mode;
  /** Presses that wait or sound. */
  keys_waiting: number;
  /** SIP status of the last failure. */
  failure?: number | null;
};
export type SimulatorState = PhoneState & {
  agents: (PhoneState & { user: string })[];
  cards: { id: string; label: string }[];
  number: string;
  gateway: string;
  server_page: string;
};

/** Pause between looks while the event stream is down. */
const LOOK_MS = 2_000;

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const request: RequestInit =
    body === undefined
      ? { cache: 'no-store' }
      : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`/control/${path}`, request);
  const text = await response.text();
  if (!response.ok) throw new Error(detailOf(text) ?? response.statusText);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { detail?: string }).detail;
  } catch {
    return text === '' ? undefined : text;
  }
}

export function useSimulator() {
  const [state, setState] = useState<SimulatorState>();
  const [failure, setFailure] = useState<string>();
  const look = useCallback(
    () =>
      ask<SimulatorState>('state').then(
        (next) => {
          setState(next);
          setFailure(undefined);
        },
        (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
      ),
    [],
  );
  const tell = useCallback(
    async (path: string, body: unknown = {}) => {
      try {
        await ask(path, body);
        await look();
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
    },
    [look],
  );
  useEffect(() => {
    void look();
    const events = new EventSource('/control/events');
    const timer = setInterval(() => events.readyState !== EventSource.OPEN && void look(), LOOK_MS);
    events.addEventListener('open', () => void look());
    events.addEventListener('state', (event) => {
      setState(JSON.parse(event.data) as SimulatorState);
      setFailure(undefined);
    });
    return () => {
      clearInterval(timer);
      events.close();
    };
  }, [look]);
  return { state, failure, tell };
}
