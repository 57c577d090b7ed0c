import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CaptureView } from '../lib/api/types';
import { NOW, atField, call, capture, obtained, payment } from '../lib/capture/fixtures';
import type { Typed } from '../lib/capture/payment-form';
import { emptyForm } from '../lib/capture/payment-form';
import { LiveStore } from '../lib/events/live-store';
import { useLive } from '../lib/events/use-live';
import { fakeServer, renderPage } from '../test-page';
import { CapturePanel } from './capture-panel';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function storeWith(view: CaptureView) {
  const store = new LiveStore();
  store.applyCall(call({ capture: view }));
  store.setConnection('open');
  return store;
}

function Panel({ store, locked = false }: { store: LiveStore; locked?: boolean }) {
  const [current] = useLive(store).calls;
  const [form, setForm] = useState<Typed>({ ...emptyForm({ firstName: 'Jane', lastName: 'Roe' }), amount: '120.50' });
  if (!current?.capture) return <p>closed</p>;
  return <CapturePanel key={current.capture.id} call={current} view={current.capture} store={store} online locked={locked} form={form} onForm={setForm} />;
}

const ready = capture('credit_card_advanced', 'ready', { id: 'c1' });
const charge = async () => {
  await userEvent.click(screen.getByRole('button', { name: 'Process Payment' }));
  await userEvent.click(screen.getByRole('button', { name: 'Yes, charge 120.50 USD' }));
};
const toStatus = () => userEvent.click(screen.getByRole('tab', { name: /Status/ }));

describe('Process Payment', () => {
  test('sends the form once with an idempotency key and shows what comes back', async () => {
    const processing = capture('credit_card_advanced', 'processing', { id: 'c1', revision: 2, payment: payment({ sent_at: NOW }) });
    const requests = fakeServer(() => ({ json: processing }));
    renderPage(<Panel store={storeWith(ready)} />);
    await toStatus();
    await charge();
    expect(await screen.findByText(/^Sending payment\.\.\./)).toBeVisible();
    const [sent, ...more] = requests.filter(({ path }) => path === '/captures/c1/process');
    expect(more).toEqual([]);
    expect(sent?.headers['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/);
    expect(sent?.body).toEqual({ amount: '120.50', currency: 'USD', values: { firstName: 'Jane', lastName: 'Roe' } });
  });

  test('an answer that got lost is asked for with the same key', async () => {
    let first = true;
    const requests = fakeServer(({ path }) => {
      if (!path.endsWith('/process')) return { json: ready };
      const lost = first;
      first = false;
      return lost ? 'no answer' : { json: { ...ready, state: 'processing', revision: 2, payment: payment() } };
    });
    renderPage(<Panel store={storeWith(ready)} />);
    await toStatus();
    await charge();
    expect(await screen.findByRole('alert')).toHaveTextContent('The server does not answer.');
    await charge();
    expect(await screen.findByText(/^Sending payment\.\.\./)).toBeVisible();
    const keys = requests.filter(({ path }) => path.endsWith('/process')).map(({ headers }) => headers['Idempotency-Key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test('after a refusal the next press is a new attempt', async () => {
    let first = true;
    const requests = fakeServer(({ path }) => {
      if (!path.endsWith('/process')) return { json: ready };
      const refused = first;
      first = false;
      return refused
        ? { status: 422, json: { title: 'Some fields are wrong', status: 422, detail: 'The amount is above the limit', code: 'invalid', errors: [] } }
        : { json: { ...ready, state: 'processing', revision: 2, payment: payment() } };
    });
    renderPage(<Panel store={storeWith(ready)} />);
    await toStatus();
    await charge();
    expect(await screen.findByRole('alert')).toHaveTextContent('The amount is above the limit');
    await charge();
    expect(await screen.findByText(/^Sending payment\.\.\./)).toBeVisible();
    const keys = requests.filter(({ path }) => path.endsWith('/process')).map(({ headers }) => headers['Idempotency-Key']);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('what listens', () => {
  test('Basic asks for its first field as soon as the line is protected', async () => {
    const requests = fakeServer(() => ({ json: capture('credit_card_basic', 'armed', { id: 'c1', revision: 3, listening: 'card_number' }) }));
    const store = storeWith(capture('credit_card_basic', 'arming', { id: 'c1' }));
    renderPage(<Panel store={store} />);
    act(() => store.applyCapture(capture('credit_card_basic', 'armed', { id: 'c1', revision: 2 })));
    await vi.waitFor(() => expect(requests.map(({ body }) => body)).toEqual([{ do: 'listen', field: 'card_number' }]));
  });

  test('Basic asks also when the line was protected before the page knew', async () => {
    const requests = fakeServer(() => ({ json: capture('credit_card_basic', 'armed', { id: 'c1', revision: 3, listening: 'card_number' }) }));
    renderPage(<Panel store={storeWith(capture('credit_card_basic', 'armed', { id: 'c1' }))} />);
    await vi.waitFor(() => expect(requests.map(({ body }) => body)).toEqual([{ do: 'listen', field: 'card_number' }]));
  });

  test('Next to a capture stop listens there, and leaving for a form rests', async () => {
    const armed = capture('credit_card_advanced', 'armed', { id: 'c1' });
    const requests = fakeServer(({ body }) => {
      const listens = (body as { do: string }).do === 'listen';
      return { json: { ...armed, revision: requests.length + 1, listening: listens ? 'card_number' : null } };
    });
    renderPage(<Panel store={storeWith(armed)} />);
    await userEvent.click(screen.getByRole('button', { name: 'Next' }));
    await userEvent.click(screen.getByRole('button', { name: 'Next' }));
    await vi.waitFor(() => expect(requests.map(({ body }) => body)).toEqual([{ do: 'listen', field: 'card_number' }]));
    await vi.waitFor(() => expect(screen.getByRole('group', { name: 'Card number' })).toHaveAttribute('aria-current', 'true'));
    await userEvent.click(screen.getByRole('tab', { name: /Demographic/ }));
    await vi.waitFor(() => expect(requests.at(-1)?.body).toEqual({ do: 'rest' }));
  });
});

describe('Basic values', () => {
  const VALUE = 'abcdefghijklmnop';
  const waiting = atField('credit_card_basic', 'card_number', { state: 'keying', count: 15 });
  const before = { ...waiting, id: 'c1', revision: 1 };
  const after = { ...before, revision: 2, fields: before.fields.map((row) => (row.field === 'card_number' ? obtained('card_number', { revealable: true }) : row)), listening: 'expiry' as const };

  test('are fetched once as they become available, hidden after their time, and shown again on request', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    const requests = fakeServer(() => ({ text: VALUE }));
    const store = storeWith(before);
    store.applyOpened(before);
    renderPage(<Panel store={store} />);
    act(() => store.applyCapture(after));
    const row = () => within(screen.getByRole('group', { name: 'Card number' }));
    expect(await row().findByText('abcd efgh ijkl mnop')).toBeVisible();
    act(() => store.applyCapture({ ...after, revision: 3 }));
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ path: '/captures/c1/reveal', body: { field: 'card_number' } });
    act(() => void vi.advanceTimersByTime(60_000));
    expect(row().queryByText('abcd efgh ijkl mnop')).toBeNull();
    expect(document.body.innerHTML).not.toContain(VALUE.slice(0, 4));
    await user.click(row().getByRole('button', { name: 'Show: Card number' }));
    expect(await row().findByText('abcd efgh ijkl mnop')).toBeVisible();
    expect(requests).toHaveLength(2);
  });

  test('are not fetched by a page that was loaded later', async () => {
    const requests = fakeServer(() => ({ text: VALUE }));
    renderPage(<Panel store={storeWith(after)} />);
    expect(screen.getByRole('button', { name: 'Show: Card number' })).toBeVisible();
    expect(requests).toEqual([]);
  });

  test('are not fetched unasked by a page that did not open the capture, nor by one that is locked', async () => {
    const requests = fakeServer(() => ({ text: VALUE }));
    const other = storeWith(before);
    const page = renderPage(<Panel store={other} />);
    act(() => other.applyCapture(after));
    expect(screen.getByRole('button', { name: 'Show: Card number' })).toBeVisible();
    page.unmount();
    const store = storeWith(before);
    store.applyOpened(before);
    const { rerender } = renderPage(<Panel store={store} locked />);
    act(() => store.applyCapture(after));
    rerender(<Panel store={store} />);
    expect(screen.getByRole('button', { name: 'Show: Card number' })).toBeVisible();
    expect(requests).toEqual([]);
  });

  test('leave the page when it locks and when the field is captured again', async () => {
    fakeServer(() => ({ text: VALUE }));
    const store = storeWith(before);
    store.applyOpened(before);
    const { rerender } = renderPage(<Panel store={store} />);
    act(() => store.applyCapture(after));
    expect(await screen.findByText('abcd efgh ijkl mnop')).toBeVisible();
    rerender(<Panel store={store} locked />);
    expect(screen.queryByText('abcd efgh ijkl mnop')).toBeNull();
    rerender(<Panel store={store} />);
    expect(screen.queryByText('abcd efgh ijkl mnop')).toBeNull();
  });

  test('s11 a security code is gone once another window has the keyboard', async () => {
    fakeServer(() => ({ text: VALUE }));
    const shown = { ...before, fields: before.fields.map((row) => (row.field === 'security_code' ? obtained('security_code', { revealable: true }) : row)) };
    renderPage(<Panel store={storeWith(shown)} />);
    const hold = screen.getByRole('button', { name: 'Hold to show' });
    await userEvent.pointer({ target: hold, keys: '[MouseLeft>]' });
    expect(await screen.findByText(VALUE)).toBeVisible();
    act(() => void window.dispatchEvent(new Event('blur')));
    expect(screen.queryByText(VALUE)).toBeNull();
    expect(document.body.innerHTML).not.toContain(VALUE.slice(0, 4));
  });
});
