/** Basic: validated values are shown to the agent while the recorders are paused, and are gone afterwards. */
import { accountUnlike, cardUnlike } from './cards';
import { expect, test } from './demo';
import { TITLES } from './desk';
import { Watch } from './watch';

test.use({ story: 'basic' });

const { cardBasic, checkBasic } = TITLES;
const inFours = (number: string) => number.match(/.{4}/g)?.join(' ') ?? '';

test('b1 b4 b5 b6 b7 b8 b9 s12 c8 a card is shown in groups once it is valid, its code never, and nothing is left after Done', async ({ page, desk, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(cardBasic);
  const card = cardUnlike(await watch.text());
  await expect(desk.callBar).toContainText('Line: protected');
  await desk.listens('number');
  await expect(page.getByText('Please key your card number')).toBeVisible();
  await expect(desk.button('Done - clear and resume')).toBeDisabled();
  await shot('basic-armed');
  await simulator.keys(card.number.slice(0, 9));
  await expect(desk.row('number')).toContainText('9 digits keyed');
  expect(await watch.placesNow(card.number)).toEqual([]);
  await shot('basic-keying');
  await simulator.keys(card.number.slice(9));
  await desk.obtained('number');
  await expect(desk.row('number')).toContainText(inFours(card.number));
  await expect(desk.row('number')).toContainText('Master Card');
  await desk.capture('expiry', { keys: card.expiry });
  await expect(desk.row('expiry').getByRole('status')).toContainText(card.expiry.slice(0, 2));
  await desk.capture('code', { keys: card.code });
  await expect(desk.row('code')).toContainText('Obtained');
  await expect(desk.row('code').getByRole('status')).toHaveCount(0);
  await expect(desk.row('code').getByRole('button', { name: /show/i })).toHaveCount(0);
  await shot('basic-obtained');

  await desk.button('Done - clear and resume').click();
  await expect(page.getByText('Is the card number gone from every other window?').first()).toBeVisible();
  expect(await watch.placesNow(card.number, card.expiry)).toEqual([]);
  await expect(desk.callBar).toContainText('Line: protected');
  await shot('basic-gone-question');
  await desk.button('Yes, resume').click();
  await expect(page.getByText('Captured. Nothing was saved.')).toBeVisible();
  await expect(desk.callBar).toContainText('Line: normal');
  await shot('basic-done');
  await desk.button('Close').click();
  await expect(desk.widget(cardBasic)).toHaveCount(0);
  await expect(desk.button('Credit card')).toBeEnabled();

  // Values travel in the answer to Show alone.
  const places = (await watch.placesOf(card.number)).filter((place) => !['document', 'earlier document'].includes(place));
  expect(places.filter((place) => !/^POST .*\/reveal$/.test(place))).toEqual([]);
  expect(watch.violations).toEqual([]);
});

test('b2 s12 c8 nothing is left after Cancel, and nothing after the customer hung up', async ({ page, desk, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(cardBasic);
  const card = cardUnlike(await watch.text());
  await desk.capture('number', { keys: card.number });
  await expect(desk.row('number')).toContainText(inFours(card.number));
  await desk.button('Cancel').click();
  await expect(page.getByText('Cancel this capture? Everything keyed is discarded.')).toBeVisible();
  await shot('basic-cancel-question');
  await desk.button('Yes, discard').click();
  await expect(desk.widget(cardBasic)).toHaveCount(0);
  expect(await watch.placesNow(card.number)).toEqual([]);
  await expect(desk.callBar).toContainText('Line: normal');
  await shot('basic-cancelled');

  await desk.press(cardBasic);
  await desk.capture('number', { keys: card.number });
  await expect(desk.row('number')).toContainText(inFours(card.number));
  await simulator.hangUp();
  await expect(page.getByText('Call ended. Nothing was kept.').first()).toBeVisible();
  expect(await watch.placesNow(card.number)).toEqual([]);
  await shot('basic-hung-up');
});

test('b10 b12 b13 b14 b15 b16 an account is shown once keyed; a wrong routing number is marked and not obtained', async ({ page, desk, simulator, shot }) => {
  const watch = await Watch.over(page);
  await desk.open(checkBasic);
  const { routing, account } = accountUnlike(await watch.text());
  const wrong = routing.slice(0, 8) + String((Number(routing[8]) + 1) % 10);
  await expect(page.getByRole('tab')).toHaveCount(0);
  await expect(desk.button('Process Payment')).toHaveCount(0);
  await desk.listens('routing');
  await simulator.keys(wrong);
  await expect(desk.row('routing')).toHaveAttribute('data-state', 'invalid');
  await expect(desk.row('routing')).toContainText('That routing number is not valid.');
  await shot('check-basic-wrong-routing');
  await desk.again('routing');
  await desk.capture('routing', { keys: routing });
  await expect(desk.row('routing')).toContainText('valid');
  await desk.capture('account', { keys: `${account}#` });
  await expect(desk.row('account').getByRole('status')).toBeVisible();
  await shot('check-basic-obtained');
  await desk.button('Done - clear and resume').click();
  await expect(page.getByRole('button', { name: 'Yes, resume' })).toBeVisible();
  expect(await watch.placesNow(routing, account)).toEqual([]);
  await desk.button('Yes, resume').click();
  await expect(page.getByText('Captured. Nothing was saved.')).toBeVisible();
});
