import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { CALL, serve } from './fake-api';
import { LOOKS, expectAccessible, wear } from './looks';

type Place = { name: string; path: string; answers?: Record<string, unknown>; ready: (page: Page) => Promise<unknown> };

const heading = (name: string) => (page: Page) => expect(page.getByRole('heading', { name, exact: true }).first()).toBeVisible();
const advanced = async (page: Page, tab: string) => {
  await page.getByRole('button', { name: 'Edit Card payment' }).click();
  await page.getByRole('tab', { name: tab }).click();
};

const PLACES: readonly Place[] = [
  { name: 'login', path: '/', answers: { '/login': null }, ready: heading('Sign in') },
  { name: 'agent', path: '/', ready: heading('Card payment') },
  {
    name: 'second-call',
    path: '/',
    answers: { '/calls': { calls: [CALL, { ...CALL, id: 'second', caller: 'Sam Okafor', state: 'connected', capture: null }] } },
    ready: (page) => expect(page.getByRole('button', { name: 'Show it' })).toBeVisible(),
  },
  { name: 'desktops', path: '/configure/agents/agent-desktop', ready: heading('Agent Desktop') },
  { name: 'editor', path: '/configure/agents/agent-desktop/d1', ready: heading('Available Widgets') },
  { name: 'message', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Message Config') },
  { name: 'gateway', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Payment Gateway Config') },
  { name: 'advanced', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Advanced Config') },
  { name: 'spc', path: '/configure/agents/secure-payment-capture', ready: heading('Recorders') },
  { name: 'services', path: '/configure/calls/services', ready: heading('Services') },
  {
    name: 'service',
    path: '/configure/calls/services',
    ready: (page) => page.getByRole('row', { name: 'Collections' }).dblclick(),
  },
  { name: 'payments', path: '/payments', ready: heading('Payments') },
];

for (const [look, place] of LOOKS.flatMap((look) => PLACES.map((place) => [look, place] as const))) {
  test(`${place.name} is accessible: ${look.name}`, async ({ page }, info) => {
    await wear(page, look);
    await serve(page, place.answers);
    await page.goto(place.path);
    await place.ready(page);
    await page.screenshot({ path: info.outputPath(`${place.name}-${look.name}.png`), fullPage: true });
    await expectAccessible(page, look);
  });
}

test('the practice phone is accessible', async ({ page }, info) => {
  const phone = { call: 'connected', mode: 'rfc4733', registered: true, keys_waiting: 0, failure: null };
  const state = {
    ...phone,
    agents: [{ ...phone, user: 'agent1' }],
    cards: [{ id: 'visa', label: 'Visa' }],
    number: '8005550100',
    gateway: 'https://127.0.0.1:9443/charge',
    server_page: 'http://127.0.0.1:8080/',
  };
  await page.route('**/control/**', (route) => (route.request().url().endsWith('/events') ? route.fulfill({ contentType: 'text/event-stream', body: ':\n\n' }) : route.fulfill({ json: state })));
  for (const look of LOOKS) {
    await wear(page, look);
    await page.goto('/simulator.html');
    await expect(page.getByRole('button', { name: 'Key 5' })).toBeEnabled();
    await page.screenshot({ path: info.outputPath(`simulator-${look.name}.png`), fullPage: true });
    await expectAccessible(page, look);
  }
});
