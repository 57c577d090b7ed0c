/** The four Add screens at a real server: what was set is there again after OK, Save and a reload, field by field. */
import type { Locator, Page } from '@playwright/test';
import { send } from './api';
import { expect, test } from './demo';
import { Desk } from './desk';
import { SCREENS, TABS } from './fields';
import type { Tab } from './fields';

test.use({ story: 'fields' });

type Screen = (typeof SCREENS)[number];

/** The editor with all four saved and loaded anew; shared, for the tests only look. */
let page: Page;

async function openTab(sheet: Locator, { kind }: Screen, tab: Tab): Promise<void> {
  if (kind.endsWith('Advanced')) await sheet.getByRole('tab', { name: tab }).click();
  if (tab !== 'Message Config') return;
  const more = sheet.getByRole('button', { name: 'More', exact: true });
  if ((await more.getAttribute('aria-expanded')) !== 'true') await more.click();
}

const tabsOf = ({ fields }: Screen) => TABS.filter((tab) => fields.some((field) => field.tab === tab));

/** Add, every field as it is to be, OK. */
async function add(screen: Screen): Promise<void> {
  await page.getByRole('listbox', { name: 'Available Widgets' }).getByRole('option', { name: screen.kind }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const sheet = page.getByRole('dialog');
  await expect(sheet.getByRole('heading', { name: screen.kind })).toBeVisible();
  for (const tab of tabsOf(screen)) {
    await openTab(sheet, screen, tab);
    for (const field of screen.fields) if (field.tab === tab) await field.set(sheet, page);
  }
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(sheet).toHaveCount(0);
}

test.beforeAll(async ({ browser, demo }) => {
  test.setTimeout(180_000);
  page = await (await browser.newContext({ baseURL: demo.page })).newPage();
  await new Desk(page, demo).signIn('admin');
  const body = { name: 'Every field', service: 'standard', layout: 'extended_panel', widgets: [], revision: 0 };
  const [made] = await send(page, [{ method: 'POST', path: '/desktops', body }]);
  await page.goto(`/configure/agents/agent-desktop/${(made!.desktop as { id: string }).id}`);
  for (const screen of SCREENS) await add(screen);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
  await page.reload();
});
test.afterAll(() => page.context().close());

/** A widget's row in the list behind the screens. */
const rowOf = ({ kind }: Screen) => page.getByRole('row', { includeHidden: true }).filter({ has: page.getByText(kind, { exact: true }) });

/** The screen of a widget; one that is open already stays. */
async function opened(screen: Screen): Promise<Locator> {
  const sheet = page.getByRole('dialog');
  const heading = sheet.getByRole('heading', { name: screen.kind });
  if (await heading.isVisible()) return sheet;
  if (await sheet.isVisible()) await sheet.getByRole('button', { name: 'Cancel' }).click();
  await rowOf(screen).getByRole('button', { name: /^Edit / }).click();
  await expect(heading).toBeVisible();
  return sheet;
}

for (const screen of SCREENS) {
  for (const tab of tabsOf(screen)) {
    for (const field of screen.fields.filter((field) => field.tab === tab)) {
      test(`${field.rows} ${screen.kind}: ${field.label} is there again after Save and a reload`, async () => {
        const sheet = await opened(screen);
        await openTab(sheet, screen, tab);
        await field.shown(sheet);
      });
    }
  }

  const { purpose, ok, tabs, noCards } = screen.rows;
  test(`${purpose} ${screen.kind}: the screen as a whole is there again`, async () => {
    const sheet = await opened(screen);
    for (const tab of tabsOf(screen)) {
      await openTab(sheet, screen, tab);
      for (const field of screen.fields) if (field.tab === tab) await field.shown(sheet);
    }
  });

  test(`n5 n6 p10 ${ok} ${screen.kind}: Add opened its screen, OK closed it, and its row is there`, async () => {
    await expect(rowOf(screen)).toHaveCount(1);
    await expect(rowOf(screen)).toContainText('Enabled');
  });

  if (tabs) {
    test(`${tabs} ${screen.kind}: the three tabs`, async () => {
      await expect((await opened(screen)).getByRole('tab')).toHaveText(TABS);
    });
  }
  if (noCards) {
    test(`${noCards} ${screen.kind}: no card types`, async () => {
      const sheet = await opened(screen);
      await openTab(sheet, screen, 'Message Config');
      await expect(sheet.getByRole('textbox', { name: 'Check Routing Text' })).toBeVisible();
      await expect(sheet.getByRole('group', { name: 'Credit Card Types' })).toHaveCount(0);
    });
  }
}

for (const [row, kind] of [['w20', 'Credit Card Advanced'], ['w54', 'Check Advanced']] as const) {
  test(`${row} ${kind}: enabled without a gateway, OK adds nothing and says what is missing`, async () => {
    const sheet = page.getByRole('dialog');
    if (await sheet.isVisible()) await sheet.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('listbox', { name: 'Available Widgets' }).getByRole('option', { name: kind }).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await sheet.getByRole('textbox', { name: 'Window Title' }).fill('Without a gateway');
    await sheet.getByRole('checkbox', { name: 'Enabled', exact: true }).check({ force: true });
    if (kind.startsWith('Credit')) await sheet.getByRole('checkbox', { name: 'Visa', exact: true }).check({ force: true });
    await sheet.getByRole('button', { name: 'OK', exact: true }).click();
    await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
    for (const label of ['Service URL', 'Response Success Key', 'Response Success Value']) await expect(sheet.getByRole('textbox', { name: label })).toHaveAttribute('aria-invalid', 'true');
    await sheet.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Discard' }).click();
    await expect(page.getByText('Without a gateway')).toHaveCount(0);
  });
}
