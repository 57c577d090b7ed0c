/** Whom a call rings: nobody who is not ready, or at work after a call. */
import { expect, test } from './demo';
import type { Desk } from './desk';
import { elsewhere } from './desk';

test.use({ story: 'availability' });

const SERVICE = 'Demo line';
/** Longer than the test takes to look. */
const LONG_S = '600';
const SHORT_S = '3';

const callsForMe = (desk: Desk) => desk.page.getByRole('button', { name: /Calls for me/ });

async function choose(desk: Desk, state: string): Promise<void> {
  await callsForMe(desk).click();
  await desk.page.getByRole('option', { name: state, exact: true }).click();
  await expect(callsForMe(desk)).toContainText(state);
}

async function giveTimeAfterCalls(admin: Desk, seconds: string): Promise<void> {
  await admin.page.getByRole('row', { name: SERVICE }).dblclick();
  await admin.page.getByRole('textbox', { name: 'After-call work (s)' }).fill(seconds);
  await admin.button('Save').click();
  await expect(admin.page.getByRole('dialog')).toHaveCount(0);
}

test('an agent who is not ready keeps the call that is on and gets no other, also after a reload, until ready again', async ({ page, desk, simulator, shot }) => {
  await desk.signIn('agent');
  await expect(callsForMe(desk)).toContainText('Ready');
  await desk.takeCall();
  await choose(desk, 'Not ready: break');
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await shot('agent-not-ready-on-a-call');
  await simulator.hangUp();
  await expect(desk.callBar.getByText('No call rings here while you are not ready.')).toBeVisible();
  await page.reload();
  await expect(callsForMe(desk)).toContainText('Not ready: break');
  await shot('agent-not-ready');
  await simulator.callInVain();
  await expect(desk.callBar.getByText('No call', { exact: true })).toBeVisible();
  await choose(desk, 'Ready');
  await desk.takeCall();
});

test('after a call its work counts down, no other call rings meanwhile, and it ends by a press or by itself', async ({ desk, demo, simulator, browser, shot }) => {
  const admin = await elsewhere(browser, demo);
  await admin.signIn('admin', '/configure/calls/services');
  await giveTimeAfterCalls(admin, LONG_S);
  await desk.signIn('agent');
  await desk.takeCall();
  await simulator.hangUp();
  await expect(callsForMe(desk)).toContainText(/After-call work, 09:5\d/);
  await shot('agent-after-call');
  await simulator.callInVain();
  await desk.button('I am ready').click();
  await expect(callsForMe(desk)).toContainText('Ready');
  await desk.takeCall();
  await giveTimeAfterCalls(admin, SHORT_S);
  await simulator.hangUp();
  // A call keeps the service that it came by.
  await expect(callsForMe(desk)).toContainText(/After-call work, 09:5\d/);
  await desk.button('I am ready').click();
  await desk.takeCall();
  await simulator.hangUp();
  await expect(callsForMe(desk)).toContainText('After-call work, 00:0');
  await expect(desk.button('I am ready')).toHaveCount(0);
  await desk.takeCall();
  await giveTimeAfterCalls(admin, '0');
  await admin.page.context().close();
});
