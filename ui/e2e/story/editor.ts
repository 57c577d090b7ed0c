/** The editor of the agent desktop of the demonstration, in the words of an administrator. */
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';

export const DESKTOP = 'Demo desktop';

/** From anywhere, by the menu and the list. */
export async function openDesktop(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Agent Desktop' }).click();
  await page.getByRole('row', { name: DESKTOP }).dblclick();
  await expect(page.getByRole('heading', { name: DESKTOP })).toBeVisible();
}

/** The screen of a widget, changed and left by OK. */
export async function editWidget(page: Page, title: string, change: (sheet: Locator) => Promise<void>): Promise<void> {
  await page.getByRole('button', { name: `Edit ${title}` }).click();
  const sheet = page.getByRole('dialog');
  await change(sheet);
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(sheet).toHaveCount(0);
}

/** Save, and its word on what the agents feel. */
export async function saveDesktop(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const summary = page.getByRole('dialog', { name: 'What this save changes' });
  await expect(summary.getByText(/next idle moment of \d+ agent/)).toBeVisible();
  await summary.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved. Agents get it with their next capture.')).toBeVisible();
}
