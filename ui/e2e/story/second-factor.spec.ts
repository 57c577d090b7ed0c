/** Signing in at a server of its own, with a second factor. */
import type { Page } from '@playwright/test';
import { expectAccessible } from '../looks';
import { STEP_MS, codeOf } from './authenticator';
import { expect, test } from './site';
import { Watch } from './watch';

const OWN = 'battery staple 7';
/** The first administrator gets a one-time password, as for an installation that a program sets up. */
const PASSWORD = { first_administrator: 'password' };
const WRONG = 'User name, password or code is wrong. A code works once.';

/** By keyboard alone; the code is pasted, as from another app. */
async function signIn(page: Page, password: string, code: string): Promise<void> {
  await expect(page.getByRole('textbox', { name: 'User name' })).toBeVisible();
  await page.getByRole('textbox', { name: 'User name' }).fill('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  if (code) await expect(page.getByRole('textbox', { name: 'Code' })).toBeFocused();
  await page.keyboard.insertText(code);
  await page.keyboard.press('Enter');
}

test('c2 s22 the first administrator sets up an authenticator app, and later needs a new code of it each time, until the file says off', async ({ page, browser, site }) => {
  await site.start({ web: PASSWORD });
  const watch = await Watch.over(page);
  const off = 'web.second_factor is off';
  const warned = () => site.logged.filter(({ level, fields }) => level === 'WARN' && fields.message?.startsWith(off)).length;
  expect(warned()).toBe(0);
  const once = /one-time password (\S+)/.exec(site.printed.join('\n'))?.[1] ?? '';
  await page.goto(site.page);
  await signIn(page, once, '');
  await page.getByLabel('Current password').fill(once);
  await page.getByLabel('New password', { exact: true }).fill(OWN);
  await page.getByLabel('New password again').fill(OWN);
  await page.getByRole('button', { name: 'Save password' }).click();

  const setUp = page.getByRole('heading', { name: 'Set up your authenticator app' });
  await expect(setUp).toBeVisible();
  await page.goto(`${site.page}/configure/users/users`);
  await expect(setUp).toBeVisible();
  await expect(page.getByRole('img', { name: 'QR code of the key' })).toBeVisible();
  await expectAccessible(page);
  const key = (await page.locator('code').textContent()) ?? '';
  await expect(page.getByRole('link', { name: 'Open in an app on this device' })).toHaveAttribute('href', new RegExp(`^otpauth://totp/Tonewall:admin\\?secret=${key.replaceAll(' ', '')}&`));
  const field = page.getByRole('textbox', { name: 'Code that the app shows now' });
  await field.fill('000000');
  await page.keyboard.press('Enter');
  await expect(field).toHaveAccessibleDescription(/not the code/);
  const first = Date.now();
  await field.fill(codeOf(key, first));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Users' })).toBeVisible();

  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const code of ['', codeOf(key, first)]) {
    await signIn(page, OWN, code);
    await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
    await expect(page.getByRole('alert')).toHaveText(WRONG);
  }
  await signIn(page, OWN, codeOf(key, first + STEP_MS));
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  expect(await page.content()).not.toContain(key.replaceAll(' ', ''));

  await site.stop();
  await site.start({ web: { ...PASSWORD, second_factor: 'off' } });
  expect(warned()).toBe(1);
  const other = await browser.newPage();
  await other.goto(site.page);
  await expect(other.getByRole('textbox', { name: 'Code' })).toHaveCount(0);
  await signIn(other, OWN, '');
  await expect(other.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await other.close();
  expect(watch.violations).toEqual([]);
});
