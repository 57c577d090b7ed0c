/** What people type about payments and what a gateway answers is text: to the agent, in payments and in the trail. */
import type { Browser, Page } from '@playwright/test';
import { XSS } from '../fixtures/xss';
import { post, send } from './api';
import type { Demo } from './demo';
import { expect, test } from './demo';
import { TITLES, elsewhere } from './desk';
import type { Watched } from './texts';
import { expectQuiet, expectShown, parts, signedIn, watched } from './texts';

test.use({ story: 'xss-payments', actionTimeout: 15_000 });

/** Texts in a reason of at most 500 characters. */
const PER_REASON = 8;

/** Of each way out one text, so that three make a description and one a name. */
const PICKED = XSS.filter((_, place) => place % 22 === 0);

test('texts that an agent types for a payment and that a gateway answers with are shown as text: to the agent, in payments and in the trail', async ({ page, desk, demo, simulator, browser }) => {
  test.slow();
  const atAgent = await watched(page);
  await desk.open(TITLES.cardAdvanced);
  const rounds = [PICKED.slice(0, 3), PICKED.slice(3, 6), PICKED.slice(6, 9)];
  const messages = rounds.map((texts) => texts.join(' '));
  for (const [round, texts] of rounds.entries()) {
    const message = messages[round]!;
    if (round > 0) {
      await desk.button('Try another card').click();
      await expect(desk.row('number')).toHaveAttribute('data-state', /idle|waiting/);
    }
    await desk.fill('12.00');
    await desk.tab('Demographic').click();
    for (const [place, name] of ['First name', 'Last name'].entries()) await page.getByRole('tabpanel').getByRole('textbox', { name }).fill(texts[place]!);
    await desk.tab('Payment').click();
    await page.getByRole('textbox', { name: 'Description' }).fill(message);
    await page.getByRole('tabpanel').getByRole('textbox', { name: 'Reference' }).fill(texts[0]!.slice(0, 50));
    if ((await desk.row('number').getAttribute('aria-current')) !== 'true') await desk.ask('number');
    await desk.captureCard();
    await simulator.script('decline_with_description');
    await desk.process();
    await expect(desk.outcome).toContainText(message);
  }

  const office = await signedIn(browser, demo, 'supervisor', '/payments?days=week');
  for (const message of messages) await expect(office.page.getByText(message, { exact: true }).first()).toBeAttached();
  const row = office.page.getByRole('row').filter({ hasText: messages[0]! });
  await row.click();
  await expect(office.page.getByRole('dialog').getByText(messages[0]!, { exact: true })).toBeVisible();
  const auditor = await signedIn(browser, demo, 'auditor', '/audit?days=all');
  await expect(auditor.page.getByRole('row').nth(1)).toBeVisible();
  expectQuiet(atAgent, office.seen, auditor.seen);
  for (const one of [office, auditor]) await one.page.context().close();
});

/** Reasons of at least three and at most 500 characters, every text in one of them. */
const REASONS = parts(PER_REASON).map((texts) => texts.join('\n'));

test('200 texts as reasons of proposals, rejections, approvals and withdrawals are shown as text to both people and to the auditor', async ({ desk, demo, simulator, browser }) => {
  test.slow();
  await desk.open(TITLES.cardAdvanced);
  await desk.fill('41.00');
  await simulator.script('never_answer');
  await desk.ask('number');
  await desk.captureCard();
  await desk.process();
  await expect(desk.outcome).toContainText('Do NOT take this payment again', { timeout: 15_000 });
  const reference = await desk.outcome.getByRole('code').innerText();

  const one = await signedIn(browser, demo, 'supervisor', '/payments?days=week');
  const other = await signedIn(browser, demo, 'supervisor2', '/payments?days=week');
  const { payments } = (await (await one.page.request.get('/api/v1/payments')).json()) as { payments: { payment: { attempt: string; reference: string } }[] };
  const { attempt } = payments.find(({ payment }) => payment.reference === reference)!.payment;
  for (const [place, reason] of REASONS.entries()) {
    if (place % 2 === 0) await send(one.page, [post(`/payments/${attempt}/proposal`)({ outcome: 'declined', reason })]);
    else await send(other.page, [post(`/payments/${attempt}/proposal/reject`)({ reason })]);
  }
  for (const { page } of [one, other]) {
    await page.reload();
    await page.getByRole('row', { name: reference }).click();
    const drawer = page.getByRole('dialog', { name: `Payment ${reference}` });
    await expect(drawer.getByRole('listitem').filter({ hasText: XSS.at(-1)! }).first()).toBeVisible();
    const shown = (await drawer.textContent()) ?? '';
    expect(XSS.filter((text) => !shown.includes(text))).toEqual([]);
  }
  const auditor = await signedIn(browser, demo, 'auditor', '/audit?days=all&action=unknown_rejected');
  await expectShown(auditor.page, REASONS.filter((_, place) => place % 2 === 1).flatMap((reason) => reason.split('\n')));

  const seen = [one.seen, other.seen, auditor.seen, await approvals(browser, demo, auditor.page)];
  expectQuiet(...seen);
  for (const { page } of [one, other, auditor]) await page.context().close();
});

/** Another administrator, past the first password. */
async function secondAdministrator(browser: Browser, demo: Demo, admin: Page): Promise<Page> {
  const [first, own] = ['battery staple 7', 'battery staple 8'];
  await send(admin, [post('/users')({ name: 'editor', display_name: 'Editor', roles: ['security_admin', 'desktop_admin'], enabled: true, password: first, revision: 0 })]);
  const { page } = await elsewhere(browser, demo);
  await page.goto('/');
  await page.getByRole('textbox', { name: 'User name' }).fill('editor');
  await page.getByLabel('Password', { exact: true }).fill(first);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Current password').fill(first);
  await page.getByLabel('New password', { exact: true }).fill(own);
  await page.getByLabel('New password again').fill(own);
  await page.getByRole('button', { name: 'Save password' }).click();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  return page;
}

type WithGateway = { id: string; design: unknown; widgets: { gateway: { service_url: string } | null }[] };

/** A host that another administrator's desktop sends to is approved and withdrawn, with every text. */
async function approvals(browser: Browser, demo: Demo, auditor: Page): Promise<Watched> {
  const admin = await signedIn(browser, demo, 'admin');
  await admin.page.goto('/icon.svg');
  const editor = await secondAdministrator(browser, demo, admin.page);
  const { desktops } = (await (await editor.request.get('/api/v1/desktops')).json()) as { desktops: { id: string; name: string }[] };
  const [copy] = await send(editor, [post(`/desktops/${desktops.find(({ name }) => name === 'Demo desktop')!.id}/duplicate`)({ name: 'Elsewhere' })]);
  const { id, design: _, ...form } = copy!.desktop as WithGateway;
  for (const { gateway } of form.widgets) if (gateway) gateway.service_url = 'https://pay.example/charge';
  await send(editor, [{ method: 'PUT', path: `/desktops/${id}`, body: form }]);
  await editor.context().close();

  const password = demo.passwords.admin;
  await send(admin.page, REASONS.map((reason, place) => post(`/gateway-hosts/${place % 2 === 0 ? 'approve' : 'withdraw'}`)({ authority: 'pay.example:443', reason, password })));
  const told = (odd: number) => REASONS.filter((__, place) => place % 2 === odd).flatMap((reason) => reason.split('\n'));
  await admin.page.goto('/configure/agents/secure-payment-capture');
  await expectShown(admin.page, REASONS.at(-1)!.split('\n'));
  for (const [odd, action] of ['host_approved', 'host_withdrawn'].entries()) {
    await auditor.goto(`/audit?days=all&action=${action}`);
    await expectShown(auditor, told(odd));
  }
  return admin.seen;
}
