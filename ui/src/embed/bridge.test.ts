import { beforeEach, describe, expect, test, vi } from 'vitest';
import { call } from '../lib/capture/fixtures';
import { Bridge, originAround } from './bridge';

const CRM = 'https://crm.example';
const around = { postMessage: vi.fn() };
const hooks = { init: vi.fn(), tell: vi.fn(async () => undefined) };
beforeEach(() => {
  around.postMessage.mockClear();
  hooks.init.mockClear();
  hooks.tell.mockReset().mockResolvedValue(undefined);
});

function bridgeOn(nearest: string | undefined = CRM) {
  const bridge = new Bridge(around as unknown as Window, [CRM, 'https://other.example'], nearest, hooks);
  const stop = bridge.listen();
  const says = async (data: unknown, origin = CRM, source: unknown = around) => {
    const event = new MessageEvent('message', { data, origin });
    Object.defineProperty(event, 'source', { value: source });
    window.dispatchEvent(event);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { bridge, says, stop };
}
const said = () => around.postMessage.mock.calls.map(([message, origin]) => ({ ...message, to: origin }));

describe('c25 the wire to the page around this one', () => {
  test('tells that page and no other, each thing once', () => {
    const { bridge, stop } = bridgeOn();
    bridge.show(undefined);
    bridge.show(call());
    bridge.show(call());
    expect(said()).toEqual([
      { v: 1, type: 'spc.call', state: 'none', to: CRM },
      { v: 1, type: 'spc.call', state: 'connected', to: CRM },
    ]);
    stop();
  });

  test('tells nothing to a page that the server does not list, and hears nothing of it', async () => {
    const { bridge, says, stop } = bridgeOn('https://evil.example');
    bridge.show(call());
    await says({ v: 1, type: 'spc.init', code: 'x' }, 'https://evil.example');
    await says({ v: 1, type: 'spc.dial', number: '1' }, 'null');
    expect([around.postMessage, hooks.init].flatMap(({ mock }) => mock.calls)).toEqual([]);
    stop();
  });

  test('hears the window around it on its own origin only, and forms that it knows only', async () => {
    const { says, stop } = bridgeOn();
    await says({ v: 1, type: 'spc.init', code: 'a' }, 'https://other.example');
    await says({ v: 1, type: 'spc.init', code: 'b' }, CRM, window);
    await says({ v: 1, type: 'spc.init', code: 'c', more: true });
    await says({ v: 1, type: 'spc.init', code: 'd' });
    expect(hooks.init.mock.calls).toEqual([[{ type: 'spc.init', code: 'd' }, CRM]]);
    stop();
  });

  test('where the browser does not say who is around, the first listed page that speaks is it', async () => {
    const { bridge, says, stop } = bridgeOn('');
    const open = new Bridge(around as unknown as Window, [CRM], undefined, hooks);
    open.show(call());
    expect(said()).toEqual([]);
    await says({ v: 1, type: 'spc.dial', number: '1' });
    expect(bridge.origin).toBe(CRM);
    expect(said()).toEqual([{ v: 1, type: 'spc.dial', result: 'not_available', to: CRM }]);
    stop();
  });

  test('what is said of the customer goes to the call on screen, or to the next one, and is forgotten after it', async () => {
    const { bridge, says, stop } = bridgeOn();
    await says({ v: 1, type: 'spc.customer', values: { firstName: 'Jane' } });
    expect(said().at(-1)).toMatchObject({ type: 'spc.customer', result: 'kept_for_the_next_call' });
    bridge.show(call({ id: 'one' }));
    expect(hooks.tell.mock.calls).toEqual([['one', { values: { firstName: 'Jane' } }]]);
    await says({ v: 1, type: 'spc.amount', amount: '1.00', currency: 'USD' });
    expect(hooks.tell.mock.lastCall).toEqual(['one', { values: { firstName: 'Jane' }, amount: '1.00', currency: 'USD' }]);
    expect(said().at(-1)).toMatchObject({ type: 'spc.amount', result: 'taken' });
    bridge.show(undefined);
    bridge.show(call({ id: 'two' }));
    expect(hooks.tell).toHaveBeenCalledTimes(2);
    stop();
  });

  test('a refusal names no field', async () => {
    const { bridge, says, stop } = bridgeOn();
    bridge.show(call());
    hooks.tell.mockRejectedValue(new Error('firstName: too long'));
    await says({ v: 1, type: 'spc.customer', values: { firstName: 'x' } });
    expect(said().at(-1)).toEqual({ v: 1, type: 'spc.customer', result: 'refused', to: CRM });
    stop();
  });
});

test('the page around is the one that the browser names, else the one that led here', () => {
  const view = (ancestorOrigins: string[] | undefined, referrer: string) => ({ location: { ancestorOrigins }, document: { referrer } }) as unknown as Window;
  expect(originAround(view([CRM, 'https://top.example'], ''))).toBe(CRM);
  expect(originAround(view(undefined, `${CRM}/agents?id=1`))).toBe(CRM);
  expect(originAround(view(undefined, ''))).toBeUndefined();
});
