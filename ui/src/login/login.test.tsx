import { act, renderHook, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Login } from '../lib/api/types';
import { fakeServer, renderPage } from '../test-page';
import { IDLE_LOCK_MS, LockOverlay, useIdleLock } from './idle-lock';
import LoginPage from './login-page';
import PasswordPage from './password-page';
import SecondFactorPage from './second-factor-page';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const login: Login = {
  user: { id: 'u1', name: 'a.kim', display_name: 'Alex Kim' },
  csrf: 'c',
  permissions: [],
  roles: ['agent'],
  desktop: null,
  preferences: { language: null, theme: null },
  must_change_password: true,
  must_set_second_factor: false,
  locked: false,
};
const problem = (status: number, code: string) => ({ status, json: { title: 'No', status, code, detail: 'No' } });

describe('signing in', () => {
  test('works by keyboard alone, and the password can be pasted', async () => {
    const requests = fakeServer(() => ({ json: login }));
    renderPage(<LoginPage />);
    expect(screen.getByRole('textbox', { name: 'User name' })).toHaveFocus();
    await userEvent.keyboard('a.kim{Tab}');
    await userEvent.paste('correct horse 1');
    await userEvent.keyboard('{Enter}');
    await vi.waitFor(() => expect(requests.find(({ path }) => path === '/login')?.body).toEqual({ user: 'a.kim', password: 'correct horse 1' }));
  });

  test('c2 s22 a code can be pasted, offered by the browser, and is sent with the password', async () => {
    const requests = fakeServer(({ path }) => (path === '/login/policy' ? { json: { asks_for_code: true, awaits_set_up: false } } : { json: login }));
    renderPage(<LoginPage />);
    await userEvent.keyboard('a.kim{Tab}correct horse 1');
    const code = screen.getByRole('textbox', { name: 'Code' });
    expect(code).toHaveAttribute('autocomplete', 'one-time-code');
    await userEvent.click(code);
    await userEvent.paste('287 082');
    await userEvent.keyboard('{Enter}');
    await vi.waitFor(() => expect(requests.find(({ path }) => path === '/login')?.body).toEqual({ user: 'a.kim', password: 'correct horse 1', code: '287 082' }));
  });

  test('no code is asked for where the server asks nobody, and without users it names the set-up link', async () => {
    fakeServer(() => ({ json: { asks_for_code: false, awaits_set_up: true } }));
    renderPage(<LoginPage />);
    await vi.waitFor(() => expect(screen.queryByRole('textbox', { name: 'Code' })).toBeNull());
    expect(screen.getByText(/Open the set-up link/)).toBeVisible();
  });

  test.each([
    [problem(401, 'login_failed'), false, 'User name or password is wrong.'],
    [problem(401, 'login_failed'), true, 'User name, password or code is wrong. A code works once.'],
    [problem(423, 'account_locked'), true, 'This account is locked. Try again in 30 minutes or ask an administrator.'],
    ['no answer' as const, true, 'The server does not answer. Try again.'],
  ])('a failure is one alert, and the password is gone', async (answer, asked, text) => {
    fakeServer(({ path }) => (path === '/login/policy' ? { json: { asks_for_code: asked, awaits_set_up: false } } : answer));
    renderPage(<LoginPage />);
    await userEvent.type(screen.getByLabelText('User name'), 'a.kim');
    await userEvent.type(screen.getByLabelText('Password'), 'wrong');
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(text);
    expect(screen.getByLabelText('Password')).toHaveValue('');
  });
});

test('a first password is checked here before it is sent', async () => {
  const requests = fakeServer(() => ({ status: 200 }));
  renderPage(<PasswordPage login={login} />);
  await userEvent.type(screen.getByLabelText('Current password'), 'first one 1');
  await userEvent.type(screen.getByLabelText('New password'), 'correct horse 1');
  await userEvent.type(screen.getByLabelText('New password again'), 'correct horse 2');
  await userEvent.click(screen.getByRole('button', { name: 'Save password' }));
  expect(screen.getByLabelText('New password again')).toHaveAccessibleDescription('The two entries differ.');
  expect(requests).toEqual([]);
});

test('s22 the second factor is set up with the key that is shown and a code of it', async () => {
  const offer = { secret: 'GEZDGNBVGY3TQOJQ', link: 'otpauth://totp/Tonewall:a.kim?secret=GEZDGNBVGY3TQOJQ', picture: ['101', '010', '101'] };
  const requests = fakeServer(({ method }) => (method === 'POST' ? { json: offer } : { status: 422, json: { title: 'Invalid', status: 422, errors: [{ field: 'code', message: 'this is not the code' }] } }));
  renderPage(<SecondFactorPage login={login} />);
  expect(await screen.findByText('GEZD GNBV GY3T QOJQ')).toBeVisible();
  expect(screen.getByRole('img', { name: 'QR code of the key' })).toBeVisible();
  const code = screen.getByRole('textbox', { name: /Code that the app shows now/ });
  await userEvent.type(code, '123456{Enter}');
  await vi.waitFor(() => expect(code).toHaveAccessibleDescription(/this is not the code/));
  expect(code).toHaveValue('');
  expect(requests.find(({ method }) => method === 'PUT')?.body).toEqual({ code: '123456' });
});

describe('the idle lock', () => {
  test('closes after 15 minutes without key or pointer, and not before', () => {
    vi.useFakeTimers();
    fakeServer(() => ({ status: 200 }));
    const { result } = renderHook(() => useIdleLock(false));
    act(() => void vi.advanceTimersByTime(IDLE_LOCK_MS - 10_000));
    act(() => void window.dispatchEvent(new Event('pointermove')));
    act(() => void vi.advanceTimersByTime(IDLE_LOCK_MS - 10_000));
    expect(result.current.locked).toBe(false);
    act(() => void vi.advanceTimersByTime(15_000));
    expect(result.current.locked).toBe(true);
  });

  test('opens with the password', async () => {
    const requests = fakeServer(() => ({ json: login }));
    const onUnlock = vi.fn();
    renderPage(<LockOverlay login={login} onUnlock={onUnlock} />);
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse 1{Enter}');
    await vi.waitFor(() => expect(onUnlock).toHaveBeenCalledOnce());
    expect(requests[0]).toMatchObject({ path: '/unlock', body: { password: 'correct horse 1' } });
  });
});
