/** Which widgets an agent gets, and who may change that. */
import { send } from './api';
import { Configuration } from './configuration';
import { test as base, expect } from './demo';
import { TITLES, elsewhere } from './desk';
import type { UserName } from './demo';

const test = base.extend<{ configuration: Configuration }>({
  configuration: async ({ browser, demo }, use) => {
    const configuration = await Configuration.open(browser, demo);
    await use(configuration);
    await configuration.close();
  },
});
test.use({ story: 'gates' });

const CARDS = [TITLES.cardBasic, TITLES.cardAdvanced];
const CHECKS = [TITLES.checkBasic, TITLES.checkAdvanced];

test('p11 p12 a5 what is enabled for cards and for checks is what the button opens: four combinations, and nothing else shows', async ({ page, desk, configuration }) => {
  await desk.signIn('agent');
  await desk.takeCall();
  for (const card of CARDS) {
    for (const check of CHECKS) {
      await configuration.widgets((widgets) => widgets.map((widget) => ({ ...widget, enabled: [card, check].includes(widget.title as typeof card) })));
      for (const [button, title] of [['Credit card', card], ['Check', check]] as const) {
        await expect(async () => {
          await desk.button(button).click();
          await expect(desk.widget(title).getByText('Protected capture')).toBeVisible();
        }).toPass();
        await expect(page.getByRole('menuitem')).toHaveCount(0);
        await desk.button('Cancel').click();
        await expect(desk.widget(title)).toHaveCount(0);
        await expect(desk.callBar).toContainText('Line: normal');
      }
    }
  }
});

test('p13 without a widget on the desktop there is no button, and the API names the gate', async ({ desk, configuration }) => {
  const { widgets } = await configuration.desktop();
  await configuration.widgets(() => []);
  await desk.signIn('agent');
  await desk.takeCall();
  await expect(desk.page.getByText('No payment widget is enabled for your desktop.')).toBeVisible();
  await expect(desk.button('Credit card')).toHaveCount(0);
  await expect(desk.button('Check')).toHaveCount(0);
  const refused = await desk.page.evaluate(async (widget) => {
    const get = async (path: string) => (await fetch(`/api/v1${path}`)).json();
    const { csrf } = await get('/login');
    const [call] = (await get('/calls')).calls;
    const headers = { 'Content-Type': 'application/json', 'X-Tonewall-CSRF': csrf };
    const response = await fetch(`/api/v1/calls/${call.id}/captures`, { method: 'POST', headers, body: JSON.stringify({ widget }) });
    return { status: response.status, problem: await response.json() };
  }, widgets[0]!.id);
  expect(refused).toMatchObject({ status: 403, problem: { code: 'gate_no_widget' } });
  await configuration.widgets(() => widgets.map(({ id: _, ...widget }) => widget as (typeof widgets)[number]));
});

test('p14 the feature goes with the desktop: an agent who is given one without widgets has no button, and gets it back with the other', async ({ desk, simulator, configuration }) => {
  const bare = { name: 'Without payments', service: 'standard', layout: 'extended_panel', widgets: [], revision: 0 };
  const { id } = (await configuration.post('/desktops', bare)).desktop as { id: string };
  const { users } = await configuration.get<{ users: { id: string; name: string }[] }>('/users');
  const agent = users.find(({ name }) => name === 'agent')!.id;
  const home = (await configuration.desktop()).id;
  await configuration.put(`/desktops/${id}/agents`, { add: [agent], remove: [] });
  await desk.signIn('agent');
  await desk.takeCall();
  await expect(desk.page.getByText('No payment widget is enabled for your desktop.')).toBeVisible();
  await expect(desk.button('Credit card')).toHaveCount(0);
  await simulator.hangUp();
  await configuration.put(`/desktops/${home}/agents`, { add: [agent], remove: [] });
  await desk.takeCall();
  await expect(desk.button('Credit card')).toBeEnabled();
});

const SCREENS = ['/configure/agents/agent-desktop', '/configure/agents/secure-payment-capture', '/configure/calls/services', '/configure/users/users', '/configure/users/roles'];

test('p4 whoever may not configure finds no way to it, and no request of theirs changes a prompt or a gateway', async ({ browser, demo, configuration }) => {
  const { id, design: _, ...desktop } = await configuration.desktop();
  for (const name of ['agent', 'supervisor', 'auditor'] as const satisfies readonly UserName[]) {
    const desk = await elsewhere(browser, demo);
    await desk.signIn(name);
    for (const path of SCREENS) {
      await desk.page.goto(path);
      await expect(desk.button('Sign out')).toBeVisible();
      const mayReview = name === 'auditor' && path.startsWith('/configure/users/');
      if (!mayReview) await expect(desk.page.getByRole('alert')).toHaveText('Your roles do not allow this page. Ask a Security admin.');
    }
    await expect(send(desk.page, [{ method: 'PUT', path: `/desktops/${id}`, body: desktop }])).rejects.toThrow(/not_permitted/);
    await desk.page.context().close();
  }
});
