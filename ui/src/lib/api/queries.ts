/** Owns: the names under which answers are cached, and how each is read. */
import { QueryClient, useQuery } from '@tanstack/react-query';
import { ApiError, api } from './client';
import type { Availability, DesignHistory, DesignList, DesignRevisionView, DesktopBrief, DesktopHistory, DesktopUse, DesktopView, FirstSteps, HostList, Login, LoginPolicy, MyDesktop, Permission, RevisionView, RoleList, RoutingView, Settings, UserView } from './types';

export const KEYS = {
  login: ['login'],
  desktops: ['desktops'],
  desktop: ['desktop'],
  desktopUse: ['desktop-use'],
  desktopHistory: ['desktop-history'],
  designs: ['designer-desktops'],
  gatewayHosts: ['gateway-hosts'],
  settings: ['settings'],
  routing: ['routing'],
  services: ['services'],
  users: ['users'],
  user: ['user'],
  roles: ['roles'],
  payments: ['payments'],
  recordings: ['recordings'],
  audit: ['audit'],
  live: ['live-captures'],
  verification: ['audit-verification'],
  availability: ['availability'],
  queue: ['queue'],
  designHistory: ['design-history'],
  myDesktop: ['my-desktop'],
  firstSteps: ['first-steps'],
} as const;

/** Tries again once, and never after a refusal. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: (count, error) => count < 1 && !(error instanceof ApiError && error.isRefusal), staleTime: 10_000 },
      mutations: { retry: false },
    },
  });
}

/** Who is logged in; null: nobody. */
export function useLogin() {
  return useQuery({
    queryKey: KEYS.login,
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Login | null> => {
      try {
        return await api<Login>('GET', '/login', { signal });
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
  });
}

/** Nobody is logged in any more, and what they read is forgotten. Who is logged in stays watched, so that the next one is seen. */
export function forgetLogin(queries: QueryClient): void {
  queries.setQueryData(KEYS.login, null);
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEYS.login[0] });
}

/** How one logs in here. While nobody knows, a code is asked for. */
export function useLoginPolicy(): LoginPolicy {
  const { data } = useQuery({
    queryKey: ['login-policy'],
    staleTime: Infinity,
    queryFn: ({ signal }) => api<LoginPolicy>('GET', '/login/policy', { signal }),
  });
  return data ?? { asks_for_code: true, awaits_set_up: false };
}

/** How far the way to a first working desktop has been gone. */
export function useFirstSteps(enabled: boolean) {
  return useQuery({ queryKey: KEYS.firstSteps, enabled, staleTime: 0, queryFn: ({ signal }) => api<FirstSteps>('GET', '/first-steps', { signal }) });
}

export function may(login: Login, permission: Permission): boolean {
  return login.permissions.includes(permission);
}

/** Whoever may listen to recordings, take them out, delete them or parts of them has to find them. */
export function mayFindRecordings(login: Login): boolean {
  return may(login, 'recording.listen') || may(login, 'recording.download') || may(login, 'recording.delete') || may(login, 'recording.redact');
}

export function useDesktops(enabled = true) {
  return useQuery({ enabled, queryKey: KEYS.desktops, queryFn: async ({ signal }) => (await api<{ desktops: DesktopBrief[] }>('GET', '/desktops', { signal })).desktops });
}

/** A desktop for editing: read once, and never exchanged under the editor's hands. */
export function useDesktop(id: string) {
  return useQuery({
    queryKey: [...KEYS.desktop, id],
    queryFn: ({ signal }) => api<DesktopView>('GET', `/desktops/${encodeURIComponent(id)}`, { signal }),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
}

/** Who and what works with a desktop: asked anew each time it is shown. */
export function useDesktopUse(id: string) {
  return useQuery({ queryKey: [...KEYS.desktopUse, id], queryFn: ({ signal }) => api<DesktopUse>('GET', `/desktops/${encodeURIComponent(id)}/use`, { signal }), staleTime: 0 });
}

export function useDesktopHistory(id: string) {
  return useQuery({ queryKey: [...KEYS.desktopHistory, id], queryFn: ({ signal }) => api<DesktopHistory>('GET', `/desktops/${encodeURIComponent(id)}/history`, { signal }), staleTime: 0 });
}

/** A revision as it was saved; it never changes. */
export function useRevision(id: string, revision: number) {
  return useQuery({
    queryKey: [...KEYS.desktopHistory, id, revision],
    queryFn: ({ signal }) => api<RevisionView>('GET', `/desktops/${encodeURIComponent(id)}/history/${revision}`, { signal }),
    staleTime: Infinity,
    enabled: revision > 0,
  });
}

export function useDesignHistory(id: string) {
  return useQuery({ queryKey: [...KEYS.designHistory, id], queryFn: ({ signal }) => api<DesignHistory>('GET', `/designer-desktops/${encodeURIComponent(id)}/history`, { signal }), staleTime: 0 });
}

/** A revision of a design as it was saved; it never changes. */
export function useDesignRevision(id: string, revision: number) {
  return useQuery({
    queryKey: [...KEYS.designHistory, id, revision],
    queryFn: ({ signal }) => api<DesignRevisionView>('GET', `/designer-desktops/${encodeURIComponent(id)}/history/${revision}`, { signal }),
    staleTime: Infinity,
    enabled: revision > 0,
  });
}

/** Designer desktops, for the editor. */
export function useDesigns() {
  return useQuery({ queryKey: KEYS.designs, queryFn: ({ signal }) => api<DesignList>('GET', '/designer-desktops', { signal }), refetchOnWindowFocus: false });
}

export function useSettings(enabled = true) {
  return useQuery({ queryKey: KEYS.settings, queryFn: ({ signal }) => api<Settings>('GET', '/settings', { signal }), enabled });
}

export function useGatewayHosts() {
  return useQuery({ queryKey: KEYS.gatewayHosts, queryFn: ({ signal }) => api<HostList>('GET', '/gateway-hosts', { signal }) });
}

export function useRouting() {
  return useQuery({ queryKey: KEYS.routing, queryFn: ({ signal }) => api<RoutingView>('GET', '/routing', { signal }) });
}

export function useUsers() {
  return useQuery({ queryKey: KEYS.users, queryFn: async ({ signal }) => (await api<{ users: UserView[] }>('GET', '/users', { signal })).users });
}

/** A user for editing: read when opened, and never exchanged under the administrator's hands. */
export function useUser(id: string, enabled: boolean) {
  return useQuery({
    queryKey: [...KEYS.user, id],
    queryFn: ({ signal }) => api<UserView>('GET', `/users/${encodeURIComponent(id)}`, { signal }),
    enabled,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
}

/** Roles, with what the one who asks may do with each. */
export function useRoles() {
  return useQuery({ queryKey: KEYS.roles, queryFn: ({ signal }) => api<RoleList>('GET', '/roles', { signal }) });
}

/** Whether calls ring for the agent. */
export function useAvailability() {
  return useQuery({ queryKey: KEYS.availability, queryFn: ({ signal }) => api<Availability>('GET', '/me/availability', { signal }) });
}

/** What the agent gets, before any call. */
export function useMyDesktop() {
  return useQuery({ queryKey: KEYS.myDesktop, queryFn: ({ signal }) => api<MyDesktop>('GET', '/me/desktop', { signal }) });
}
