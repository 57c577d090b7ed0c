/** Owns: a service's numbers that are reserved for agents, as its sheet holds them and as they are sent. Never: drops what was typed while they are switched off. */
import type { NumberPool } from '../lib/api/types';

/** `was`: the server has a pool of it. */
export type PoolDraft = { on: boolean; was: boolean; numbers: string; reserve: string; quarantine: string };

export function poolOf(stored: NumberPool | null | undefined): PoolDraft {
  return { on: Boolean(stored), was: Boolean(stored), numbers: stored?.numbers.join('\n') ?? '', reserve: String(stored?.reserve_s ?? 120), quarantine: String(stored?.quarantine_s ?? 60) };
}

/** More seconds than are taken: what is no number is refused by the server, at its field. */
const TOO_MANY = 9_999;

const seconds = (text: string) => (/^\d{1,4}$/.test(text.trim()) ? Number(text) : TOO_MANY);

/** Nothing where it is off and was: the server leaves it as it is. */
export function poolSent({ on, was, numbers, reserve, quarantine }: PoolDraft): { pool?: NumberPool | null } {
  if (!on) return was ? { pool: null } : {};
  return { pool: { numbers: numbers.split(/[\s,;]+/).filter(Boolean), reserve_s: seconds(reserve), quarantine_s: seconds(quarantine) } };
}
