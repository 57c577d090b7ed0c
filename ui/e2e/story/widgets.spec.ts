/** The four widgets: what the administrator typed is what the agent has on screen, from opening to Cancel. */
import { expect, test } from './demo';
import { Desk, ROWS, TITLES } from './desk';
import { editWidget, openDesktop, saveDesktop } from './editor';
import type { Part } from './simulator';

test.use({ story: 'widgets' });
// The later tests meet what the first one saved.
test.describe.configure({ mode: 'serial' });

const LABELS: Record<Part, string> = {
  number: 'Credit Card Text',
  expiry: 'Expiry Text',
  code: 'Security Text',
  routing: 'Check Routing Text',
  account: 'Check Account Text',
};
const CARD: readonly Part[] = ['number', 'expiry', 'code'];
const CHECK: readonly Part[] = ['routing', 'account'];

type Kind = { before: string; title: string; button: 'Credit card' | 'Check'; parts: readonly Part[]; advanced: boolean };
const CARD_BASIC: Kind = { before: TITLES.cardBasic, title: 'Card to CRM', button: 'Credit card', parts: CARD, advanced: false };
const CHECK_BASIC: Kind = { before: TITLES.checkBasic, title: 'Bank to CRM', button: 'Check', parts: CHECK, advanced: false };
const CARD_ADVANCED: Kind = { before: TITLES.cardAdvanced, title: 'Pay by card', button: 'Credit card', parts: CARD, advanced: true };
const CHECK_ADVANCED: Kind = { before: TITLES.checkAdvanced, title: 'Pay by bank', button: 'Check', parts: CHECK, advanced: true };
const ALL = [CARD_BASIC, CHECK_BASIC, CARD_ADVANCED, CHECK_ADVANCED];

const promptOf = (kind: Kind, part: Part) => `For ${kind.title}, kindly key this: ${ROWS[part]}.`;

test('n9 w12 w18 w52 w76 titles, prompts and card types of all four are there again after Save and a reload', async ({ page, desk }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  for (const kind of ALL) {
    await editWidget(page, kind.before, async (sheet) => {
      await sheet.getByRole('textbox', { name: 'Window Title' }).fill(kind.title);
      for (const part of kind.parts) await sheet.getByRole('textbox', { name: LABELS[part] }).fill(promptOf(kind, part));
      if (kind.button === 'Credit card') await sheet.getByRole('checkbox', { name: 'Discover' }).uncheck({ force: true });
    });
  }
  await saveDesktop(page);
  await page.reload();
  for (const kind of ALL) {
    await page.getByRole('button', { name: `Edit ${kind.title}` }).click();
    const sheet = page.getByRole('dialog');
    await expect(sheet.getByRole('textbox', { name: 'Window Title' })).toHaveValue(kind.title);
    for (const part of kind.parts) await expect(sheet.getByRole('textbox', { name: LABELS[part] })).toHaveValue(promptOf(kind, part));
    if (kind.button === 'Credit card') {
      for (const brand of ['Visa', 'Master Card', 'American Express']) await expect(sheet.getByRole('checkbox', { name: brand })).toBeChecked();
      await expect(sheet.getByRole('checkbox', { name: 'Discover' })).not.toBeChecked();
    }
    await sheet.getByRole('button', { name: 'Cancel' }).click();
  }
});

/** Opens the widget from the menu of its button; the line is protected. */
async function openKind(desk: Desk, kind: Kind): Promise<void> {
  await desk.signIn('agent');
  await desk.takeCall();
  await desk.button(kind.button).click();
  const titles = ALL.filter((other) => other.button === kind.button).map(({ title }) => title);
  const items = desk.page.getByRole('menuitem');
  await expect(items).toHaveCount(titles.length);
  expect((await items.allInnerTexts()).sort()).toEqual(titles.sort());
  await desk.page.getByRole('menuitem', { name: kind.title }).click();
  await expect(desk.page.getByRole('heading', { name: kind.title })).toBeVisible();
  await expect(desk.page.getByText('Protected capture')).toBeVisible();
}

async function expectPrompts(desk: Desk, kind: Kind): Promise<void> {
  for (const [place, part] of kind.parts.entries()) {
    if (kind.advanced || place > 0) await desk.ask(part);
    await desk.listens(part);
    await expect(desk.page.getByText(promptOf(kind, part))).toBeVisible();
    for (const other of kind.parts) if (other !== part) await expect(desk.page.getByText(promptOf(kind, other))).toHaveCount(0);
  }
}

/** Nothing was keyed, so nothing is asked. */
async function expectCancelled(desk: Desk, kind: Kind): Promise<void> {
  await desk.button('Cancel').click();
  await expect(desk.page.getByRole('heading', { name: kind.title })).toHaveCount(0);
  await expect(desk.callBar).toContainText('Line: normal');
  await expect(desk.button(kind.button)).toBeEnabled();
}

test('c4 a3 w2 w4 w5 w6 w7 b1 b4 b6 b8 Credit Card Basic has its title, its prompts and its card types at the agent', async ({ page, desk }) => {
  await openKind(desk, CARD_BASIC);
  await expect(page.getByText('Accepted: Visa · Master Card · American Express', { exact: true })).toBeVisible();
  await expectPrompts(desk, CARD_BASIC);
  await expectCancelled(desk, CARD_BASIC);
});

test('c4 a3 w14 w16 w17 b10 b11 b12 b14 Check Basic has its title and its prompts at the agent, and Cancel closes it', async ({ desk }) => {
  await openKind(desk, CHECK_BASIC);
  await expectPrompts(desk, CHECK_BASIC);
  await expectCancelled(desk, CHECK_BASIC);
});

test('c4 a3 w21 w24 w25 w26 w27 w28 w29 w30 v1 v6 v7 v8 v27 Credit Card Advanced has its title, its prompts, its card types and its tabs at the agent, and Cancel closes it', async ({ page, desk }) => {
  await openKind(desk, CARD_ADVANCED);
  await expectTabs(desk);
  await expect(page.getByText('Accepted: Visa · Master Card · American Express', { exact: true })).toBeVisible();
  await expectPrompts(desk, CARD_ADVANCED);
  await expectCancelled(desk, CARD_ADVANCED);
});

test('c4 a3 w55 w58 w59 v15 v16 v18 v19 v20 v21 Check Advanced has its title, its prompts and its tabs at the agent, Next and Back walk it, and Cancel closes it', async ({ desk }) => {
  await openKind(desk, CHECK_ADVANCED);
  await expectTabs(desk);
  await expectPrompts(desk, CHECK_ADVANCED);
  await desk.button('Next').click();
  await expect(desk.tab('Status')).toHaveAttribute('aria-selected', 'true');
  for (const part of [...CHECK].reverse()) {
    await desk.button('Back').click();
    await desk.listens(part);
  }
  await expectCancelled(desk, CHECK_ADVANCED);
});

/** Demographic takes billing information, Payment what is to be paid, Status says how each field stands. The widget is left at Payment. */
async function expectTabs(desk: Desk): Promise<void> {
  const panel = desk.page.getByRole('tabpanel');
  await desk.fill('12.50');
  await desk.tab('Status').click();
  for (const name of ['Amount', 'First name']) await expect(panel.getByRole('textbox', { name })).toHaveCount(0);
  await expect(panel).toContainText('not sent');
  await desk.tab('Demographic').click();
  await expect(panel.getByRole('textbox', { name: 'First name' })).toHaveValue('Jane');
  await desk.tab('Payment').click();
  await expect(panel.getByRole('textbox', { name: 'Amount' })).toHaveValue('12.50');
}

test('c4 a1 w3 w15 w22 w56 only an enabled widget has a button: one of a kind opens directly, none of a kind has none', async ({ page, desk, demo, browser }) => {
  const context = await browser.newContext({ baseURL: demo.page });
  const agent = new Desk(await context.newPage(), demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await desk.signIn('admin');
  await openDesktop(page);
  const disable = async (kind: Kind) => {
    await editWidget(page, kind.title, (sheet) => sheet.getByRole('checkbox', { name: 'Enabled' }).uncheck({ force: true }));
    await saveDesktop(page);
  };
  await disable(CHECK_BASIC);
  await agent.button('Check').click();
  await expect(agent.page.getByRole('heading', { name: CHECK_ADVANCED.title })).toBeVisible();
  await expect(agent.page.getByText('Protected capture')).toBeVisible();
  await expectCancelled(agent, CHECK_ADVANCED);
  await disable(CHECK_ADVANCED);
  await expect(agent.button('Check')).toHaveCount(0);
  await expect(agent.button('Credit card')).toBeEnabled();
  await disable(CARD_ADVANCED);
  await disable(CARD_BASIC);
  await expect(agent.button('Credit card')).toHaveCount(0);
  await context.close();
});
