import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeServer, loginOf, renderPage } from '../test-page';
import SetUpPage from './set-up-page';

const FACTOR = { secret: 'GEZDGNBVGY3TQOJQ', link: 'otpauth://totp/x', picture: ['1'] };

beforeEach(() => window.history.replaceState(null, '', '/set-up#the-token'));
afterEach(() => {
  window.history.replaceState(null, '', '/');
  vi.unstubAllGlobals();
});

async function fill(): Promise<void> {
  await userEvent.type(await screen.findByLabelText(/^User name/), 'ada');
  await userEvent.type(screen.getByLabelText(/^Display name/), 'Ada Lane');
  await userEvent.type(screen.getByLabelText(/^Password \*/), 'battery staple 7');
  await userEvent.type(screen.getByLabelText(/^Password again/), 'battery staple 7');
}

test('the first administrator is made with the token of the link and a code of the key that is shown', async () => {
  const requests = fakeServer(({ path }) => (path === '/set-up/offer' ? { json: { second_factor: FACTOR } } : { json: loginOf('desktop.edit') }));
  renderPage(<SetUpPage />);
  await fill();
  expect(screen.getByRole('img', { name: 'QR code of the key' })).toBeVisible();
  await userEvent.type(screen.getByLabelText(/^Code that the app shows now/), '123 456{Enter}');
  await waitFor(() => expect(window.location.pathname + window.location.hash).toBe('/'));
  expect(requests.map(({ path, body }) => [path, body])).toEqual([
    ['/set-up/offer', { token: 'the-token' }],
    ['/set-up', { token: 'the-token', name: 'ada', display_name: 'Ada Lane', password: 'battery staple 7', code: '123 456' }],
  ]);
});

test('what is wrong stands at its field, and a code is typed anew', async () => {
  fakeServer(({ path }) =>
    path === '/set-up/offer' ? { json: { second_factor: FACTOR } } : { status: 422, json: { title: 'Invalid', status: 422, errors: [{ field: 'name', message: 'use letters' }, { field: 'code', message: 'not the code' }] } },
  );
  renderPage(<SetUpPage />);
  await fill();
  const code = screen.getByLabelText(/^Code that the app shows now/);
  await userEvent.type(code, '000000{Enter}');
  await waitFor(() => expect(code).toHaveAccessibleDescription('not the code'));
  expect(code).toHaveValue('');
  expect(screen.getByLabelText(/^User name/)).toHaveAccessibleDescription(/use letters/);
  expect(screen.queryByRole('alert')).toBeNull();
});

test('two different passwords are not sent, and without a second factor that is said', async () => {
  const requests = fakeServer(() => ({ json: { second_factor: null } }));
  renderPage(<SetUpPage />);
  await fill();
  expect(screen.getByText(/switches the second factor off/)).toBeVisible();
  await userEvent.type(screen.getByLabelText(/^Password again/), 'x{Enter}');
  expect(screen.getByLabelText(/^Password again/)).toHaveAccessibleDescription('The two entries differ.');
  expect(requests).toHaveLength(1);
});

test('a link that does not hold says so and leads to the sign-in', async () => {
  fakeServer(() => ({ status: 409, json: { title: 'No', status: 409, code: 'wrong_state', detail: 'No' } }));
  renderPage(<SetUpPage />);
  expect(await screen.findByRole('alert')).toHaveTextContent('This link does not hold');
  expect(screen.getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', '/');
});
