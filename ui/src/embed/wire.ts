/**
 * The one wire of this page, from its first use on.
 * Owns: what a message of the page around does here.
 */
import { api } from '../lib/api/client';
import type { FramePolicy } from '../lib/api/types';
import { askAround } from '../lib/preferences';
import { Bridge, originAround } from './bridge';

export type OnCode = (code: string, origin: string) => void;

let wire: Promise<Bridge> | undefined;
let onCode: OnCode | undefined;

/** Where a code goes that comes while nobody is signed in here; answers with how to stop. */
export function whenCode(listener: OnCode): () => void {
  onCode = listener;
  return () => {
    if (onCode === listener) onCode = undefined;
  };
}

/** Rejects while the server cannot be asked which pages it lists; asked again it tries again. */
export function theWire(): Promise<Bridge> {
  wire ??= begin().catch((error: unknown) => {
    wire = undefined;
    throw error;
  });
  return wire;
}

async function begin(): Promise<Bridge> {
  const { origins } = await api<FramePolicy>('GET', '/frames');
  const bridge = new Bridge(window.parent, origins, originAround(), {
    init: ({ code, locale, theme }, origin) => {
      const asked = { ...(locale && { locale }), ...(theme && { theme }) };
      askAround(asked).catch(() => undefined);
      if (code) onCode?.(code, origin);
    },
    tell: (call, body) => api('PUT', `/calls/${call}/consumer`, { body }),
  });
  bridge.listen();
  return bridge;
}
