import { useSyncExternalStore } from 'react';
import type { LiveState, LiveStore } from './live-store';

export function useLive(store: LiveStore): LiveState {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
