/** Users and roles: who gives what to whom, and how soon it holds. */
import { expectAccessible } from '../looks';
import { expect, test } from './demo';
import { Watch } from './watch';

test.use({ story: 'users' });

const FIRST = 'changes-at-first-1';
const OWN = 'battery staple 7';

test('p3 s2 s22 a role is made and given, its user sees what it allows after a first password, and is out at once when the account is disabled', async ({ page, desk, demo, browser, shot }) => {
  const watch = await Watch.over(page);
  await desk.signIn('admin');
  const menu = page.getByRole('navigation', { name: 'Configuration' });
  const sheet = page.getByRole('dialog');

  await menu.getByRole('link', { name: 'Roles' }).click();
  await expect(page.getByRole('navigation', { name: 'You are here' })).toHaveText(/Configure.*Users.*Roles/);
  await page.getByRole('button', { name: 'Add role' }).click();
  await sheet.getByRole('textbox', { name: 'Name' }).fill('Team lead');
  await expect(sheet.getByRole('checkbox', { name: 'Read the audit trail' })).toBeEnabled();
  await sheet.getByText('See all payments').click();
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('columnheader', { name: 'Team lead' })).toBeVisible();
  await shot('admin-roles');
  await expectAccessible(page);

  await menu.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('button', { name: 'Add user' }).click();
  await sheet.getByRole('textbox', { name: 'User name' }).fill('m.lee');
  await sheet.getByRole('textbox', { name: 'Display name' }).fill('Morgan Lee');
  await sheet.getByLabel('First password').fill(FIRST);
  await sheet.getByText('Team lead', { exact: true }).click();
  await expect(sheet.getByRole('region', { name: 'What this user may do' }).getByRole('listitem')).toHaveText(/See all payments.*payment\.view from Team lead/);
  await shot('admin-user');
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: 'm.lee' })).toContainText('Waits for own password');
  await shot('admin-users');
  await expectAccessible(page);

  const other = await (await browser.newContext({ baseURL: demo.page })).newPage();
  await other.goto('/');
  await other.getByLabel('User name').fill('m.lee');
  await other.getByLabel('Password', { exact: true }).fill(FIRST);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByLabel('Current password').fill(FIRST);
  await other.getByLabel('New password', { exact: true }).fill(OWN);
  await other.getByLabel('New password again').fill(OWN);
  await other.getByRole('button', { name: 'Save password' }).click();
  await expect(other.getByRole('heading', { name: 'Payments' })).toBeVisible();
  await expect(other.getByRole('link', { name: 'Configure' })).toHaveCount(0);

  await page.getByRole('row', { name: 'm.lee' }).dblclick();
  await sheet.getByText('Enabled', { exact: true }).click();
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await other.getByLabel('User name').fill('m.lee');
  await other.getByLabel('Password', { exact: true }).fill(OWN);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('alert')).toHaveText('User name or password is wrong.');
  await other.context().close();
  expect(watch.violations).toEqual([]);
});

test('an administrator changes neither their own roles nor whether they are enabled', async ({ page, desk }) => {
  await desk.signIn('admin');
  await page.goto('/configure/users/users');
  await page.getByRole('row', { name: 'admin' }).dblclick();
  const sheet = page.getByRole('dialog');
  await expect(sheet.getByText('This is your own account.')).toBeVisible();
  await expect(sheet.getByRole('checkbox', { name: 'Security admin' })).toBeDisabled();
  await expect(sheet.getByRole('checkbox', { name: 'Enabled' })).toBeDisabled();
});
