/** What the phone asks of the server. Owns: the routes below /phone. Never: the event stream, which says what rings. */
import { api } from '../lib/api/client';
import type { Listening } from '../lib/api/types';

export type Offered = { offer: string; state: 'ringing' | 'connected' };
export type PhoneNetwork = { udp: { host: string; port: number } };
/** `instance`: the tab that has taken the phone. */
export type Told = { kind: 'ring'; call: string; dialled?: boolean } | { kind: 'gone'; call: string } | { kind: 'taken'; instance: string };

export type Wire = {
  /** Takes the phone for this tab, or keeps it. */
  hold: (takeOver: boolean) => Promise<void>;
  letGo: () => Promise<void>;
  read: (call: string) => Promise<Offered>;
  connect: (call: string, answer: string) => Promise<void>;
  answer: (call: string) => Promise<void>;
  decline: (call: string) => Promise<void>;
  restart: (call: string, offer: string) => Promise<string>;
  /** Begins a call without a customer, and says which. */
  test: () => Promise<string>;
  /** Begins to listen to a call of another, and says which of this phone's that is. */
  listen: (call: string) => Promise<Listening>;
};

/** `instance` names this tab. */
export function wireOf(instance: string): Wire {
  const query = new URLSearchParams({ instance });
  const at = (call: string, place = '') => `/phone/calls/${encodeURIComponent(call)}${place}`;
  return {
    hold: (take_over) => api('PUT', '/phone', { body: { instance, take_over } }),
    letGo: () => api('DELETE', `/phone?${query}`),
    read: (call) => api<Offered>('GET', `${at(call)}?${query}`),
    connect: (call, answer) => api('POST', at(call, '/connect'), { body: { instance, answer } }),
    answer: (call) => api('POST', at(call, '/answer'), { body: { instance } }),
    decline: (call) => api('POST', at(call, '/decline'), { body: { instance } }),
    restart: async (call, offer) => (await api<{ answer: string }>('POST', at(call, '/restart'), { body: { instance, offer } })).answer,
    listen: (call) => api('POST', `/running-calls/${encodeURIComponent(call)}/listeners`, { body: { instance } }),
    test: async () => (await api<{ call: string }>('POST', '/phone/test', { body: { instance } })).call,
  };
}
