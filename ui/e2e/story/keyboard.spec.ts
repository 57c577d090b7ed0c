/** Everything by keyboard alone: no test of this file may click, and no event of a pointer may reach a page of it. */
import { expect, test } from './demo';
import { Desk, TITLES } from './desk';
import { DESKTOP } from './editor';
import { Keys } from './keys';

test.use({ story: 'keyboard' });

const WIDGET = 'Card by keys';

async function openDesktop(admin: Keys): Promise<void> {
  const { page } = admin;
  await admin.enter(page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }));
  const row = page.getByRole('row', { name: new RegExp(`^${DESKTOP}`) });
  await expect(row).toBeVisible();
  await admin.enter(row);
  await expect(page.getByRole('heading', { name: DESKTOP, level: 1 })).toBeVisible();
}

/** Selected, opened, filled in, put first, saved. */
async function addWidget(admin: Keys): Promise<void> {
  const { page } = admin;
  const panel = page.getByRole('tab', { selected: true });
  await admin.to(panel);
  await admin.arrowTo(page.getByRole('tab', { name: 'Extended Panel' }), 'ArrowRight');
  const option = page.getByRole('option', { name: 'Credit Card Basic' });
  await admin.to(page.getByRole('option').first());
  await admin.arrowTo(option);
  await admin.press('Enter');
  const sheet = page.getByRole('dialog');
  await admin.write(sheet.getByRole('textbox', { name: 'Window Title' }), WIDGET);
  for (const name of ['Enabled', 'Visa', 'Master Card']) await admin.check(sheet.getByRole('checkbox', { name }));
  await admin.enter(sheet.getByRole('button', { name: 'OK', exact: true }));
  await expect(sheet).toHaveCount(0);

  const list = page.getByRole('grid', { name: 'Widgets of this desktop' });
  const titles = list.getByRole('row').locator('strong');
  await admin.to(list.getByRole('row').first());
  await admin.arrowTo(list.getByRole('row', { name: WIDGET }));
  const places = await titles.count();
  for (let place = 1; place < places; place += 1) await admin.press('Alt+ArrowUp');
  await expect(titles.first()).toHaveText(WIDGET);

  await admin.enter(admin.button('Save'));
  const summary = page.getByRole('dialog', { name: 'What this save changes' });
  await admin.enter(summary.getByRole('button', { name: 'Save', exact: true }));
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
}

/** Not ready and ready again, with the arrows of the list. */
async function leaveAndComeBack(agent: Keys): Promise<void> {
  const calls = agent.page.getByRole('button', { name: /Calls for me/ });
  const choose = async (state: string, key: string) => {
    await agent.enter(calls);
    await expect(agent.page.getByRole('option').first()).toBeVisible();
    await agent.press(key, 'Enter');
    await expect(calls).toContainText(state);
  };
  await choose('Not ready: break', 'ArrowDown');
  await choose('Ready', 'ArrowUp');
}

/** One of the widgets behind Alt+1. */
async function open(agent: Keys, desk: Desk, title: string): Promise<void> {
  await agent.press('Alt+1');
  const item = agent.page.getByRole('menuitem', { name: title });
  await expect(item).toBeVisible();
  await agent.arrowTo(item);
  await agent.press('Enter');
  await expect(agent.page.getByRole('region', { name: title }).getByText('Protected capture')).toBeVisible();
  await expect(desk.callBar).toContainText('Line: protected');
}

test('everything by keyboard alone: sign in, add a widget and put it first, save, be not ready and ready, take a card, show it, charge another, sign out', async ({ page, demo, simulator, browser, shot }) => {
  test.slow();
  const admin = await Keys.at(page);
  await admin.signIn('admin', demo.passwords.admin);
  await openDesktop(admin);
  await addWidget(admin);
  await shot('keyboard-editor');
  await admin.signOut();

  const agent = await Keys.elsewhere(browser, demo);
  const desk = new Desk(agent.page, demo);
  await agent.signIn('agent', demo.passwords.agent);
  await leaveAndComeBack(agent);
  await desk.takeCall();

  // The new widget is the first of the menu.
  await agent.press('Alt+1');
  await expect(agent.page.getByRole('menuitem').first()).toHaveText(WIDGET);
  await agent.press('Escape');
  await open(agent, desk, WIDGET);
  await desk.capture('number');
  await agent.press('Escape');
  await agent.enter(agent.button('Yes, discard'));
  await expect(agent.page.getByRole('region', { name: WIDGET })).toHaveCount(0);

  await open(agent, desk, TITLES.cardAdvanced);
  await agent.to(desk.tab('Demographic'));
  for (const [name, text] of [['First name', 'Jane'], ['Last name', 'Roe']] as const) await agent.write(agent.page.getByRole('tabpanel').getByRole('textbox', { name }), text);
  await agent.press('Alt+n');
  await agent.write(agent.page.getByRole('textbox', { name: 'Amount' }), '12.50');
  await agent.press('Alt+n');
  await desk.captureCard();
  await agent.press('Control+Enter');
  await agent.enter(agent.page.getByRole('button', { name: /^Yes, / }));
  await expect(desk.outcome).toContainText('Approved');
  await shot('keyboard-approved', agent.page);
  await agent.enter(agent.button('Close'));
  await expect(desk.widget(TITLES.cardAdvanced)).toHaveCount(0);
  await agent.enter(agent.button('End'));
  await expect(desk.callBar.getByText('No call', { exact: true })).toBeVisible();
  await simulator.hangUp();
  await agent.signOut();
  expect([...admin.pointed, ...agent.pointed]).toEqual([]);
  await agent.page.context().close();
});
