import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { BROKEN, CALL, CHANGED_MEANWHILE, DAMAGED, LISTENED, LOGIN, OF_CAPTURE, PLAN_NOT_SET_UP, REFUND_UNKNOWN, UNREADABLE, WITH_CODE, WITH_DIAL, WITH_MORE, WITH_PHONE, WITH_PHONE_FREE, WITH_QUEUE, minePlaced, serve } from './fake-api';
import { LOOKS, expectAccessible, expectAccessibleInEveryLook, expectNothingCut, focusOf, wear } from './looks';

type Place = { name: string; path: string; answers?: Record<string, unknown>; ready: (page: Page) => Promise<unknown> };

const heading = (name: string) => (page: Page) => expect(page.getByRole('heading', { name, exact: true }).first()).toBeVisible();
const advanced = async (page: Page, tab: string) => {
  await page.getByRole('button', { name: 'Edit Card payment' }).click();
  await page.getByRole('tab', { name: tab }).click();
};
/** A click counts only if its place did not move in between, as it does while the form's parts come in. */
const opened = async (page: Page, name: string) => {
  const button = page.getByRole('button', { name, exact: true });
  await expect(async () => {
    if ((await button.getAttribute('aria-expanded')) === 'false') await button.click();
    await expect(button).toHaveAttribute('aria-expanded', 'true', { timeout: 2_000 });
  }).toPass();
};
const openUser = async (page: Page, name: string) => {
  await page.getByRole('row', { name }).dblclick();
  await expect(page.getByRole('dialog')).toBeVisible();
};

const chosen = async (page: Page, desktop: string, act: string) => {
  await page.getByRole('button', { name: `Actions: ${desktop}` }).click();
  await page.getByRole('menuitem', { name: act }).click();
};

/** A browser that had its phone on, and may have the microphone. */
const phoneOn = async (page: Page) => {
  await page.context().grantPermissions(['microphone']);
  await page.evaluate(() => localStorage.setItem('tonewall.phone.on', 'yes'));
  await page.reload();
};

/** Longer than all looks take. */
const AFTER_CALL_MS = 600_000;
const LIST = '/configure/agents/agent-desktop';
const PLACES: readonly Place[] = [
  { name: 'login', path: '/', answers: { '/login': null }, ready: heading('Sign in') },
  { name: 'password', path: '/password', ready: heading('Change your password') },
  { name: 'second-factor', path: '/', answers: { '/login': { ...LOGIN, must_set_second_factor: true } }, ready: heading('Set up your authenticator app') },
  { name: 'set-up', path: '/set-up#token', ready: heading('Make the first administrator') },
  { name: 'agent', path: '/', ready: heading('Card payment') },
  {
    name: 'second-call',
    path: '/',
    answers: { '/calls': { calls: [CALL, { ...CALL, id: 'second', caller: 'Sam Okafor', state: 'connected', capture: null }] } },
    ready: (page) => expect(page.getByRole('button', { name: 'Show it' })).toBeVisible(),
  },
  { name: 'agent-not-ready', path: '/', answers: { '/calls': { calls: [] }, '/me/availability': { state: 'not_ready', reason: 'training' } }, ready: (page) => expect(page.getByText('No call rings here')).toBeVisible() },
  { name: 'agent-after-call', path: '/', answers: { '/calls': { calls: [] }, '/me/availability': { state: 'after_call', until: Date.now() + AFTER_CALL_MS } }, ready: (page) => expect(page.getByRole('button', { name: 'I am ready' })).toBeVisible() },
  { name: 'agent-queue', path: '/', answers: WITH_QUEUE, ready: (page) => expect(page.getByText(/2 waiting, longest/)).toBeVisible() },
  {
    name: 'agent-dial',
    path: '/',
    answers: WITH_DIAL,
    ready: async (page) => {
      await page.getByRole('textbox', { name: 'Number to dial' }).fill('4111 1111 1111 1111');
      await expect(page.getByRole('alert')).toContainText('This may be a card number.');
    },
  },
  {
    name: 'agent-dial-asked',
    path: '/?dial=+15550100100',
    answers: WITH_DIAL,
    ready: (page) => expect(page.getByRole('alertdialog', { name: 'Call this number?' })).toBeVisible(),
  },
  {
    name: 'agent-dialled',
    path: '/',
    answers: { ...WITH_DIAL, '/calls': { calls: [{ ...CALL, state: 'ringing', called: '+15550100100', answered_at: null, capture: null, dialled: { step: 'ringing', failed: null } }] } },
    ready: (page) => expect(page.getByText('+15550100100')).toBeVisible(),
  },
  {
    name: 'agent-keys',
    path: '/',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    },
  },
  {
    name: 'agent-keypad',
    path: '/',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Keypad' }).click();
      await expect(page.getByRole('dialog', { name: 'Keypad' })).toBeVisible();
    },
  },
  {
    name: 'agent-transfer',
    path: '/',
    answers: { '/calls': { calls: [CALL] }, [`/calls/${CALL.id}/transfer-targets`]: { agents: [{ user: 'u2', name: 'Jane Roe', free: true }, { user: 'u3', name: 'Morgan Lee', free: false }] } },
    ready: async (page) => {
      await page.getByRole('button', { name: 'Transfer' }).click();
      await expect(page.getByRole('button', { name: 'Morgan Lee' })).toBeVisible();
    },
  },
  {
    name: 'agent-connect',
    path: '/',
    answers: WITH_CODE,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Connect to my call' }).click();
      await expect(page.getByText('*47118#')).toBeVisible();
    },
  },
  { name: 'agent-asked-call', path: '/?call=call-1', answers: WITH_CODE, ready: (page) => expect(page.getByRole('button', { name: 'Try again' })).toBeVisible() },
  {
    name: 'agent-phone',
    path: '/',
    answers: WITH_PHONE,
    ready: async (page) => {
      await phoneOn(page);
      await expect(page.getByRole('button', { name: 'Answer' })).toBeVisible();
    },
  },
  {
    name: 'agent-phone-blocked',
    path: '/',
    answers: WITH_PHONE,
    ready: async (page) => {
      await phoneOn(page);
      // Nobody is there at the other end: what has to be opened for it is said.
      await expect(page.getByText(/lets no UDP reach phone\.example/)).toBeVisible();
    },
  },
  {
    name: 'agent-phone-why',
    path: '/',
    answers: WITH_PHONE_FREE,
    ready: async (page) => {
      await page.context().clearPermissions();
      await page.evaluate(() => localStorage.clear());
      await page.reload();
      await page.getByRole('button', { name: 'Turn on phone' }).click();
      await expect(page.getByRole('alertdialog')).toBeVisible();
    },
  },
  {
    name: 'agent-phone-sheet',
    path: '/',
    answers: WITH_PHONE_FREE,
    ready: async (page) => {
      await phoneOn(page);
      await page.getByRole('button', { name: 'Phone: on' }).click();
      await expect(page.getByRole('button', { name: 'Begin the try' })).toBeVisible();
    },
  },
  {
    name: 'agent-phone-elsewhere',
    path: '/',
    answers: WITH_PHONE_FREE,
    ready: async (page) => {
      await page.route('**/api/v1/phone', (route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Another tab has the phone', status: 409, code: 'phone_elsewhere' }) }));
      await phoneOn(page);
      await expect(page.getByRole('button', { name: 'Take over here' })).toBeVisible();
    },
  },
  { name: 'agent-extended', path: '/', answers: { '/me/desktop': minePlaced('extended_panel') }, ready: heading('Card payment') },
  { name: 'agent-designer', path: '/', answers: { '/me/desktop': minePlaced('designer') }, ready: heading('Card payment') },
  { name: 'desktops', path: '/configure/agents/agent-desktop', ready: heading('Agent Desktop') },
  { name: 'no-desktops', path: LIST, answers: { '/desktops': { desktops: [] } }, ready: heading('No agent desktop yet') },
  {
    name: 'desktop-assign',
    path: LIST,
    ready: async (page) => {
      await chosen(page, 'Collections US', 'Assign');
      await page.getByRole('checkbox', { name: 'Cem Diaz' }).check({ force: true });
    },
  },
  {
    name: 'desktop-in-use',
    path: LIST,
    ready: async (page) => {
      await chosen(page, 'Collections US', 'Delete');
      await expect(page.getByText('This desktop is in use')).toBeVisible();
    },
  },
  {
    name: 'desktop-import',
    path: LIST,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Import JSON' }).click();
      const file = { format: 'tonewall.desktop', version: 1, name: 'Sales', widgets: [] };
      await page.locator('input[type="file"]').setInputFiles({ name: 'desktop-sales.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(file)) });
      await expect(page.getByText('desktop-sales.json: 0 widgets')).toBeVisible();
    },
  },
  { name: 'desktop-history', path: `${LIST}/d1/history`, ready: (page) => expect(page.getByRole('rowheader', { name: 'Service URL' })).toBeVisible() },
  { name: 'design-history', path: `${LIST}/designs/g1/history`, ready: (page) => expect(page.getByRole('rowheader', { name: 'Text' })).toBeVisible() },
  { name: 'editor', path: '/configure/agents/agent-desktop/d1', ready: heading('Available Widgets') },
  {
    name: 'editor-designer',
    path: `${LIST}/d2`,
    ready: async (page) => {
      await page.getByRole('tab', { name: 'Designer' }).click();
      await page.getByRole('radio', { name: 'Narrow' }).check({ force: true });
      await page.getByRole('button', { name: 'Card payment', exact: true }).click();
      await page.getByRole('radio', { name: 'Wide', exact: true }).first().check({ force: true });
    },
  },
  {
    name: 'editor-preview',
    path: `${LIST}/d1`,
    ready: async (page) => {
      const preview = page.getByRole('region', { name: 'Live preview' });
      await preview.getByRole('button', { name: /^Credit card/ }).click();
      await preview.getByRole('tab', { name: /^Payment/ }).click();
      await preview.getByRole('button', { name: /^Ask now: / }).first().click();
      await page.getByRole('button', { name: 'Wrong number' }).click();
    },
  },
  {
    name: 'editor-conflict',
    path: `${LIST}/d1`,
    ready: async (page) => {
      await page.getByRole('textbox', { name: 'Name' }).fill('Collections US and Canada');
      await chosen(page, 'Card to CRM', 'Enable');
      await page.route('**/api/v1/desktops/d1', (route) =>
        route.request().method() === 'PUT'
          ? route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Conflict', status: 409, code: 'conflict' }) })
          : route.fulfill({ json: CHANGED_MEANWHILE }),
      );
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
      await expect(page.getByText(/saved revision 15/)).toBeVisible();
    },
  },
  { name: 'message', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Message Config') },
  { name: 'gateway', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Payment Gateway Config') },
  { name: 'advanced', path: '/configure/agents/agent-desktop/d1', ready: (page) => advanced(page, 'Advanced Config') },
  {
    name: 'gateway-more',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      for (const name of ['Request', 'Values', 'Signature', 'Basic password', 'Answer', 'Verdict']) await opened(page, name);
      await page.getByRole('heading', { name: 'More' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'gateway-operations',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await opened(page, 'After the payment');
      await page.getByRole('region', { name: 'Refund' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'gateway-cases',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await opened(page, 'Saved cases');
      await page.getByRole('button', { name: 'Judge the cases' }).click();
      await expect(page.getByText('outcome: expected “declined”, came “error”')).toBeVisible();
    },
  },
  {
    name: 'gateway-tokens',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await opened(page, 'Request');
      await page.getByRole('textbox', { name: 'Text of the body' }).focus();
      await page.getByRole('button', { name: 'Insert a token: Text of the body' }).click();
      await page.keyboard.type('amount');
      await expect(page.getByRole('option', { name: /payment\.amount_minor/ })).toBeVisible();
    },
  },
  {
    name: 'gateway-file',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await page.getByRole('button', { name: 'Import or export' }).click();
      await page.getByRole('radio', { name: 'Take one in' }).check({ force: true });
      await page.getByRole('textbox', { name: 'Configuration' }).fill('[gateway]\nservice_url = "https://other.example/charge"\nsuccess_key = "status"\n');
      await expect(page.getByRole('rowheader', { name: 'Service URL' })).toBeVisible();
    },
  },
  {
    name: 'gateway-preset',
    path: `${LIST}/d1`,
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await page.getByRole('button', { name: 'Start from a preset' }).click();
      await page.getByRole('radio', { name: 'Adyen Checkout' }).check({ force: true });
      await expect(page.getByRole('rowheader', { name: 'Service URL' })).toBeVisible();
    },
  },
  {
    name: 'gateway-begun',
    path: `${LIST}/d1`,
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await page.getByRole('button', { name: 'Start from a preset' }).click();
      await page.getByRole('radio', { name: 'Adyen Checkout' }).check({ force: true });
      await page.getByRole('button', { name: 'Take over' }).click();
      await expect(page.getByText(/values are still missing/)).toBeVisible();
    },
  },
  {
    name: 'gateway-preview',
    path: `${LIST}/d1`,
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await page.getByRole('button', { name: 'Preview request' }).click();
      await expect(page.getByText('••••••••••••1111')).toBeVisible();
      await page.getByRole('button', { name: 'Judge' }).click();
      await expect(page.getByRole('dialog', { name: 'Preview request' }).getByText('Declined', { exact: true })).toBeVisible();
    },
  },
  {
    name: 'gateway-preview-refund',
    path: `${LIST}/d1`,
    answers: { '/desktops/d1': WITH_MORE },
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await opened(page, 'Saved cases');
      await page.getByRole('button', { name: 'Preview request' }).click();
      await page.getByRole('button', { name: /What is asked/ }).click();
      await page.getByRole('option', { name: 'Refund' }).click();
      await expect(page.getByText(/payments\/1000\/refunds/)).toBeVisible();
    },
  },
  {
    name: 'gateway-test',
    path: `${LIST}/d1`,
    ready: async (page) => {
      await advanced(page, 'Payment Gateway Config');
      await page.getByRole('button', { name: 'Test gateway' }).click();
      await page.getByRole('button', { name: 'Send test' }).click();
      await expect(page.getByRole('dialog', { name: 'Test gateway' }).getByText('Approved', { exact: true })).toBeVisible();
    },
  },
  { name: 'spc', path: '/configure/agents/secure-payment-capture', ready: heading('Recorders') },
  { name: 'services', path: '/configure/calls/services', ready: heading('Services') },
  {
    name: 'service',
    path: '/configure/calls/services',
    ready: (page) => page.getByRole('row', { name: 'Collections' }).dblclick(),
  },
  { name: 'users', path: '/configure/users/users', ready: (page) => expect(page.getByRole('row', { name: 'a.kim' })).toBeVisible() },
  { name: 'user', path: '/configure/users/users', ready: (page) => openUser(page, 'j.roe') },
  { name: 'user-beyond', path: '/configure/users/users', ready: (page) => openUser(page, 's.admin') },
  { name: 'roles', path: '/configure/users/roles', ready: (page) => expect(page.getByRole('columnheader', { name: 'Team lead' })).toBeVisible() },
  { name: 'role', path: '/configure/users/roles', ready: (page) => page.getByRole('button', { name: 'Edit Team lead' }).click() },
  { name: 'payments', path: '/payments?days=days&first=2026-11-01', ready: (page) => expect(page.getByRole('row', { name: '7F2K-22AB' })).toBeVisible() },
  { name: 'recordings', path: '/recordings?days=all', ready: (page) => expect(page.getByRole('row').filter({ hasText: 'Cut off' })).toBeVisible() },
  { name: 'no-recordings', path: '/recordings', answers: { '/recordings': { recordings: [], next: null } }, ready: (page) => expect(page.getByText('No recording fits.')).toBeVisible() },
  { name: 'recording', path: '/recordings/kept', ready: (page) => expect(page.getByRole('button', { name: /^Go to: Lost/ })).toBeVisible() },
  { name: 'recording-quarantined', path: '/recordings/found', ready: (page) => expect(page.getByText('There is sound in a pause.')).toBeVisible() },
  { name: 'recording-screen', path: '/recordings/screen', ready: (page) => expect(page.getByText('Screen recording paused')).toBeVisible() },
  { name: 'recording-runs', path: '/recordings/running', ready: (page) => expect(page.getByRole('button', { name: 'Look again' })).toBeVisible() },
  { name: 'recording-damaged', path: '/recordings/cut', answers: { '/recordings/cut': DAMAGED, '/recordings/cut/peaks': undefined }, ready: (page) => expect(page.getByText(/cannot be drawn/)).toBeVisible() },
  { name: 'recording-unreadable', path: '/recordings/cut', answers: { '/recordings/cut': UNREADABLE }, ready: (page) => expect(page.getByRole('alert')).toContainText('00c0ffee00c0ffee') },
  {
    name: 'recording-download',
    path: '/recordings/kept',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Download' }).click();
      await expect(page.getByRole('alertdialog', { name: 'Download this recording?' })).toBeVisible();
    },
  },
  {
    name: 'recording-remove-part',
    path: '/recordings/kept',
    ready: async (page) => {
      await page.getByRole('button', { name: /^Go to: Keys masked/ }).click();
      await page.getByRole('button', { name: 'Forward 10 seconds' }).click();
      await page.getByRole('button', { name: 'Remove a part…' }).click();
      await expect(page.getByText('4:10.0 – 5:02.0: 52 s of both sides become silence.')).toBeVisible();
    },
  },
  {
    name: 'recording-remove-screen-part',
    path: '/recordings/screen',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Remove a part…' }).click();
      await expect(page.getByText('This part goes as a whole: 00:02 – 02:14')).toBeVisible();
    },
  },
  {
    name: 'recording-delete',
    path: '/recordings/kept',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Delete' }).click();
      await expect(page.getByRole('alertdialog', { name: 'Delete this recording?' })).toBeVisible();
    },
  },
  { name: 'service-calls', path: '/calls', ready: (page) => expect(page.getByRole('button', { name: 'Take the call …142' })).toBeVisible() },
  {
    name: 'service-call-given',
    path: '/calls',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Give the call …077 to an agent' }).click();
      await expect(page.getByText('Jane Roe has this call and loses it.')).toBeVisible();
    },
  },
  { name: 'running-calls-queue', path: '/calls', answers: WITH_QUEUE, ready: (page) => expect(page.getByText('rings at an agent')).toBeVisible() },
  { name: 'running-calls', path: '/calls', ready: (page) => expect(page.getByText('Sam Okafor (whispers)')).toBeVisible() },
  {
    name: 'running-call-listened',
    path: '/calls',
    answers: { '/running-calls': LISTENED },
    ready: (page) => expect(page.getByText('You listen to Jane Roe. Nobody hears you.')).toBeVisible(),
  },
  { name: 'no-service-calls', path: '/calls', answers: { '/service-calls': { calls: [] } }, ready: (page) => expect(page.getByText('No such call is running.')).toBeVisible() },
  {
    name: 'service-group',
    path: '/configure/calls/services',
    ready: async (page) => {
      await page.getByRole('row', { name: 'Billing' }).dblclick();
      await expect(page.getByText('Nobody is in this group yet, so its calls ring for no one.')).toBeVisible();
    },
  },
  {
    name: 'service-pairing',
    path: '/configure/calls/services',
    ready: async (page) => {
      await page.getByRole('row', { name: 'Collections' }).dblclick();
      await page.getByRole('radio').nth(2).press('Space');
      await expect(page.getByRole('group', { name: 'Whose page shows a call' })).toBeVisible();
    },
  },
  {
    name: 'service-queue',
    path: '/configure/calls/services',
    ready: async (page) => {
      await page.getByRole('row', { name: 'Billing' }).dblclick();
      await page.getByRole('checkbox', { name: 'Callers wait while no agent is free' }).press('Space');
      await page.getByRole('group', { name: 'Queue' }).scrollIntoViewIfNeeded();
      await expect(page.getByRole('textbox', { name: /Callers who may wait/ })).toBeVisible();
    },
  },
  {
    name: 'service-pool',
    path: '/configure/calls/services',
    ready: async (page) => {
      await page.getByRole('row', { name: 'Collections' }).dblclick();
      await page.getByRole('radio').nth(2).press('Space');
      await page.getByRole('checkbox', { name: 'Reserve numbers for agents' }).press('Space');
      await page.getByRole('textbox', { name: /Numbers of the pool/ }).fill('+15550201\n+15550202');
      await page.getByRole('textbox', { name: /Seconds of rest/ }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'service-hours',
    path: '/configure/calls/services',
    ready: async (page) => {
      await page.getByRole('row', { name: 'Collections' }).dblclick();
      const away = page.getByRole('radio', { name: 'New calls go to a phone system' });
      await away.press('Space');
      await page.getByRole('group', { name: 'Hours of the week' }).scrollIntoViewIfNeeded();
      await expect(page.getByRole('textbox', { name: 'Saturday' })).toBeVisible();
    },
  },
  { name: 'live', path: '/live', ready: (page) => expect(page.getByRole('button', { name: 'Reset attempts: a.kim, Card payment' })).toBeVisible() },
  { name: 'no-live', path: '/live', answers: { '/captures': { captures: [] } }, ready: (page) => expect(page.getByText('No capture is open.')).toBeVisible() },
  { name: 'audit', path: '/audit', ready: (page) => expect(page.getByText(/Chain verified to #18,204/)).toBeVisible() },
  {
    name: 'audit-evidence',
    path: '/audit?days=all&object=capture%200123456789abcdefghjkmnpqrs',
    answers: { '/audit': OF_CAPTURE },
    ready: (page) => expect(page.getByRole('button', { name: 'Evidence of this capture' })).toBeVisible(),
  },
  { name: 'evidence', path: '/evidence/0123456789abcdefghjkmnpqrs', ready: (page) => expect(page.getByText('NOT CONFIRMED')).toBeVisible() },
  { name: 'audit-broken', path: '/audit?days=all', answers: { '/audit/verification': BROKEN }, ready: (page) => expect(page.getByRole('alert')).toContainText('BROKEN') },
  { name: 'no-payments', path: '/payments', answers: { '/payments': { payments: [], next: null, unknown: 0 } }, ready: (page) => expect(page.getByText('No payment fits.')).toBeVisible() },
  {
    name: 'payment',
    path: '/payments',
    ready: async (page) => {
      await page.getByRole('row', { name: '7F2K-91QD' }).click();
      await expect(page.getByRole('button', { name: 'Confirm: The customer was charged' })).toBeVisible();
    },
  },
  {
    name: 'payment-refund',
    path: '/payments',
    ready: async (page) => {
      await page.getByRole('row', { name: '7F2K-22AB' }).click();
      await page.getByRole('button', { name: 'Refund' }).click();
      await expect(page.getByRole('button', { name: 'Refund 100.50 USD' })).toBeVisible();
    },
  },
  {
    name: 'payment-refund-unknown',
    path: '/payments',
    answers: { '/payments/22ab': REFUND_UNKNOWN },
    ready: async (page) => {
      await page.getByRole('row', { name: '7F2K-22AB' }).click();
      await expect(page.getByRole('button', { name: 'Save outcome' })).toBeVisible();
    },
  },
  {
    name: 'payment-plan',
    path: '/payments',
    answers: { '/payments/22ab': PLAN_NOT_SET_UP },
    ready: async (page) => {
      await page.getByRole('row', { name: '7F2K-22AB' }).click();
      await expect(page.getByRole('button', { name: 'Set up the plan' })).toBeVisible();
    },
  },
];

for (const place of PLACES) {
  test(`c24 ${place.name} is accessible in every look`, async ({ page }, info) => {
    await serve(page, place.answers);
    await wear(page, LOOKS[0]);
    await page.goto(place.path);
    await place.ready(page);
    await expectAccessibleInEveryLook(page, info, place.name);
  });
}

test('the evidence of a capture is printed dark on white, without what only a screen is for', async ({ page }, info) => {
  await serve(page);
  await wear(page, LOOKS[1]);
  await page.goto('/evidence/0123456789abcdefghjkmnpqrs');
  await expect(page.getByText('NOT CONFIRMED')).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('banner')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden();
  await expect(page.getByText('s'.repeat(86))).toBeVisible();
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(255, 255, 255)');
  if (process.env.SHOTS) await page.screenshot({ path: info.outputPath('evidence-print.png'), fullPage: true });
});

/** What is opened from a page by its English names is left out: one place for each address and its answers. */
const distinct = new Map(PLACES.map((place) => [`${place.path} ${Object.keys(place.answers ?? {}).join()}`, place]));

/** German words are the longest of ours; the pseudo-locale is 40 % longer than English everywhere. */
for (const locale of ['de', 'en-XA']) {
  test(`no page cuts off a text at 320 px: ${locale}`, async ({ page }, info) => {
    test.slow();
    await wear(page, { name: 'narrow', width: 320, scheme: 'light', forced: 'none' });
    const look = async (name: string) => {
      if (process.env.SHOTS) await page.screenshot({ path: info.outputPath(`${name}-${locale}.png`), fullPage: true });
      await expectNothingCut(page);
    };
    for (const { name, path, answers } of distinct.values()) {
      await page.unrouteAll();
      await serve(page, answers);
      const [address, fragment] = path.split('#');
      await page.goto(`${address}${path.includes('?') ? '&' : '?'}locale=${locale}${fragment ? `#${fragment}` : ''}`);
      await expect(page.getByRole('heading').first()).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('lang', locale);
      await look(name);
    }
    await page.goto(`/configure/agents/agent-desktop/d1?locale=${locale}`);
    await page.getByRole('row', { name: 'Card payment' }).dblclick();
    for (const tab of [0, 1, 2]) {
      await page.getByRole('dialog').getByRole('tab').nth(tab).click();
      await look(`sheet-${tab}`);
    }
    await page.goto(`/gallery?locale=${locale}`);
    await expect(page.getByRole('heading').first()).toBeVisible();
    await look('gallery');
  });
}

/** A window of 1280 by 1024 at 400 %, and one as it is. */
const WINDOWS = [
  { name: 'at 400 %', width: 320, height: 256 },
  { name: 'at 100 %', width: 1280, height: 720 },
  { name: 'on a narrow one', width: 320, height: 720 },
] as const;

/** Each place is opened once and seen in one window after the other; the halves share the machine. */
for (const half of [0, 1]) {
  test(`c24 no bar lies over what has the focus, and nothing scrolls sideways: half ${half + 1} of the places`, async ({ page }) => {
    test.slow();
    const places = PLACES.filter((_, at) => at % 2 === half);
    let stops = 0;
    for (const { name, path, answers, ready } of places) {
      await test.step(name, async () => {
        await page.unrouteAll();
        await serve(page, answers);
        await wear(page, LOOKS[0]);
        await page.goto(path);
        await ready(page);
        // What is read late moves what is there.
        await page.waitForLoadState('networkidle');
        for (const window of WINDOWS) {
          await page.setViewportSize(window);
          await page.waitForFunction(({ width, height }) => innerWidth === width && innerHeight === height, window);
          // What the new width makes anew is drawn before anything is measured.
          await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
          const focus = await focusOf(page);
          stops += focus.stops;
          expect.soft(focus.covered, window.name).toEqual([]);
          expect.soft(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), window.name).toBe(0);
        }
      });
    }
    expect(stops).toBeGreaterThan(5 * WINDOWS.length * places.length);
  });
}

test('c24 a planted defect is found: a faint text, an input without a name, a text cut off, a bar over the focus, a page too wide', async ({ page }) => {
  await serve(page, { '/login': null });
  await wear(page, LOOKS[0]);
  await page.goto('/');
  await heading('Sign in')(page);
  await expectAccessible(page);
  await expectNothingCut(page);
  expect((await focusOf(page)).covered).toEqual([]);
  const plant = (html: string) =>
    page.evaluate((html) => {
      document.querySelector('#planted')?.remove();
      const planted = Object.assign(document.createElement('section'), { id: 'planted' });
      planted.innerHTML = html;
      // Where no policy for styles in HTML applies.
      for (const element of planted.querySelectorAll<HTMLElement>('[data-style]')) element.style.cssText = element.dataset.style!;
      document.body.append(planted);
    }, html);
  await plant('<p data-style="color: #bbb; background: #ccc">faint</p>');
  await expect(expectAccessible(page)).rejects.toThrow(/color-contrast/);
  await plant('<input type="text">');
  await expect(expectAccessible(page)).rejects.toThrow(/label/);
  await plant('<p data-style="width: 3em; overflow: hidden; white-space: nowrap">much longer than three letters</p>');
  await expect(expectNothingCut(page)).rejects.toThrow(/much longer/);
  await plant('<div data-style="position: fixed; inset: 0"></div>');
  expect((await focusOf(page)).covered).not.toEqual([]);
  await plant('<p data-style="width: 3000px">wide</p>');
  await expect(expectAccessible(page)).rejects.toThrow(/toBe/);
});

test('a chosen theme is worn whatever the browser prefers', async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const choose = async (theme: string) => {
    await page.getByRole('button', { name: /^Theme|Theme$/ }).click();
    await page.getByRole('option', { name: theme }).click();
  };
  await serve(page, { '/login': null });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  await heading('Sign in')(page);
  const dark = await ground();
  await choose('Light');
  const light = await ground();
  expect(light).not.toBe(dark);
  await page.emulateMedia({ colorScheme: 'light' });
  await choose('Dark');
  expect(await ground()).toBe(dark);
  await page.reload();
  await heading('Sign in')(page);
  expect(await ground()).toBe(dark);
});

test('c24 the practice phone is accessible in every look', async ({ page }, info) => {
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
  await page.goto('/simulator.html');
  await expect(page.getByRole('button', { name: 'Key 5' })).toBeEnabled();
  await expectAccessibleInEveryLook(page, info, 'simulator');
});
