/** Configuration: what an administrator saves is what agents get. */
import type { Page } from '@playwright/test';
import { expect, test } from './demo';
import { TITLES, elsewhere } from './desk';
import { keysHeard } from './ear';
import { DESKTOP, openDesktop, saveDesktop } from './editor';

test.use({ story: 'admin' });

const { cardAdvanced, cardBasic } = TITLES;
const SERVICE = 'Demo line';

test('n1 n2 n3 n4 n6 n7 n9 w2 w4 a desktop opens by double-click; OK and Save keep a title and a prompt, Cancel keeps nothing, and the agent gets them', async ({ page, desk, demo, browser, shot }) => {
  await desk.signIn('admin');
  await expect(page.getByRole('navigation', { name: 'You are here' })).toHaveText(/Configure.*Agents.*Agent Desktop/);
  await expect(page.getByRole('row', { name: DESKTOP })).toBeVisible();
  await shot('admin-desktops');
  await page.getByRole('row', { name: DESKTOP }).click();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: DESKTOP })).toBeVisible();
  await openDesktop(page);
  await expect(page.getByRole('listbox', { name: 'Available Widgets' }).getByRole('option')).toHaveText(['Credit Card Basic', 'Check Basic', 'Credit Card Advanced', 'Check Advanced']);
  await shot('admin-editor');

  await page.getByRole('button', { name: `Edit ${cardBasic}` }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill('Never kept');
  await sheet.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByText('Never kept')).toHaveCount(0);
  await expect(page.getByText('Unsaved changes', { exact: true })).toHaveCount(0);

  await page.getByRole('button', { name: `Edit ${cardBasic}` }).click();
  await sheet.getByRole('textbox', { name: 'Window Title' }).fill('Card to the other system');
  await sheet.getByRole('textbox', { name: 'Credit Card Text' }).fill('Kindly key the long number on the front.\nThen the pound key.');
  await shot('admin-widget');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(page.getByText('Unsaved changes', { exact: true })).toBeVisible();
  await saveDesktop(page);
  await shot('admin-saved');
  await page.reload();
  await page.getByRole('button', { name: 'Edit Card to the other system' }).click();
  await expect(sheet.getByRole('textbox', { name: 'Credit Card Text' })).toHaveValue('Kindly key the long number on the front.\nThen the pound key.');

  const agent = await elsewhere(browser, demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await agent.button('Credit card').click();
  await agent.page.getByRole('menuitem', { name: 'Card to the other system' }).click();
  await expect(agent.page.getByRole('heading', { name: 'Card to the other system' })).toBeVisible();
  await expect(agent.page.getByText('Kindly key the long number on the front.')).toBeVisible();
  await agent.button('Cancel').click();
  await agent.page.context().close();
});

test('s6 an agent reads the prompt in the language chosen where one signs in, and finds that language at another browser', async ({ page, desk, demo, browser, shot }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: /Language of the texts/ }).click();
  await page.getByRole('option', { name: /Deutsch/ }).click();
  await sheet.getByRole('textbox', { name: 'Window Title (Deutsch)' }).fill('Kartenzahlung');
  await sheet.getByRole('textbox', { name: 'Credit Card Text (Deutsch)' }).fill('Bitte geben Sie Ihre Kartennummer ein.');
  await shot('admin-widget-languages');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await saveDesktop(page);

  const { page: german } = await elsewhere(browser, demo);
  await german.goto('/');
  await german.getByRole('button', { name: /Language/ }).click();
  await german.getByRole('option', { name: 'Deutsch' }).click();
  await german.getByRole('textbox', { name: 'Benutzername' }).fill('agent');
  await german.getByLabel('Passwort', { exact: true }).fill(demo.passwords.agent);
  await german.getByRole('button', { name: 'Anmelden' }).click();
  await demo.simulator.call();
  await german.getByRole('button', { name: 'Kreditkarte' }).click();
  await german.getByRole('menuitem', { name: 'Kartenzahlung' }).click();
  await german.getByRole('tab', { name: /^Zahlung/ }).click();
  await german.getByRole('button', { name: 'Jetzt fragen: Kartennummer' }).click();
  await expect(german.getByText('Bitte geben Sie Ihre Kartennummer ein.')).toBeVisible();
  await german.screenshot({ path: test.info().outputPath('agent-german.png'), fullPage: true });
  await german.getByRole('button', { name: 'Abbrechen' }).click();

  const { page: other } = await elsewhere(browser, demo);
  await other.goto('/');
  await other.getByRole('textbox', { name: 'User name' }).fill('agent');
  await other.getByLabel('Password', { exact: true }).fill(demo.passwords.agent);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByRole('button', { name: 'Anzeige' }).click();
  await other.getByRole('menuitemradio', { name: 'Automatisch' }).first().click();
  await expect(other.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await german.context().close();
  await other.context().close();
});

test('w8 w10 b3 v5 c7 c11 o5 a card type that is not ticked is refused by name, with the ones that are taken; brand and last four show where the desktop opts in', async ({ page, desk, demo, simulator, browser, shot }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('checkbox', { name: 'American Express' }).uncheck({ force: true });
  await sheet.getByRole('button', { name: 'More' }).click();
  await sheet.getByRole('checkbox', { name: 'Show brand and last four after Obtained' }).check({ force: true });
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await saveDesktop(page);

  const agent = await elsewhere(browser, demo);
  await agent.open(cardAdvanced);
  await agent.fill('10.00');
  await expect(agent.page.getByText('Accepted: Visa · Master Card · Discover')).toBeVisible();
  await agent.ask('number');
  await simulator.keyCard('amex', 'number');
  await expect(agent.row('number')).toContainText('American Express is not accepted here. Ask for Visa, Master Card or Discover.', { timeout: 15_000 });
  await shot('advanced-brand-not-accepted', agent.page);
  await agent.again('number');
  await simulator.keyCard('visa', 'number');
  await agent.obtained('number');
  await expect(agent.row('number')).toHaveText(/Visa.*ends in \d{4}/);
  await simulator.hangUp();
  await agent.putAway();
  await agent.page.context().close();
});

test('w31 w51 a Service URL without https is refused at its field, on the page and by the server, and nothing is saved', async ({ page, desk, shot }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  const url = sheet.getByRole('textbox', { name: 'Service URL' });
  const before = await url.inputValue();
  await shot('admin-gateway');
  await url.fill('http://gateway.example/pay');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await expect(url).toHaveAttribute('aria-invalid', 'true');
  await expect(url).toHaveAccessibleDescription(/https/);
  await expect(url).toBeFocused();
  await shot('admin-gateway-refused');
  await sheet.getByRole('tab', { name: 'Advanced Config' }).click();
  await shot('admin-advanced-config');

  // The server says the same to whoever asks it without the page.
  const refused = await page.evaluate(async () => {
    const get = async (path: string) => (await fetch(`/api/v1${path}`)).json();
    const { csrf } = await get('/login');
    const [{ id }] = (await get('/desktops')).desktops;
    const { desktop } = await get(`/desktops/${id}`);
    const { id: _, design: __, ...form } = desktop;
    form.widgets[0].gateway.service_url = 'http://gateway.example/pay';
    const response = await fetch(`/api/v1/desktops/${id}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-Tonewall-CSRF': csrf },
      body: JSON.stringify(form),
    });
    return { status: response.status, problem: await response.json() };
  });
  expect(refused, JSON.stringify(refused.problem)).toMatchObject({ status: 422 });
  expect(refused.problem.errors).toEqual([{ field: 'widgets[0].gateway.service_url', message: 'The URL begins with https://.' }]);

  await page.reload();
  await page.getByRole('button', { name: `Edit ${cardAdvanced}` }).click();
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  await expect(sheet.getByRole('textbox', { name: 'Service URL' })).toHaveValue(before);
});

test('s4 a gateway host that nobody approved disables its button and says why', async ({ page, desk, demo, simulator, browser, shot }) => {
  await desk.signIn('admin');
  await openDesktop(page);
  await page.getByRole('button', { name: `Edit ${TITLES.checkAdvanced}` }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('tab', { name: 'Payment Gateway Config' }).click();
  await sheet.getByRole('textbox', { name: 'Service URL' }).fill('https://gateway.example/pay');
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await page.getByRole('button', { name: `Edit ${TITLES.checkBasic}` }).click();
  await sheet.getByRole('checkbox', { name: 'Enabled' }).uncheck({ force: true });
  await sheet.getByRole('button', { name: 'OK', exact: true }).click();
  await saveDesktop(page);

  const agent = await elsewhere(browser, demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await expect(agent.button('Check')).toBeDisabled();
  await expect(agent.button('Check')).toHaveAccessibleDescription('The gateway\'s host is not approved.');
  await expect(agent.button('Credit card')).toBeEnabled();
  await shot('agent-host-not-approved', agent.page);
  await simulator.hangUp();
  await agent.page.context().close();
});

test('a service that masks whole calls: the line is protected with no widget open, and no key is heard', async ({ page, desk, demo, simulator, browser, shot }) => {
  await desk.signIn('admin');
  const masks = async (when: string) => {
    await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Services' }).click();
    await page.getByRole('row', { name: SERVICE }).dblclick();
    await page.getByRole('radio', { name: when }).check({ force: true });
    await shot(`admin-service-${when.split(' ')[0]?.toLowerCase()}`);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByRole('row', { name: SERVICE })).toContainText(when);
  };
  await masks('During the whole call');

  const agent = await elsewhere(browser, demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await expect(agent.callBar).toContainText('Line: protected');
  await simulator.mode('inband');
  await simulator.keys('1597530*#');
  await simulator.keyed();
  await shot('agent-always-protected', agent.page);
  await simulator.hangUp();
  const heard = await simulator.heard();
  expect(heard.recoverable_digits).toBe(0);
  expect(heard.loud_ms).toBeGreaterThan(500);
  expect(await keysHeard(await simulator.heardAudio())).toBe('');
  await agent.page.context().close();

  await masks('While a widget is open');
});

test('p2 s2 with the system switch off there is no payment button and the API names the gate; on again they are back', async ({ page, desk, demo, browser, shot }) => {
  const agent = await elsewhere(browser, demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await expect(agent.button('Credit card')).toBeEnabled();
  const widget = await agent.page.evaluate(async () => (await (await fetch('/api/v1/me/desktop')).json()).widgets[0].id as string);

  await desk.signIn('admin');
  await page.getByRole('link', { name: 'Secure Payment Capture', exact: true }).click();
  const gate = page.getByRole('switch', { name: 'Secure Payment Capture' });
  await expect(gate).toBeChecked();
  await gate.click({ force: true });
  await expect(gate).not.toBeChecked();
  await expect(page.getByText('Saved.')).toBeVisible();
  await shot('admin-switch-off');
  await expect(agent.button('Credit card')).toHaveCount(0);
  await expect(agent.button('Check')).toHaveCount(0);
  await expect(agent.page.getByText('Secure Payment Capture is switched off.')).toBeVisible();
  await shot('agent-gate-shut', agent.page);

  const refused = await agent.page.evaluate(async (id) => {
    const get = async (path: string) => (await fetch(`/api/v1${path}`)).json();
    const { csrf } = await get('/login');
    const [call] = (await get('/calls')).calls;
    const response = await fetch(`/api/v1/calls/${call.id}/captures`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Tonewall-CSRF': csrf },
      body: JSON.stringify({ widget: id }),
    });
    return { status: response.status, problem: await response.json() };
  }, widget);
  expect(refused).toMatchObject({ status: 403, problem: { code: 'gate_system_switch' } });

  await gate.click({ force: true });
  await expect(gate).toBeChecked();
  await expect(agent.button('Credit card')).toBeEnabled();
  await agent.page.context().close();
});

test('c5 a recorder that does not confirm its pause blocks the widget: no prompt, no keys', async ({ page, desk, demo, simulator, browser, shot }) => {
  await desk.signIn('admin');
  await declareRecorders(page, [{ name: 'Old recorder', medium: 'call', hears: 'masked' }]);
  const agent = await elsewhere(browser, demo);
  await agent.signIn('agent');
  await agent.takeCall();
  await agent.button('Credit card').click();
  await agent.page.getByRole('menuitem').filter({ hasNotText: cardAdvanced }).first().click();
  await expect(agent.page.getByText('No card may be taken.').first()).toBeVisible();
  await expect(agent.page.getByText(/^Say:/)).toHaveCount(0);
  await expect(agent.page.getByText('Protected capture')).toHaveCount(0);
  await simulator.keys('411111');
  await simulator.keyed();
  await expect(agent.page.getByText('digits keyed')).toHaveCount(0);
  await shot('basic-blocked', agent.page);
  await agent.button('Close').click();
  await simulator.hangUp();
  await agent.page.context().close();
  await declareRecorders(page, []);
});

/** Says which recorders record the calls of the service. */
async function declareRecorders(page: Page, sinks: { name: string; medium: string; hears: string }[]): Promise<void> {
  const status = await page.evaluate(async (sinks) => {
    const get = async (path: string) => (await fetch(`/api/v1${path}`)).json();
    const { csrf } = await get('/login');
    const [{ id, revision }] = (await get('/services')).services;
    const body = JSON.stringify({ sinks, revision });
    const headers = { 'Content-Type': 'application/json', 'X-Tonewall-CSRF': csrf };
    return (await fetch(`/api/v1/services/${id}/recorders`, { method: 'POST', headers, body })).status;
  }, sinks);
  expect(status).toBe(200);
}
