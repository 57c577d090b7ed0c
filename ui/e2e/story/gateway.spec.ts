/** A gateway tried out from its form, and its password, which goes in and never comes out. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './demo';
import { TITLES, elsewhere } from './desk';
import { editWidget, openDesktop, saveDesktop } from './editor';
import { Watch } from './watch';

test.use({ story: 'gateway' });

const { cardAdvanced } = TITLES;
const PASSWORD = 'stored-canary-8VgQ';
const TYPED = 'typed-canary-Zr41';
const HEADER = 'header-canary-77Hj';
/** The published card that the server sends; the page never has it. */
const NUMBER = '4111111111111111';
const CODE = /(?<!\d)123(?!\d)/;

async function tabOf(page: Page, tab: string): Promise<Locator> {
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  const sheet = page.getByRole('dialog', { name: /Credit Card Advanced/ });
  await sheet.getByRole('tab', { name: tab }).click();
  return sheet;
}

/** How long something took is no code. */
const withoutTimes = (text: string) => text.replaceAll(/_ms":\d+|\d+ ms/g, '');

/** More than the last four in a row, the code, a credential. */
function expectNothingSecret(text: string): void {
  expect(text).not.toContain(NUMBER.slice(0, 6));
  expect(text).not.toContain(NUMBER.slice(-5));
  expect(withoutTimes(text)).not.toMatch(CODE);
  for (const secret of [PASSWORD, TYPED, HEADER, Buffer.from(`merchant:${PASSWORD}`).toString('base64'), Buffer.from(`merchant:${TYPED}`).toString('base64')]) expect(text).not.toContain(secret);
}

test('c23 Preview request and Test gateway show no number beyond its last four, no code and no password; a stored password is in no answer', async ({ page, desk, demo, simulator, browser, shot }) => {
  const watch = await Watch.over(page);
  await desk.signIn('admin');
  await openDesktop(page);
  await editWidget(page, cardAdvanced, async (sheet) => {
    await sheet.getByRole('tab', { name: 'Advanced Config' }).click();
    await sheet.getByRole('button', { name: /Auth Method/ }).click();
    await page.getByRole('option', { name: 'Basic', exact: true }).click();
    await sheet.getByRole('textbox', { name: 'Auth User Name' }).fill('merchant');
    await sheet.getByLabel('Auth Password').fill(PASSWORD);
    await sheet.getByRole('button', { name: 'Add: Request Header Mapping' }).click();
    const rows = sheet.getByRole('group', { name: 'Request Header Mapping' });
    await rows.getByRole('textbox', { name: 'Header' }).fill('X-Api-Key');
    await rows.getByRole('textbox', { name: 'Value' }).fill(HEADER);
  });
  await saveDesktop(page);

  await openDesktop(page);
  const sheet = await tabOf(page, 'Advanced Config');
  await expect(sheet.getByLabel('Auth Password')).toHaveValue('');
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();

  await test.step('the request as it would go out', async () => {
    await sheet.getByRole('button', { name: 'Preview request' }).click();
    const preview = page.getByRole('dialog', { name: 'Preview request' });
    await expect(preview.getByText('••••••••••••1111')).toBeVisible();
    await expect(preview.getByText(/^POST https:\/\//)).toContainText('Authorization: Basic ••••••');
    await expect(preview.getByText('It would carry the stored password.')).toBeVisible();
    await shot('gateway-preview');
    expectNothingSecret(await preview.innerText());
    await preview.getByRole('textbox', { name: 'Body of the answer' }).fill(`{"card":"${NUMBER}"}`);
    await preview.getByRole('button', { name: 'Judge' }).click();
    await expect(preview.getByText(/Leave out card numbers/)).toBeVisible();
    await preview.getByRole('textbox', { name: 'Body of the answer' }).fill('{}');
    await preview.getByRole('button', { name: 'Judge' }).click();
    await expect(preview.getByText('Unknown: nobody could say whether it was charged')).toBeVisible();
    await preview.getByRole('button', { name: 'Close' }).click();
    expect(await simulator.ledger()).toEqual([]);
  });

  await test.step('a test, whose answer echoes the card', async () => {
    await simulator.script('approve_with_echo');
    await sheet.getByRole('button', { name: 'Test gateway' }).click();
    const dialog = page.getByRole('dialog', { name: 'Test gateway' });
    await expect(dialog.getByText(/This is a real request to 127\.0\.0\.1|This is a real request to localhost/)).toBeVisible();
    await page.keyboard.press('Tab');
    await dialog.getByRole('button', { name: 'Send test' }).press('Enter');
    await expect(dialog.getByText('Approved', { exact: true })).toBeVisible({ timeout: 15_000 });
    await expect(dialog.getByText(/Connected in \d+ ms/)).toBeVisible();
    await shot('gateway-test');
    expectNothingSecret(await dialog.innerText());
    const [row] = await simulator.ledger();
    expect(row?.reference).toMatch(/^TEST-/);
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('another host gets no stored password', async () => {
    const url = sheet.getByRole('textbox', { name: 'Service URL' });
    const before = await url.inputValue();
    await url.fill('https://other.example/charge');
    await sheet.getByRole('button', { name: 'Test gateway' }).click();
    const dialog = page.getByRole('dialog', { name: 'Test gateway' });
    await dialog.getByRole('button', { name: 'Send test' }).click();
    await expect(dialog.getByText('The host has changed; enter the password for it.')).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await url.fill(before);
    await sheet.getByRole('tab', { name: 'Advanced Config' }).click();
    await sheet.getByLabel('Auth Password').fill(TYPED);
    await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
    await sheet.getByRole('button', { name: 'Test gateway' }).click();
    await dialog.getByRole('button', { name: 'Send test' }).click();
    await expect(dialog.getByText('Approved', { exact: true })).toBeVisible({ timeout: 15_000 });
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('what is saved comes back in no answer', async () => {
    await sheet.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('link', { name: /Revision/ }).click();
    await expect(page.getByRole('heading', { name: /History/ })).toBeVisible();
    await watch.look();
    const answers = watch.seen.filter(({ place }) => /^[A-Z]+ \/api\//.test(place));
    expect(answers.some(({ place }) => place.startsWith('PUT /api/v1/desktops/'))).toBe(true);
    for (const { place, text } of answers) expect(text, place).not.toContain(PASSWORD);
    const tried = answers.filter(({ place, text }) => place.includes('/api/v1/gateway/') && text.startsWith('{'));
    expect(tried.length).toBeGreaterThan(5);
    for (const { text } of tried) expectNothingSecret(text);
    // The list of desktops is asked for anew while it is on its way, and the first answer is thrown away; it holds no gateway.
    expect(watch.unread.filter((place) => place !== 'GET /api/v1/desktops')).toEqual([]);

    const auditor = await elsewhere(browser, demo);
    await auditor.signIn('auditor', '/audit');
    await expect(auditor.page.getByRole('row', { name: /Gateway test ended/ }).first()).toBeVisible();
    expect(await auditor.page.content()).not.toContain(PASSWORD);
    await auditor.page.context().close();
  });
});
