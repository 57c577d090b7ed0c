import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';
import { speak } from './lib/i18n/catalogue';
import english from './lib/i18n/en.json';

afterEach(cleanup);
// A machine that is busy takes longer than the second which the library waits.
configure({ asyncUtilTimeout: 10_000 });
speak({ language: 'en', locale: 'en', tag: 'en', messages: english });

// jsdom lacks what overlays and tab lists ask of a browser.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS;
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.getAnimations ??= () => [];
Blob.prototype.text ??= function (this: Blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result as string);
    reader.onerror = () => fail(reader.error ?? new Error('unreadable'));
    reader.readAsText(this);
  });
};
