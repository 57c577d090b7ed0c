import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { DisplayInputs, DisplayMenu } from './display';
import { chooseLanguage } from './lib/i18n/catalogue';
import { applyTheme } from './lib/theme/theme';
import { enter } from './lib/preferences';
import { fakeServer, renderPage } from './test-page';

afterEach(async () => {
  applyTheme('auto');
  await chooseLanguage('en');
  localStorage.clear();
  vi.unstubAllGlobals();
});

test('language and theme are chosen where one signs in, each language by its own name', async () => {
  renderPage(<DisplayInputs />);
  await userEvent.click(screen.getByRole('button', { name: /Language/ }));
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['Auto', 'English', 'Español', 'Français', 'Deutsch']);
  await userEvent.click(screen.getByRole('option', { name: 'Deutsch' }));
  await userEvent.click(await screen.findByRole('button', { name: /Darstellung/ }));
  await userEvent.click(screen.getByRole('option', { name: 'Dunkel' }));
  expect(document.documentElement).toHaveAttribute('lang', 'de');
  expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
});

test('the header has both in one menu, by keyboard too, and the server keeps the choice', async () => {
  const requests = fakeServer(() => ({ status: 200 }));
  renderPage(<DisplayMenu />);
  await userEvent.tab();
  await userEvent.keyboard('{Enter}');
  expect(screen.getAllByRole('menuitemradio', { checked: true }).map((item) => item.textContent)).toEqual(['English', 'Auto']);
  await userEvent.keyboard('Fr{Enter}');
  expect(await screen.findByRole('button', { name: 'Affichage' })).toBeVisible();
  await waitFor(() => expect(requests.map(({ path, body }) => ({ path, body }))).toEqual([{ path: '/me/preferences', body: { language: 'fr', theme: null } }]));
});

test('a choice that the server does not keep holds here, and it is said', async () => {
  fakeServer(() => 'no answer');
  renderPage(<DisplayMenu />);
  await userEvent.click(screen.getByRole('button', { name: 'Display' }));
  await userEvent.click(screen.getByRole('menuitemradio', { name: 'Dark' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Your choice holds in this browser only');
  expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
});

test('whoever logs in gets what they chose before, unless something was chosen at the door', async () => {
  const requests = fakeServer(() => ({ status: 200 }));
  await enter({ language: 'es', theme: 'dark' });
  expect(document.documentElement).toHaveAttribute('lang', 'es');
  expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
  renderPage(<DisplayInputs />);
  await userEvent.click(screen.getByRole('button', { name: /Idioma/ }));
  await userEvent.click(screen.getByRole('option', { name: 'Deutsch' }));
  await screen.findByRole('button', { name: /Sprache/ });
  await enter({ language: 'es', theme: null });
  expect(document.documentElement).toHaveAttribute('lang', 'de');
  expect(requests.map(({ body }) => body)).toEqual([{ language: 'de', theme: 'dark' }]);
});
