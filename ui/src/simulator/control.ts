/** Talks to the simulator's own process. It serves this page, so everything is same-origin. */
import { useCallback, useEffect, useState } from 'react';

export const MODES = ['rfc4733', 'inband', 'info'] as const;
export type Mode = (typeof MODES)[number];
export type CardField = 'number' | 'expiry' | 'code' | 'routing' | 'account';
export type SimulatorState = {
  call: 'idle' | 'calling' | 'ringing' | 'connected';
  mode: Mode;
  registered: boolean;
  consumer_hears: string;
  log: string[];
  cards: { id: string; label: string }[];
  scripts: string[];
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
  if (!response.ok) throw new Error(text || response.statusText);
  return (text === '' ? undefined : JSON.parse(text)) as T;
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
    const again = () => void look();
    events.addEventListener('open', again);
    events.addEventListener('message', again);
    events.addEventListener('state', again);
    events.addEventListener('log', again);
    return () => {
      clearInterval(timer);
      events.close();
    };
  }, [look]);
  return { state, failure, tell };
}
