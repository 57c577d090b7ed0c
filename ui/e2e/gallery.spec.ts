import { expect, test } from '@playwright/test';
import { LOOKS, expectAccessibleInEveryLook, wear } from './looks';

const KINDS = ['none', 'credit_card_basic', 'check_basic', 'credit_card_advanced', 'check_advanced'];

for (const kind of KINDS) {
  test(`c24 every state is accessible in every look: ${kind}`, async ({ page }, info) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await wear(page, LOOKS[0]);
    await page.goto(`/gallery?kind=${kind}`);
    await expect(page.getByRole('heading', { name: 'Gallery' })).toBeVisible();
    await expectAccessibleInEveryLook(page, info, `gallery-${kind}`);
    expect(errors).toEqual([]);
  });
}

test('an Advanced widget never shows a run of digits where the customer keyed', async ({ page }) => {
  await page.goto('/gallery?kind=credit_card_advanced');
  const advanced = page.locator('section[data-kind="credit_card_advanced"]');
  await expect(advanced.getByText('Obtained', { exact: true }).first()).toBeVisible();
  expect((await advanced.locator('[data-captured]').allInnerTexts()).join(' ')).not.toMatch(/\d{5}/);
});
