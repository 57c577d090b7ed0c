import { afterEach, describe, expect, test, vi } from 'vitest';
import { troubleBefore, troubleOf } from './trouble';

type Around = { secure?: boolean; allows?: boolean | undefined; framed?: boolean };

function stand({ secure = true, allows, framed = false }: Around) {
  vi.stubGlobal('isSecureContext', secure);
  vi.stubGlobal('parent', framed ? {} : window);
  if (secure) vi.stubGlobal('navigator', { ...navigator, mediaDevices: {} });
  Object.defineProperty(document, 'featurePolicy', { configurable: true, value: allows === undefined ? undefined : { allowsFeature: () => allows } });
}
afterEach(() => vi.unstubAllGlobals());

describe('c25 what keeps a device from the page', () => {
  test('before anybody is asked: no https, or a frame without allow', () => {
    stand({ secure: false });
    expect(troubleBefore('microphone')).toBe('insecure');
    stand({ framed: true, allows: false });
    expect(troubleBefore('display-capture')).toBe('not_allowed_here');
    stand({ framed: true, allows: true });
    expect(troubleBefore('microphone')).toBeUndefined();
  });

  test.each([
    ['NotAllowedError', { framed: true, allows: true }, 'refused'],
    ['NotAllowedError', { framed: true }, 'not_allowed_here'],
    ['NotAllowedError', {}, 'refused'],
    ['NotFoundError', {}, 'no_device'],
    ['NotReadableError', {}, 'busy'],
    ['InvalidStateError', {}, 'failed'],
  ] as const)('after a %s, around %o: %s', (name, around, trouble) => {
    stand(around);
    expect(troubleOf(new DOMException('', name), 'microphone')).toBe(trouble);
  });
});
