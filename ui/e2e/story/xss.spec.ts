/** Names, titles and prompts are text: 200 texts that would be more where a page is careless are saved by the real server and shown by the real page. */
import { XSS } from '../fixtures/xss';
import type { Body } from './api';
import { post, send } from './api';
import { expect, test } from './demo';
import { elsewhere } from './desk';
import { expectQuiet, expectShown, parts, signedIn, watched } from './texts';

test.use({ story: 'xss' });

/** Texts in one prompt of at most 500 characters. */
const PER_PROMPT = 8;
/** Prompts of a card, and most widgets of a desktop. */
const FIELDS = ['card_number', 'expiry', 'security_code'] as const;
const PARTS = ['number', 'expiry', 'code'] as const;
const WIDGETS = 28;

/** The nth of them, from the beginning again after the last. */
const nth = (place: number) => XSS[place % XSS.length]!;
const some = (from: number) => Array.from({ length: PER_PROMPT }, (_, place) => nth(from + place)).join('\n');

const widget = (title: string, from: number): Body => ({
  kind: 'credit_card_basic',
  title,
  enabled: true,
  card_types: ['visa'],
  prompts: FIELDS.map((field, place) => ({ field, text: some(from + place * PER_PROMPT) })),
  translations: { de: { title, prompts: FIELDS.map((field) => ({ field, text: some(from + 3) })) } },
});

test('200 texts as names of desktops, services, recorders, users and roles are shown as text: no script runs, no policy is broken', async ({ page, desk, demo, browser }) => {
  test.slow();
  const { watch, ran } = await watched(page);
  await desk.signIn('admin');
  await page.goto('/icon.svg');
  const desktop = (name: string, place: number): Body => ({ name, service: 'standard', layout: 'extended_panel', widgets: [widget(name, place)], revision: 0 });
  const desktops = await send(page, XSS.map(desktop).map(post('/desktops')));
  const { id } = desktops[0]!.desktop as { id: string };
  const service = (name: string, place: number): Body => ({ name, numbers: [`9${place}`], route: { to: 'agents' }, desktop: id, protection: 'capture', revision: 0 });
  const services = await send(page, XSS.map(service).map(post('/services')));
  const sinks = (place: number) => ({ revision: 1, sinks: Array.from({ length: 16 }, (_, sink) => ({ name: nth(place * 16 + sink), medium: 'call', hears: 'masked' })) });
  await send(page, services.slice(0, Math.ceil(XSS.length / 16)).map((made, place) => ({ method: 'POST', path: `/services/${made.id as string}/recorders`, body: sinks(place) })));
  const user = (display_name: string, place: number): Body => ({ name: `x${place}`, display_name, roles: ['agent'], enabled: true, password: 'battery staple 7', revision: 0 });
  await send(page, XSS.map(user).map(post('/users')));
  await send(page, XSS.map((name) => post('/roles')({ name, permissions: ['payment.view'], revision: 0 })));

  for (const path of ['/configure/agents/agent-desktop', '/configure/calls/services', '/configure/agents/secure-payment-capture', '/configure/users/users', '/configure/users/roles']) {
    await page.goto(path);
    await expectShown(page, XSS);
  }
  await page.goto(`/configure/agents/agent-desktop/${id}/history`);
  await expect(page.getByRole('navigation', { name: 'You are here' })).toBeVisible();

  const auditor = await elsewhere(browser, demo);
  const atAuditor = await watched(auditor.page);
  await auditor.signIn('auditor', '/audit?days=all');
  await expect(auditor.page.getByText(`role ${XSS.at(-1)!}`).first()).toBeVisible();
  for (const each of [{ watch, ran }, atAuditor]) {
    expect(each.ran).toEqual([]);
    expect(each.watch.violations).toEqual([]);
    expect(each.watch.errors.filter((text) => !text.includes('401'))).toEqual([]);
  }
  await auditor.page.context().close();
});

test('200 texts as titles and prompts are shown to agents as text, and in the comparison of revisions', async ({ page, desk, demo, browser }) => {
  test.slow();
  const admin = await elsewhere(browser, demo);
  const atAdmin = await watched(admin.page);
  await admin.signIn('admin');
  const { watch, ran } = await watched(page);
  await desk.signIn('agent');
  await desk.takeCall();
  const path = await admin.page.evaluate(async () => {
    const { desktops } = await (await fetch('/api/v1/desktops')).json();
    return `/desktops/${desktops.find(({ name }: { name: string }) => name === 'Demo desktop').id}`;
  });
  let revision = await admin.page.evaluate(async (at) => (await (await fetch(`/api/v1${at}`)).json()).desktop.revision as number, path);
  for (let from = 0; from < XSS.length; from += FIELDS.length * PER_PROMPT) {
    const titles = Array.from({ length: WIDGETS }, (_, place) => nth(from + place));
    const form = { name: 'Demo desktop', service: 'standard', layout: 'agent_panel', widgets: titles.map((title) => widget(title, from)), revision };
    const [saved] = await send(admin.page, [{ method: 'PUT', path, body: form }]);
    revision = (saved!.desktop as { revision: number }).revision;
    await desk.button('Credit card').click();
    await expect(page.getByRole('menuitem').first()).toHaveText(titles[0]!);
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(titles);
    await page.getByRole('menuitem').first().click();
    await expect(page.getByRole('heading', { name: titles[0]!, exact: true })).toBeVisible();
    for (const [place, part] of PARTS.entries()) {
      if (place > 0) await desk.ask(part);
      await desk.listens(part);
      expect(await page.locator('q').textContent()).toBe(some(from + place * PER_PROMPT));
    }
    await desk.button('Cancel').click();
    await expect(desk.button('Credit card')).toBeEnabled();
  }
  await admin.page.goto(`/configure/agents/agent-desktop${path.replace('/desktops', '')}/history`);
  await expect(admin.page.getByRole('rowheader').first()).toBeVisible();
  await admin.page.goto(`/configure/agents/agent-desktop${path.replace('/desktops', '')}`);
  await admin.page.getByRole('button', { name: /^Edit / }).first().click();
  await expect(admin.page.getByRole('textbox', { name: 'Credit Card Text', exact: true })).toHaveValue(/alert/);
  for (const each of [{ watch, ran }, atAdmin]) {
    expect(each.ran).toEqual([]);
    expect(each.watch.violations).toEqual([]);
  }
  await admin.page.context().close();
});

/** Texts in a script of at most 2,000 characters. */
const PER_SCRIPT = 10;
const NOTES_CHARS_MAX = 2_000;

const at = (id: number, row: number, content: Body): Body => ({ id, place: { column: 1, row, width: 12, height: 2 }, content });

/** A canvas with the texts in its scripts, and notes. */
function scripted(): Body[] {
  const scripts = parts(PER_SCRIPT).map((texts) => ({ kind: 'script', text: texts.join('\n') }));
  return [{ kind: 'call_bar' }, { kind: 'control_buttons' }, { kind: 'notes' }, ...scripts].map((content, place) => at(place + 1, 1 + 2 * place, content));
}

test('200 texts as names of designer desktops, as scripts and as notes are shown as text to who designs and to agents', async ({ page, desk, demo, browser }) => {
  test.slow();
  const atAdmin = await watched(page);
  await desk.signIn('admin');
  await page.goto('/icon.svg');
  const designs = await send(page, XSS.map((name) => post('/designer-desktops')({ name })));
  const { id: design } = designs[0]!.design as { id: string };
  const [made] = await send(page, [post('/desktops')({ name: 'Designed', service: 'designer', layout: 'designer', widgets: [widget('Card', 0)], revision: 0 })]);
  const { id: desktop } = made!.desktop as { id: string };
  const { users } = (await (await page.request.get('/api/v1/users')).json()) as { users: { id: string; name: string }[] };
  await send(page, [
    { method: 'PUT', path: `/desktops/${desktop}/design`, body: { desktop_revision: 1, design, name: XSS[0], tiles: scripted(), revision: 1 } },
    { method: 'PUT', path: `/desktops/${desktop}/agents`, body: { add: users.filter(({ name }) => name === 'agent').map(({ id }) => id), remove: [] } },
  ]);

  await page.goto(`/configure/agents/agent-desktop/${desktop}`);
  await page.getByRole('tab', { name: 'Designer', exact: true }).click();
  await page.getByRole('button', { name: /Designer Desktop/ }).click();
  await expect(page.getByRole('option', { name: XSS.at(-1)!, exact: true })).toBeAttached();
  expect((await page.getByRole('option').allTextContents()).sort()).toEqual([...XSS].sort());
  await page.keyboard.press('Escape');
  await page.goto(`/configure/agents/agent-desktop/designs/${design}/history`);
  await expect(page.getByRole('rowheader').first()).toBeVisible();
  await expectShown(page, XSS);

  const agent = await signedIn(browser, demo, 'agent');
  await expect(agent.page.getByRole('region', { name: 'Script' })).toHaveText(parts(PER_SCRIPT).map((texts) => texts.join('\n')));
  const notes = agent.page.getByRole('textbox', { name: 'Notes' });
  const text = XSS.join('\n');
  for (let from = 0; from < text.length; from += NOTES_CHARS_MAX) {
    await notes.fill(text.slice(from, from + NOTES_CHARS_MAX));
    await expect(notes).toHaveValue(text.slice(from, from + NOTES_CHARS_MAX));
  }
  expectQuiet(atAdmin, agent.seen);
  await agent.page.context().close();
});
