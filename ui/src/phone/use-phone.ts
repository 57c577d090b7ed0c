/** Owns: the phone as a component sees it. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { LiveStore } from '../lib/events/live-store';
import type { Phone, PhoneView } from './phone';
import { joinPhone } from './phone';

/** The phone beside these calls, from the first time that it is shown. */
export function usePhone(store: LiveStore): { phone: Phone; view: PhoneView } {
  const [{ phone, join }] = useState(() => joinPhone(store));
  useEffect(join, [join]);
  const view = useSyncExternalStore(phone.subscribe, phone.snapshot);
  return { phone, view };
}
