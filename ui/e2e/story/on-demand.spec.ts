/** A call that is recorded when its agent says so. */
import { readdir } from 'node:fs/promises';
import { expect, test } from './demo';
import { TITLES, elsewhere } from './desk';

test.use({ story: 'on-demand' });

const files = async (folder: string) => (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.twrec')).length;

test('an agent has a call recorded on demand, not while a payment is open, and the trail says who did', async ({ page, desk, demo, simulator, browser, shot }) => {
  const admin = await elsewhere(browser, demo);
  await admin.signIn('admin', '/configure/calls/services');
  await admin.page.getByRole('row').nth(1).dblclick();
  await admin.page.getByRole('radio', { name: 'When the agent presses Record, until the agent ends it' }).check({ force: true });
  await admin.button('Save').click();
  await expect(admin.page.getByRole('dialog')).toBeHidden();

  await desk.signIn('agent');
  await desk.takeCall();
  const bar = page.getByRole('region', { name: 'Call', exact: true });
  const record = bar.getByRole('button', { name: 'Record' });
  await expect(bar).toContainText('Recording: off');
  await expect(record).toHaveAttribute('aria-pressed', 'false');
  expect(await files(demo.recordings)).toBe(0);

  await record.click();
  await expect(record).toHaveAttribute('aria-pressed', 'true');
  await expect(bar).toContainText('Recording: on');
  await shot('record-on-demand');
  await expect.poll(() => files(demo.recordings)).toBe(1);
  await desk.press(TITLES.cardBasic);
  await desk.protected(TITLES.cardBasic);
  await expect(bar).toContainText('Recording: paused');
  await expect(record).toBeDisabled();
  await desk.capture('number');
  await desk.discard();
  await expect(bar).toContainText('Recording: on');

  await page.keyboard.press('Control+Shift+S');
  await expect(bar).toContainText('Recording: off');
  await page.keyboard.press('Control+Shift+S');
  await expect(bar).toContainText('Recording: on');
  await expect.poll(() => files(demo.recordings)).toBe(2);
  await simulator.hangUp();

  const auditor = await elsewhere(browser, demo);
  await auditor.signIn('auditor', '/audit?action=recording_asked');
  const asked = auditor.page.getByRole('row', { name: /Recording began or ended by the agent/ });
  await expect(asked).toHaveCount(3);
  for (const row of await asked.all()) await expect(row).toContainText('agent');
  for (const one of [admin, auditor]) await one.page.context().close();
});
