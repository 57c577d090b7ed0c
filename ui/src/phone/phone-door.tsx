/** Where the phone is shown. Owns: whether this server has phones for browsers. Never: loads the phone where there is none. */
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import { api } from '../lib/api/client';
import type { LiveStore } from '../lib/events/live-store';
import type { PhoneNetwork } from './wire';
import { withPhone } from './with-phone';

const PhoneBar = lazy(withPhone(() => import('./phone-bar')));

/** `apart`: beside a page that has no call bar, where the phone shows itself only while it is on. */
type PhonePlace = { store: LiveStore; locked: boolean; apart?: boolean };

export default function PhoneDoor({ store, locked, apart = false }: PhonePlace) {
  const { data } = useQuery({ queryKey: ['phone-network'], enabled: !locked, staleTime: Infinity, queryFn: ({ signal }) => api<PhoneNetwork>('GET', '/phone/network', { signal }) });
  if (!data) return null;
  return (
    <Suspense>
      <PhoneBar store={store} locked={locked} apart={apart} network={data} />
    </Suspense>
  );
}
