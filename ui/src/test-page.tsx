/** What tests of components share: words, a query cache, and a server that answers from a table. */
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import { vi } from 'vitest';
import { newQueryClient } from './lib/api/queries';
import type { Login, Permission } from './lib/api/types';
import { Words } from './lib/i18n';

export function renderPage(element: ReactElement) {
  const queries = newQueryClient();
  const wrap = (child: ReactElement) => (
    <Words>
      <QueryClientProvider client={queries}>{child}</QueryClientProvider>
    </Words>
  );
  const page = render(wrap(element));
  return { ...page, rerender: (child: ReactElement) => page.rerender(wrap(child)) };
}

/** Someone with these permissions. */
export const loginOf = (...permissions: Permission[]): Login => ({
  user: { id: 'u1', name: 'm.lee', display_name: 'M. Lee' },
  csrf: 'c',
  permissions,
  roles: ['desktop_admin'],
  desktop: null,
  preferences: { language: null, theme: null },
  must_change_password: false,
  must_set_second_factor: false,
  locked: false,
});

export type Sent = { method: string; path: string; headers: Record<string, string>; body: unknown };
type Answer = { status?: number; json?: unknown; text?: string } | 'no answer';

/** Replaces the network. Each request is kept; `answer` says what comes back. */
export function fakeServer(answer: (sent: Sent) => Answer | Promise<Answer>) {
  const requests: Sent[] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    const text = init.body as string | undefined;
    const sent: Sent = {
      method: init.method ?? 'GET',
      path: url.replace('/api/v1', ''),
      headers,
      body: text && headers['Content-Type'] === 'application/json' ? JSON.parse(text) : text,
    };
    requests.push(sent);
    const reply = await answer(sent);
    if (reply === 'no answer') throw new TypeError('network');
    return new Response(reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)), { status: reply.status ?? 200 });
  });
  return requests;
}
