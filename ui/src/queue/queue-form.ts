/** Owns: how a service's callers wait as its sheet holds it, and as it is sent. Never: drops what was typed while it is switched off, or of another overflow. */
import type { Queue } from '../lib/api/types';

export type Overflow = Queue['overflow']['to'];

/** `was`: it is switched on at the server. Numbers are as they were typed. */
export type QueueDraft = { on: boolean; was: boolean; waiting: string; wait: string; music: string; announcement: string; every: string; to: Overflow; uri: string; address: string; trunk: string; number: string };

export function queueOf(stored: Queue | null | undefined, trunks: readonly string[] = []): QueueDraft {
  const overflow = stored?.overflow;
  return {
    on: Boolean(stored),
    was: Boolean(stored),
    waiting: String(stored?.waiting_max ?? 20),
    wait: String(stored?.wait_s_max ?? 600),
    music: stored?.music ?? '',
    announcement: stored?.announcement ?? '',
    every: String(stored?.announce_every_s ?? 0),
    to: overflow?.to ?? 'busy',
    uri: overflow?.to === 'uri' ? overflow.uri : '',
    address: overflow?.to === 'uri' ? overflow.address : '',
    trunk: overflow?.to === 'trunk' ? overflow.trunk : (trunks[0] ?? ''),
    number: (overflow?.to === 'trunk' && overflow.number) || '',
  };
}

/** More than any of them may be: what is no number is refused by the server, at its field. */
const TOO_MANY = 9_999;
const numberOf = (text: string) => (/^\d{1,4}$/.test(text.trim()) ? Number(text) : TOO_MANY);

/** `toAgents`: the service's calls go to agents; of another nobody waits. Nothing where it is off and was: the server leaves it as it is. */
export function queueSent(draft: QueueDraft, toAgents: boolean): { queue?: Queue | null } {
  if (!draft.on || !toAgents) return draft.was ? { queue: null } : {};
  return {
    queue: {
      waiting_max: numberOf(draft.waiting),
      wait_s_max: numberOf(draft.wait),
      music: draft.music || null,
      announcement: draft.announcement || null,
      announce_every_s: draft.announcement ? numberOf(draft.every) : 0,
      overflow: overflowOf(draft),
    },
  };
}

function overflowOf({ to, uri, address, trunk, number }: QueueDraft): Queue['overflow'] {
  if (to === 'uri') return { to, uri: uri.trim(), address: address.trim() };
  return to === 'trunk' ? { to, trunk, number: number.trim() || null } : { to };
}
