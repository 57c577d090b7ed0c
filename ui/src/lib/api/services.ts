/** Services, and the recorders of the server's file that they may name: one request. Only office pages ask for it. */
import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { KEYS } from './queries';
import type { ServiceList } from './types';

const list = { queryKey: KEYS.services, queryFn: ({ signal }: { signal: AbortSignal }) => api<ServiceList>('GET', '/services', { signal }) };

export function useServices() {
  return useQuery({ ...list, select: ({ services }) => services });
}

/** Names of the recorders that the server can pause. */
export function useRecorderControls() {
  return useQuery({ ...list, select: ({ recorder_controls }) => recorder_controls });
}

/** Whether what services want recorded has a folder to be kept in. */
export function useKeepsRecordings() {
  return useQuery({ ...list, select: ({ keeps_recordings }) => keeps_recordings });
}

/** Groups of agents, each with how many are in it. */
export function useGroups() {
  return useQuery({ ...list, select: ({ groups }) => groups });
}

/** Names of the trunks of the server's file that a route can lead to. */
export function useTrunks() {
  return useQuery({ ...list, select: ({ trunks }) => trunks });
}
