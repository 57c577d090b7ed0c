/** Undo and redo of whole values. Never: keeps more steps than a person takes back. */

const STEPS_MAX = 100;

export type History<T> = { past: readonly T[]; now: T; future: readonly T[] };

export const begin = <T>(now: T): History<T> => ({ past: [], now, future: [] });

/** A step was taken that is not taken back. */
export const isChanged = ({ past }: History<unknown>): boolean => past.length > 0;

export function commit<T>({ past, now }: History<T>, next: T): History<T> {
  return { past: [...past, now].slice(-STEPS_MAX), now: next, future: [] };
}

export function undo<T>(history: History<T>): History<T> {
  const { past, now, future } = history;
  const last = past.at(-1);
  return last === undefined ? history : { past: past.slice(0, -1), now: last, future: [now, ...future] };
}

export function redo<T>(history: History<T>): History<T> {
  const { past, now, future } = history;
  const next = future[0];
  return next === undefined ? history : { past: [...past, now], now: next, future: future.slice(1) };
}
