/** Owns: a service's calls out as its sheet holds them, and as they are sent. Never: drops what was typed while they are switched off, or of the other way out. */
import type { Outbound } from '../lib/api/types';

export type WayOut = Outbound['route']['to'];

/** `was`: it is switched on at the server. */
export type OutboundDraft = { on: boolean; was: boolean; to: WayOut; uri: string; address: string; trunk: string; caller: string; numbers: string };

export function outboundOf(stored: Outbound | null | undefined, trunks: readonly string[] = []): OutboundDraft {
  const route = stored?.route;
  return {
    on: Boolean(stored),
    was: Boolean(stored),
    to: route?.to ?? 'uri',
    uri: route?.to === 'uri' ? route.uri : '',
    address: route?.to === 'uri' ? route.address : '',
    trunk: route?.to === 'trunk' ? route.trunk : (trunks[0] ?? ''),
    caller: stored?.caller_number ?? '',
    numbers: stored?.numbers.join('\n') ?? '',
  };
}

/** Nothing where it is off and was: the server leaves it as it is. */
export function outboundSent({ on, was, to, uri, address, trunk, caller, numbers }: OutboundDraft): { outbound?: Outbound | null } {
  if (!on) return was ? { outbound: null } : {};
  const route = to === 'trunk' ? { to, trunk } : { to, uri: uri.trim(), address: address.trim() };
  return { outbound: { route, caller_number: caller.replace(/\s/g, ''), numbers: numbers.split(/[\s,;]+/).filter(Boolean) } };
}
