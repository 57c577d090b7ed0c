/**
 * Trying the phone: a tone, four seconds to speak, the same four seconds to hear.
 * Owns: what is to be done when, and the verdict. Never: a level it was not told.
 */

/** As the server plays it, from the answer on: the tone, then what it keeps of the voice, which comes back at once. */
export const TONE_MS = 500;
export const SPEAK_MS = 4_000;
/** It has come back by then, on a slow line as well. */
const BACK_MS = SPEAK_MS + 1_500;
/** Louder than a quiet room, 0 to 1. */
const VOICE_MIN = 0.05;

export type Verdict = 'heard' | 'not_spoken' | 'not_back' | 'no_path' | 'stopped';
export type Part = 'connecting' | 'tone' | 'speak' | 'listen';
/** `since`: when the server took the call, by the page's clock. */
export type Trial = { since: number | undefined; spoke: boolean; back: boolean; verdict: Verdict | undefined };

export const BEGUN: Trial = { since: undefined, spoke: false, back: false, verdict: undefined };

export function partOf({ since }: Trial, now: number): Part {
  if (since === undefined) return 'connecting';
  const ms = now - since;
  if (ms < TONE_MS) return 'tone';
  return ms < TONE_MS + SPEAK_MS ? 'speak' : 'listen';
}

/** What microphone and loudspeaker had at this time. */
export function hear(trial: Trial, now: number, microphone: number, back: number): Trial {
  const part = partOf(trial, now);
  if (part === 'speak' && microphone > VOICE_MIN && !trial.spoke) return { ...trial, spoke: true };
  return part === 'listen' && back > VOICE_MIN && !trial.back ? { ...trial, back: true } : trial;
}

/** It lasts no longer. */
export const isOver = ({ since }: Trial, now: number): boolean => since !== undefined && now - since >= TONE_MS + SPEAK_MS + BACK_MS;

/** How it ends when its call does, by itself or not. */
export function conclude(trial: Trial, now: number): Trial {
  if (trial.verdict) return trial;
  const part = partOf(trial, now);
  if (part !== 'listen') return { ...trial, verdict: part === 'connecting' ? 'no_path' : 'stopped' };
  if (!trial.spoke) return { ...trial, verdict: 'not_spoken' };
  return { ...trial, verdict: trial.back ? 'heard' : 'not_back' };
}
