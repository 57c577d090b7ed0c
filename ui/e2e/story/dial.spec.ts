/** Calls out: an agent dials, the consumer's phone rings, and a card is taken as on any call. */
import { expect, test } from './demo';
import type { Desk } from './desk';
import { TITLES } from './desk';

test.use({ story: 'dial' });

const CARD = '4111 1111 1111 1111';

const field = (desk: Desk) => desk.page.getByRole('textbox', { name: 'Number to dial' });

async function dial(desk: Desk, number: string): Promise<void> {
  await field(desk).fill(number);
  await desk.button('Dial').click();
}

test('a card is paid on a call that was dialled, and none of its digits reaches the agent', async ({ page, desk, simulator, shot }) => {
  await desk.signIn('agent');
  await simulator.until('the agent’s phone registers', ({ agents }) => Boolean(agents[0]?.registered));
  await shot('dial-idle');
  await page.keyboard.press('Control+Shift+D');
  await expect(field(desk)).toBeFocused();
  await field(desk).fill('+1 (555) 010-0100');
  await page.keyboard.press('Enter');
  await expect(desk.callBar.getByText('Ringing')).toBeVisible();
  await expect(desk.callBar).toContainText('+15550100100');
  await shot('dial-ringing');
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await expect(field(desk)).toHaveCount(0);

  await desk.press(TITLES.cardAdvanced);
  await desk.protected(TITLES.cardAdvanced);
  await desk.fill('10.00');
  await desk.ask('number');
  await desk.captureCard();
  await desk.process();
  await expect(desk.outcome).toContainText('Approved');
  const heard = await simulator.heard();
  expect([heard.recoverable_digits, heard.event_packets]).toEqual([0, 0]);
  expect(heard.loud_ms).toBeGreaterThan(1_000);
  await desk.button('End').click();
  await desk.putAway();
  await expect(field(desk)).toBeVisible();
});

test('a number that is not reached says why and what to do, and one that rings can be given up', async ({ desk, simulator, shot }) => {
  await desk.signIn('agent');
  await simulator.until('the agent’s phone registers', ({ agents }) => Boolean(agents[0]?.registered));
  await dial(desk, '+15550101');
  await expect(desk.page.getByRole('alert')).toContainText('The line is busy. Try again later.');
  await shot('dial-busy');
  await dial(desk, '+15550104');
  await expect(desk.page.getByRole('alert')).toContainText('There is no such number. Check it and dial again.');
  await dial(desk, '+442079460000');
  await expect(desk.page.getByRole('alert')).toContainText('This number is not called from here.');
  await dial(desk, '+15550102');
  await expect(desk.callBar.getByText('Ringing')).toBeVisible();
  await expect(desk.page.getByRole('alert')).toHaveCount(0);
  await desk.page.keyboard.press('Control+Shift+E');
  await expect(field(desk)).toBeVisible();
  await simulator.until('nothing rings any more', ({ call }) => call === 'idle');
});

test('a card number is wiped from the field and sent to nobody', async ({ page, desk, shot }) => {
  await desk.signIn('agent');
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await field(desk).fill(CARD);
  await expect(page.getByRole('alert')).toContainText('This may be a card number. It was not called and is forgotten.');
  await expect(field(desk)).toHaveValue('');
  await shot('dial-card');
  expect(sent.filter((one) => one.replace(/\D/g, '').includes('4111111111111111'))).toEqual([]);
});

test('a CRM opens the page with a number, which is asked about before it is called', async ({ page, desk, simulator, shot }) => {
  await desk.signIn('agent', '/?dial=+15550100100');
  await simulator.until('the agent’s phone registers', ({ agents }) => Boolean(agents[0]?.registered));
  await expect(page.getByRole('alertdialog', { name: 'Call this number?' })).toContainText('+15550100100');
  expect(new URL(page.url()).search).toBe('');
  await shot('dial-asked');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Dial' }).click();
  await expect(desk.callBar.getByText('Connected')).toBeVisible();
  await desk.button('End').click();
  await expect(field(desk)).toBeVisible();
});
