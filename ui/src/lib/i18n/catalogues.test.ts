import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { TYPE, parse } from '@formatjs/icu-messageformat-parser';
import { createIntl } from 'react-intl';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { keep } from '../kept';
import { chooseLanguage, currentCatalogue, firstLanguage } from './catalogue';
import de from './de.json';
import en from './en.json';
import es from './es.json';
import fr from './fr.json';
import { LOCALES, languageFrom, localeOf, regionalTag } from './locales';
import { pseudo } from './pseudo';

/** The practice telephone belongs to the demonstration and speaks English. */
const isOfPage = (id: string) => !id.startsWith('sim.');
const english: Record<string, string> = Object.fromEntries(Object.entries(en).filter(([id]) => isOfPage(id)));
const translations: Record<string, Record<string, string>> = { es, fr, de };

/** Names of arguments, with what a select chooses among and that a plural has its forms. */
function shape(elements: readonly MessageFormatElement[], into = new Set<string>()): Set<string> {
  for (const element of elements) {
    if (element.type === TYPE.literal || element.type === TYPE.pound) continue;
    if (element.type === TYPE.select) into.add(`${element.value} of ${Object.keys(element.options).sort().join(' ')}`);
    else into.add(element.value);
    if (element.type !== TYPE.select && element.type !== TYPE.plural) continue;
    for (const option of Object.values(element.options)) shape(option.value, into);
  }
  return into;
}

/** Plural forms that a message lacks. */
function lacking(elements: readonly MessageFormatElement[]): string[] {
  return elements.flatMap((element) => {
    if (element.type !== TYPE.plural && element.type !== TYPE.select) return [];
    const forms = element.type === TYPE.plural ? ['one', 'other'].filter((form) => !(form in element.options)) : [];
    return [...forms, ...Object.values(element.options).flatMap((option) => lacking(option.value))];
  });
}

describe.each(Object.entries(translations))('the catalogue %s', (locale, catalogue) => {
  test('has the ids of the English one, in its order', () => {
    expect(Object.keys(catalogue)).toEqual(Object.keys(english));
  });

  test('takes the same arguments, with the plural forms of its language', () => {
    const shapes = (of: Record<string, string>) => Object.entries(of).map(([id, text]) => [id, [...shape(parse(text))].sort()]);
    expect(shapes(catalogue)).toEqual(shapes(english));
    for (const [id, text] of Object.entries(catalogue)) expect([id, ...lacking(parse(text))]).toEqual([id]);
  });

  test('keeps its typography: no blank at an end, no straight apostrophe but for ICU, a fixed blank before French double marks', () => {
    for (const [id, text] of Object.entries(catalogue)) {
      expect([id, text.trim()]).toEqual([id, text]);
      expect([id, text.replaceAll(/'[{}]'/g, '')]).not.toEqual([id, expect.stringContaining("'")]);
      if (locale === 'fr' && id !== 'services.numbers_hint') expect([id, text]).not.toEqual([id, expect.stringMatching(/ [:;?!»]|« /)]);
    }
  });

  test('addresses people formally', () => {
    const informal: Record<string, string> = { de: 'du|dein|deine|dich|dir', es: 'tú|tu|tus|te|contigo', fr: 'tu|ton|tes|toi' };
    const word = new RegExp(`(?<!\\p{L})(${informal[locale]})(?!\\p{L})`, 'iu');
    for (const [id, text] of Object.entries(catalogue)) expect([id, text]).not.toEqual([id, expect.stringMatching(word)]);
  });
});

describe('the pseudo-locale', () => {
  test('is in brackets, accented and 40 % longer, around arguments and in every plural form', () => {
    const messages = pseudo({ a: 'Sign in', b: '{n, plural, one {# key} other {# keys}} by {name}' });
    const intl = createIntl({ locale: 'en-XA', messages });
    expect(intl.formatMessage({ id: 'a' })).toBe('[Šîgñ~~ îñ~]');
    expect(intl.formatMessage({ id: 'b' }, { n: 2, name: 'Ann' })).toBe('[2 kéýš~~ bý~ Ann]');
  });

  test('can say every message', () => {
    const messages = pseudo(en);
    const intl = createIntl({ locale: 'en-XA', messages, onError: (error) => expect.fail(error.message) });
    for (const [id, text] of Object.entries(en)) {
      const names = [...shape(parse(text))].map((name) => name.split(' of ')[0] ?? name);
      expect(intl.formatMessage({ id }, Object.fromEntries(names.map((name) => [name, 1])))).toMatch(/^\[.*\]$/s);
    }
  });
});

describe('the language of a reader', () => {
  afterEach(() => localStorage.clear());

  test('is the chosen one, else the first of the browser that there is, else English', () => {
    expect(localeOf('auto', ['pt-BR', 'fr-CA', 'de'])).toBe('fr');
    expect(localeOf('auto', ['pt'])).toBe('en');
    expect(localeOf('de', ['fr'])).toBe('de');
    expect(regionalTag('en', ['de-AT', 'en-GB'])).toBe('en-GB');
    expect(regionalTag('fr', ['de-AT', 'en-GB'])).toBe('fr');
    expect(['de', 'xx', null].map(languageFrom)).toEqual(['de', 'auto', 'auto']);
  });

  test('is spoken by the whole document and remembered here', async () => {
    await chooseLanguage('de');
    expect([document.documentElement.lang, currentCatalogue().messages['app.sign_out']]).toEqual(['de', 'Abmelden']);
    await chooseLanguage('en');
    await firstLanguage('');
    expect(currentCatalogue().language).toBe('en');
    keep('language', 'es');
    await firstLanguage('');
    expect(document.documentElement.lang).toBe('es');
    await chooseLanguage('en');
  });

  test('is what the address asks for, even the pseudo-locale', async () => {
    await firstLanguage('?locale=fr');
    expect(document.documentElement.lang).toBe('fr');
    await firstLanguage('?locale=en-XA');
    expect(document.documentElement.lang).toBe('en-XA');
    await firstLanguage('?locale=xx');
    await chooseLanguage('en');
    expect(LOCALES).toContain(currentCatalogue().locale);
  });

  test('lasts as long as the page where storage is forbidden', async () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    await chooseLanguage('fr');
    expect(document.documentElement.lang).toBe('fr');
    await chooseLanguage('en');
  });

  test('that was chosen last is spoken, however the catalogues arrive', async () => {
    await Promise.all([chooseLanguage('de'), chooseLanguage('es')]);
    expect(document.documentElement.lang).toBe('es');
    await chooseLanguage('en');
  });
});
