/** Agent desktops: layouts, order, copies and history, and when agents get what was saved. */
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from './demo';
import { Desk } from './desk';

test.use({ story: 'desktops' });

const DESKTOP = 'Demo desktop';
const SECOND = 'Second card';

const titles = (page: Page) => page.getByRole('grid', { name: 'Widgets of this desktop' }).getByRole('row').locator('strong');
const widget = (page: Page, title: string) => page.getByRole('grid', { name: 'Widgets of this desktop' }).getByRole('row', { name: title });

/** By mouse: the row is picked up at its title and let go over the lower half of the other. */
async function dragBelow(page: Page, title: string, other: string): Promise<void> {
  await widget(page, other).evaluate((row) => row.scrollIntoView({ block: 'center' }));
  const from = (await widget(page, title).locator('strong').boundingBox())!;
  const to = (await widget(page, other).boundingBox())!;
  await page.mouse.move(from.x + 10, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(from.x + 20, from.y + from.height, { steps: 4 });
  await page.mouse.move(to.x + 60, to.y + to.height - 6, { steps: 10 });
  await page.mouse.move(to.x + 64, to.y + to.height - 5, { steps: 2 });
  await page.mouse.up();
}

async function openDesktop(page: Page, name = DESKTOP): Promise<void> {
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await page.getByRole('row', { name: new RegExp(`^${name}`) }).dblclick();
  await expect(page.getByRole('heading', { name, level: 1, exact: true })).toBeVisible();
}

/** Save, its summary, and the page read anew. */
async function saved(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog', { name: 'What this save changes' }).getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
  await page.reload();
}

test('c21 c22 n1 n2 n3 n5 n6 n8 n9 i2 i3 i4 i5 i6 i7 i8 s5 a widget is added, put in order by keys and by mouse, kept through the layouts, and agents get it', async ({ page, desk, demo, browser, shot }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  await page.getByRole('radio', { name: 'Agent Panel + Extended Panel' }).check({ force: true });
  await page.getByRole('tab', { name: 'Extended Panel' }).click();
  await page.getByRole('option', { name: 'Credit Card Basic' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const sheet = page.getByRole('dialog');
  for (const label of ['Credit Card Text', 'Expiry Text', 'Security Text']) await expect(sheet.getByRole('textbox', { name: label, exact: true })).toBeVisible();
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill(SECOND);
  await sheet.getByRole('checkbox', { name: 'Enabled' }).check({ force: true });
  await sheet.getByRole('checkbox', { name: 'Visa' }).check({ force: true });
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  const before = await titles(page).allTextContents();
  expect(before.at(-1)).toBe(SECOND);

  await widget(page, SECOND).click();
  for (let step = 1; step < before.length; step += 1) await page.keyboard.press('Alt+ArrowUp');
  await expect(page.getByText(`${SECOND} is now at place 1 of ${before.length}`)).toBeAttached();
  await shot('editor-order');
  await saved(page);
  const byKeys = [SECOND, ...before.slice(0, -1)];
  await expect(titles(page)).toHaveText(byKeys);
  await page.getByRole('button', { name: `Edit ${SECOND}` }).click();
  await expect(sheet.getByRole('checkbox', { name: 'Visa' })).toBeChecked();
  await expect(sheet.getByRole('checkbox', { name: 'Discover' })).not.toBeChecked();
  await sheet.getByRole('button', { name: 'Cancel' }).click();

  await dragBelow(page, SECOND, byKeys[1]!);
  const byMouse = [byKeys[1]!, SECOND, ...byKeys.slice(2)];
  await expect(titles(page)).toHaveText(byMouse);
  await page.getByRole('radio', { name: 'Agent Panel', exact: true }).check({ force: true });
  await saved(page);
  await expect(page.getByRole('radio', { name: 'Agent Panel', exact: true })).toBeChecked();
  await expect(titles(page)).toHaveText(byMouse);

  const context = await browser.newContext({ baseURL: demo.page });
  const agent = new Desk(await context.newPage(), demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await agent.button('Credit card').click();
  const cards = byMouse.filter((title) => /card/i.test(title));
  await expect(agent.page.getByRole('menuitem')).toHaveText(cards);
  await agent.page.getByRole('menuitem', { name: SECOND }).click();
  await expect(agent.page.getByText('Protected capture')).toBeVisible();

  // Live for the next capture; the open one keeps what it began with.
  await page.getByRole('button', { name: `Edit ${SECOND}` }).click();
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill('Third card');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await saved(page);
  await expect(agent.page.getByRole('heading', { name: SECOND })).toBeVisible();
  await agent.button('Cancel').click();
  await agent.button('Credit card').click();
  await agent.page.getByRole('menuitem', { name: 'Third card' }).click();
  await expect(agent.page.getByRole('heading', { name: 'Third card' })).toBeVisible();
  await agent.button('Cancel').click();
  await context.close();
});

test('s5 s6 a desktop is duplicated, exported, imported, deleted by its name, and an earlier revision comes back', async ({ page, desk, shot }) => {
  await desk.signIn('admin');
  const act = async (name: string, what: string) => {
    await page.getByRole('button', { name: `Actions: ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: what }).click();
  };
  await act(DESKTOP, 'Duplicate');
  await page.getByRole('textbox', { name: 'Name' }).fill('Copy');
  await page.getByRole('button', { name: 'Duplicate', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Copy', level: 1 })).toBeVisible();

  await page.getByRole('textbox', { name: 'Name' }).fill('Renamed');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
  await page.getByRole('link', { name: 'Revision 2' }).click();
  await expect(page.getByRole('row', { name: /Desktop ?Name Copy Renamed/ })).toBeVisible();
  await shot('desktop-history');
  await page.getByRole('button', { name: 'Restore revision 1' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Restore revision 1' }).click();
  await expect(page.getByRole('button', { name: /Revision 3 current/ })).toBeVisible();

  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  const download = page.waitForEvent('download');
  await act('Copy', 'Export JSON');
  const file = await (await download).path();
  const exported = JSON.parse(await readFile(file, 'utf8'));
  expect(exported).toMatchObject({ format: 'tonewall.desktop', version: 1, name: 'Copy' });
  expect(JSON.stringify(exported)).not.toMatch(/password"|"id"/);

  await act('Copy', 'Delete');
  await page.getByRole('textbox', { name: 'Type the desktop\'s name to delete it' }).fill('Copy');
  await page.getByRole('button', { name: 'Delete desktop' }).click();
  await expect(page.getByRole('row', { name: /^Copy/ })).toHaveCount(0);

  await page.getByRole('button', { name: 'Import JSON' }).click();
  await page.locator('input[type="file"]').setInputFiles(file);
  await page.getByRole('textbox', { name: 'Name' }).fill('Imported');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Imported', level: 1 })).toBeVisible();
  await expect(page.getByRole('grid', { name: 'Widgets of this desktop' }).getByRole('row')).toHaveCount(exported.widgets.length);

  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await act(DESKTOP, 'Delete');
  await expect(page.getByText('This desktop is in use and cannot be deleted.')).toBeVisible();
  await expect(page.getByRole('dialog').getByText('Demo line')).toBeVisible();
  await shot('desktop-in-use');
});
