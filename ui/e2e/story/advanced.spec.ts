/** Advanced: the card goes to the gateway and never to the page. */
import { cardUnlike } from './cards';
import { expect, keepForReadme, test } from './demo';
import { TITLES } from './desk';
import { Watch } from './watch';

test.use({ story: 'advanced' });

const { cardAdvanced } = TITLES;

test('p1 a2 a4 v1 v11 v12 v14 a keyed card is obtained, processed and approved, and none of its digits reaches the page', async ({ page, desk, simulator, shot }, info) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  const watch = await Watch.over(page);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await shot('login');
  await desk.signIn('agent');
  await expect(desk.button('Credit card')).toBeDisabled();
  await expect(desk.button('Credit card')).toHaveAccessibleDescription('No call.');
  await shot('agent-no-call');
  await desk.takeCall();
  await expect(desk.button('Credit card')).toBeEnabled();
  await shot('agent-connected');

  await desk.press(cardAdvanced);
  const widget = desk.widget(cardAdvanced);
  await expect(widget.getByText('Do not ask for the card yet')).toBeVisible();
  await expect(widget.getByText('Please key your card number')).toHaveCount(0);
  await shot('advanced-arming');
  await expect(widget.getByText('Line protected', { exact: true })).toBeVisible();
  await shot('advanced-armed');
});
