/** Calls that ring at a PBX: whose page shows them, by a code, by the page's address, from the list. The simulator's agent phone is the PBX's telephone. */
import type { Browser } from '@playwright/test';
import { Configuration } from './configuration';
import type { Demo } from './demo';
import { expect, test } from './demo';
import { elsewhere } from './desk';
import { AGENT_PHONE } from './simulator';

test.use({ story: 'pairing' });

/** The demonstration's service leads to the telephone itself, and hears codes. */
async function leadToPbx(browser: Browser, demo: Demo): Promise<void> {
  const office = await Configuration.open(browser, demo);
  const { services } = await office.get<{ services: { id: string; name: string; numbers: string[]; desktop: string; protection: string; revision: number }[] }>('/services');
  const { id, name, numbers, desktop, protection, revision } = services[0]!;
  const address = await demo.simulator.phoneAddress();
  await office.put(`/services/${id}`, { name, numbers, desktop, protection, revision, route: { to: 'uri', uri: `sip:${AGENT_PHONE}@${address}`, address, agent: null }, pairing: { extension: null, code: true, agents: [] } });
  await office.close();
}

test.beforeAll(({ browser, demo }) => leadToPbx(browser, demo));

const connected = (demo: Demo) => demo.simulator.until('the call is answered', ({ call }) => call === 'connected');

test('a code keyed on the telephone gets the agent the call, and the customer hears none of it', async ({ page, desk, demo, simulator, shot }) => {
  await desk.signIn('agent');
  await simulator.call();
  await connected(demo);
  await expect(desk.callBar.getByText('No call', { exact: true })).toBeVisible();
  await page.keyboard.press('Control+Shift+F');
  const sheet = page.getByRole('dialog', { name: 'Connect to my call' });
  const code = await sheet.getByText(/^\*\d{5}#$/).textContent();
  await shot('connect-to-my-call');
  await simulator.keys(code!, AGENT_PHONE);
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await expect(sheet).toHaveCount(0);
  await expect(desk.button('Connect to my call')).toHaveCount(0);
  expect((await simulator.heardByConsumer()).event_packets).toBe(0);
  await simulator.hangUp();
  await expect(desk.button('Connect to my call')).toBeVisible();
});

test('a page that is opened for a call has it after login, and says later that it is over', async ({ browser, page, desk, demo, simulator }) => {
  const supervisor = await elsewhere(browser, demo);
  await supervisor.signIn('supervisor', '/calls');
  await simulator.call();
  await connected(demo);
  const row = supervisor.page.getByRole('row').filter({ hasText: 'Nobody' });
  await expect(row).toHaveCount(1);
  const listed = await supervisor.page.request.get(new URL('/api/v1/service-calls', demo.page).href);
  const { calls } = (await listed.json()) as { calls: { id: string }[] };
  const address = `/?call=${calls[0]!.id}`;
  await desk.signIn('agent', address);
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await expect(page).not.toHaveURL(/call=/);
  await expect(row).toHaveCount(0);
  await simulator.hangUp();
  await expect(supervisor.page.getByText('No such call is running.')).toBeVisible();
  await page.goto(address);
  await expect(page.getByRole('alert')).toContainText('is over');
  await page.getByRole('alert').getByRole('button', { name: 'Close' }).click();
  await expect(page).not.toHaveURL(/call=/);
  await supervisor.page.context().close();
});

test('a supervisor gives a call of the list to an agent', async ({ browser, desk, demo, simulator, shot }) => {
  await desk.signIn('agent');
  const supervisor = await elsewhere(browser, demo);
  await supervisor.signIn('supervisor', '/calls');
  await simulator.call();
  await connected(demo);
  await supervisor.page.getByRole('button', { name: /^Give the call/ }).click();
  await supervisor.page.getByRole('textbox', { name: 'Login name of the agent' }).fill('agent');
  await shot('service-call-given', supervisor.page);
  await supervisor.button('Give it').click();
  await expect(supervisor.page.getByRole('dialog')).toHaveCount(0);
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await expect(supervisor.page.getByRole('row').filter({ hasText: 'Nobody' })).toHaveCount(0);
  await supervisor.page.context().close();
});
