/** The two ways to payment widgets: a standard desktop, and a designer desktop with its canvas. Click by click, each step read anew. */
import type { Browser, Locator, Page } from '@playwright/test';
import type { Demo } from './demo';
import { expect, test } from './demo';
import { Desk } from './desk';

test.use({ story: 'designer' });

const WIDGET = 'Card by phone';

const list = (page: Page) => page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' });
const layout = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });
const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true });
const widgets = (page: Page) => page.getByRole('grid', { name: 'Widgets of this desktop' }).getByRole('row').locator('strong');
const tile = (page: Page, name: string) => page.getByRole('button', { name: new RegExp(`^${name}, column `) });

async function newDesktop(page: Page, name: string, service: string): Promise<void> {
  await page.getByRole('button', { name: 'New desktop' }).click();
  const sheet = page.getByRole('dialog', { name: 'New agent desktop' });
  await sheet.getByRole('textbox', { name: 'Name' }).fill(name);
  await sheet.getByRole('radio', { name: service }).check({ force: true });
  await sheet.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

/** From the list, by a double click. */
async function openByDoubleClick(page: Page, name: string): Promise<void> {
  await list(page).click();
  await page.reload();
  await page.getByRole('row', { name: new RegExp(`^${name}`) }).dblclick();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  await page.reload();
}

/** Save; agents who work with the desktop are told of before. */
async function save(page: Page, { agents = false } = {}): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  if (agents) await page.getByRole('dialog', { name: 'What this save changes' }).getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
  await page.reload();
}

async function choose(page: Page, name: string, options?: { agents: boolean }): Promise<void> {
  await layout(page, name).check({ force: true });
  await save(page, options);
  await expect(layout(page, name)).toBeChecked();
}

async function addWidget(page: Page): Promise<void> {
  await tab(page, 'Extended Panel').click();
  await page.getByRole('option', { name: 'Credit Card Basic' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill(WIDGET);
  await sheet.getByRole('checkbox', { name: 'Enabled' }).check({ force: true });
  for (const type of ['Visa', 'Master Card']) await sheet.getByRole('checkbox', { name: type }).check({ force: true });
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(sheet).toHaveCount(0);
}

/** Identities of the desktop's widgets, as the server has them: a widget that was made anew has another. */
async function identities(page: Page): Promise<string[]> {
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const { desktop } = (await (await page.request.get(`/api/v1/desktops/${id}`)).json()) as { desktop: { widgets: { id: string }[] } };
  return desktop.widgets.map((widget) => widget.id);
}

async function assignAgent(page: Page, desktop: string): Promise<void> {
  const back = page.url();
  await list(page).click();
  await page.getByRole('button', { name: `Actions: ${desktop}`, exact: true }).click();
  await page.getByRole('menuitem', { name: 'Assign' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('textbox', { name: 'Search agents' }).fill('agent');
  await sheet.getByRole('checkbox').first().check({ force: true });
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(sheet).toHaveCount(0);
  await page.goto(back);
}

/** An agent at another browser. */
async function agentElsewhere(browser: Browser, demo: Demo): Promise<Desk> {
  const context = await browser.newContext({ baseURL: demo.page });
  const agent = new Desk(await context.newPage(), demo);
  await agent.signIn('agent');
  return agent;
}

const opened = (agent: Desk): Locator => agent.page.getByRole('region', { name: WIDGET });

/** The same in every layout: a call, the button, the widget, a card number that is obtained. */
async function takesACard(agent: Desk, demo: Demo, look: () => Promise<void> = async () => undefined): Promise<void> {
  await agent.takeCall();
  await expect(opened(agent)).toHaveCount(0);
  await agent.button('Credit card').click();
  await expect(opened(agent).getByText('Protected capture')).toBeVisible();
  await agent.capture('number');
  await look();
  await demo.simulator.hangUp();
  await agent.button('Yes, resume').click();
  await agent.button('Close').click();
  await expect(opened(agent)).toHaveCount(0);
}

test('c22 i1 i2 i3 i4 i5 i6 i7 i8 i19 p6 p7 a6 flow 1: widgets of a standard desktop are added under the extended panel and stay in the Agent Panel', async ({ page, desk, demo, browser, shot }) => {
  test.setTimeout(180_000);
  await desk.signIn('admin');
  await newDesktop(page, 'Front desk', 'Standard agent');
  await openByDoubleClick(page, 'Front desk');
  await expect(layout(page, 'Agent Panel + Designer')).toBeDisabled();
  await expect(tab(page, 'Designer')).toHaveCount(0);
  await choose(page, 'Agent Panel + Extended Panel');
  await addWidget(page);
  await save(page);
  await expect(widgets(page)).toHaveText([WIDGET]);
  const first = await identities(page);
  await assignAgent(page, 'Front desk');
  const agent = await agentElsewhere(browser, demo);
  await expect(agent.button(WIDGET)).toBeDisabled();
  await takesACard(agent, demo, () => shot('agent-extended-panel', agent.page));

  await choose(page, 'Agent Panel', { agents: true });
  await expect(widgets(page)).toHaveText([WIDGET]);
  expect(await identities(page)).toEqual(first);
  await expect(agent.button(WIDGET)).toHaveCount(0);
  await agent.page.reload();
  await takesACard(agent, demo, () => shot('agent-agent-panel', agent.page));
  await agent.page.context().close();
});

test('c22 i1 i9 i10 i11 i12 i13 i14 i15 i16 i17 i18 i19 p8 a6 s1 s7 flow 2: a designer desktop gets its widgets, its design and its canvas, and the agent works with it', async ({ page, desk, demo, browser, shot }) => {
  test.setTimeout(180_000);
  await desk.signIn('admin');
  // Designs that are older than any widget of the desktop.
  await newDesktop(page, 'Design desk', 'Designer desktop');
  await expect(tab(page, 'Designer')).toHaveCount(0);
  await choose(page, 'Agent Panel + Designer');
  await tab(page, 'Designer').click();
  for (const name of ['Billing UK', 'Billing US']) {
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'OK', exact: true }).click();
    await expect(page.getByRole('button', { name: /Designer Desktop/ })).toContainText(name);
  }

  await list(page).click();
  await page.getByRole('row', { name: /^Demo desktop/ }).dblclick();
  await page.getByRole('button', { name: /Desktops/ }).click();
  await page.getByRole('option', { name: 'Design desk' }).click();
  await expect(page.getByRole('heading', { name: 'Design desk', level: 1 })).toBeVisible();
  await page.reload();
  await choose(page, 'Agent Panel + Extended Panel');
  await expect(tab(page, 'Designer')).toHaveCount(0);
  await addWidget(page);
  await save(page);
  await expect(widgets(page)).toHaveText([WIDGET]);
  const first = await identities(page);
  await choose(page, 'Agent Panel + Designer');
  await expect(widgets(page)).toHaveText([WIDGET]);

  await tab(page, 'Designer').click();
  await page.reload();
  await tab(page, 'Designer').click();
  await page.getByRole('button', { name: /Designer Desktop/ }).click();
  await page.getByRole('option', { name: 'Billing UK' }).click();
  for (const name of ['Control buttons', 'Card payment', 'Bank payment']) {
    await tile(page, name).click();
    await page.getByRole('button', { name: `Remove ${name}` }).click();
  }
  await page.getByRole('button', { name: 'Save Agent Desktop' }).click();
  await expect(page.getByText('The design had no control buttons. They were added under the call bar.')).toBeVisible();
  await shot('designer-saved');
  await page.reload();
  await tab(page, 'Designer').click();
  await expect(page.getByRole('button', { name: /Designer Desktop/ })).toContainText('Billing UK');
  await expect(tile(page, 'Control buttons')).toBeVisible();
  await expect(tile(page, 'Card payment')).toHaveCount(0);

  await assignAgent(page, 'Design desk');
  const agent = await agentElsewhere(browser, demo);
  await takesACard(agent, demo, () => shot('agent-designer-without-tile', agent.page));

  await tab(page, 'Designer').click();
  await drawAndSave(page);
  await shot('designer-tab');
  await page.reload();
  await tab(page, 'Designer').click();
  await expect(tile(page, 'Card payment')).toHaveAccessibleName('Card payment, column 5, row 5, 6 wide, 13 high');
  await expect(agent.page.getByText('Card payments open here.')).toBeVisible();
  await agent.page.getByRole('textbox', { name: 'Notes on this call' }).fill('Wants the receipt by letter');
  await expect(agent.page.getByRole('region', { name: 'Script' })).toContainText('Thank you for calling.');
  await takesACard(agent, demo, () => shot('agent-designer', agent.page));

  for (const name of ['Agent Panel', 'Agent Panel + Extended Panel', 'Agent Panel + Designer']) {
    await choose(page, name, { agents: true });
    expect(await identities(page), name).toEqual(first);
  }
  await tab(page, 'Designer').click();
  await expect(tile(page, 'Card payment')).toHaveAccessibleName('Card payment, column 5, row 5, 6 wide, 13 high');
  await agent.page.context().close();
});

/** A card payment by drag, moved and resized by keys; notes by mouse; a script. */
async function drawAndSave(page: Page): Promise<void> {
  const said = page.getByRole('status');
  const canvas = page.locator('[data-tile]').first().locator('..');
  await canvas.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const from = (await page.getByRole('button', { name: 'Add Card payment' }).boundingBox())!;
  const to = (await canvas.boundingBox())!;
  await page.mouse.move(from.x + 20, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width * 0.4, to.y + 28 * 5 + 8, { steps: 8 });
  await page.mouse.up();
  await expect(said.filter({ hasText: 'Added: Card payment, column 5, row 6, 8 wide, 12 high' })).toBeVisible();

  await tile(page, 'Card payment').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowUp');
  await expect(said.filter({ hasText: /^Card payment, column 5, row 5, 8 wide, 12 high$/ })).toBeVisible();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Enter');
  await expect(said.filter({ hasText: 'Dropped: Card payment, column 5, row 5, 6 wide, 13 high' })).toBeVisible();
  await expect(tile(page, 'Card payment')).toBeFocused();

  await page.getByRole('button', { name: 'Add Notes' }).click();
  const notes = tile(page, 'Notes');
  await notes.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const before = (await notes.boundingBox())!;
  await page.mouse.move(before.x + 30, before.y + 12);
  await page.mouse.down();
  await page.mouse.move(before.x + 30, before.y - 28 * 3 + 12, { steps: 6 });
  await page.mouse.up();
  await expect(said.filter({ hasText: /^Dropped: Notes, column 1, row/ })).toBeVisible();

  await page.getByRole('button', { name: 'Add Script' }).click();
  await page.getByRole('dialog', { name: 'Script' }).getByRole('textbox', { name: 'Text' }).fill('Thank you for calling.\nHow can I help you?');
  await page.getByRole('dialog', { name: 'Script' }).getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByRole('dialog', { name: 'Script' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Save Agent Desktop' }).click();
  await expect(page.getByText('Saved. Agents get it when no payment is open.')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}
