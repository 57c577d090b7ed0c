/**
 * Owns: the catalogue that the page speaks now, and its loading.
 * Never: two catalogues at once; each is in chunks of its own, and only the chosen one is fetched, its words of the office and of records with the first page that says them.
 */
import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { keep, kept } from '../kept';
import type en from './en.json';
import type { Language, Locale } from './locales';
import { LOCALES, PSEUDO_LOCALE, languageFrom, localeOf, regionalTag } from './locales';

export type MessageId = keyof typeof en;
type Messages = Record<string, string> | Record<string, MessageFormatElement[]>;

/** What the page speaks: the choice, the language that it came to, its regional form, its texts. */
export type Catalogue = { language: Language; locale: Locale | typeof PSEUDO_LOCALE; tag: string; messages: Messages };

type Part = () => Promise<{ default: Record<string, string> }>;
const DESK: Record<Locale, Part> = {
  en: () => import('virtual:words/en/desk'),
  es: () => import('virtual:words/es/desk'),
  fr: () => import('virtual:words/fr/desk'),
  de: () => import('virtual:words/de/desk'),
};
const OFFICE: Record<Locale, Part> = {
  en: () => import('virtual:words/en/office'),
  es: () => import('virtual:words/es/office'),
  fr: () => import('virtual:words/fr/office'),
  de: () => import('virtual:words/de/office'),
};

const RECORDS: Record<Locale, Part> = {
  en: () => import('virtual:words/en/records'),
  es: () => import('virtual:words/es/records'),
  fr: () => import('virtual:words/fr/records'),
  de: () => import('virtual:words/de/records'),
};
export type Catalogues = typeof DESK;

/** What is spoken beside the desk's words: asked for by a page that says them, and done once it is here. */
const others = new Map<Catalogues, Promise<void>>();

/** What is needed of a language now. */
async function wordsOf(locale: Locale): Promise<Record<string, string>> {
  const parts = await Promise.all([DESK, ...others.keys()].map((catalogues) => catalogues[locale]()));
  return Object.assign({}, ...parts.map((part) => part.default)) as Record<string, string>;
}

type Load<Page> = () => Promise<Page>;

/** A page, and with it the words that only such pages say; both rest once they are here. */
export const withOffice = <Page>(page: Load<Page>) => withWords(OFFICE, page);
/** The same for pages about what was recorded. */
export const withRecords = <Page>(page: Load<Page>) => withOffice(withWords(RECORDS, page));

/** The same for a page with words of its own. */
export function withWords<Page>(catalogues: Catalogues, page: Load<Page>): Load<Page> {
  return async () => {
    const loaded = page();
    if (!others.has(catalogues)) others.set(catalogues, Promise.resolve().then(again));
    try {
      await others.get(catalogues);
    } catch (error) {
      others.delete(catalogues);
      throw error;
    }
    return loaded;
  };
}

/** The language that is spoken, with every word that is needed now. */
async function again(): Promise<void> {
  const { locale } = catalogue;
  if (locale === PSEUDO_LOCALE) return speakPseudo();
  const turn = (latest += 1);
  const messages = await wordsOf(locale);
  if (turn === latest) speak({ ...catalogue, messages });
}

let catalogue: Catalogue = { language: 'auto', locale: 'en', tag: 'en', messages: {} };
let latest = 0;
const listeners = new Set<() => void>();

export function currentCatalogue(): Catalogue {
  return catalogue;
}

export function onCatalogue(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Speaks these texts from now on. */
export function speak(next: Catalogue): void {
  catalogue = next;
  document.documentElement.lang = next.tag;
  for (const listener of listeners) listener();
}

/** Loads a language and speaks it, unless another one was chosen meanwhile. Rejects if it cannot be loaded; then the page speaks on as before. */
export async function chooseLanguage(language: Language): Promise<void> {
  const locale = localeOf(language, navigator.languages);
  const turn = (latest += 1);
  const messages = await wordsOf(locale);
  keep('language', language);
  if (turn === latest) speak({ language, locale, tag: regionalTag(locale, navigator.languages), messages });
}

/** The first language of this visit: what the address asks for, else what this browser spoke last. */
export async function firstLanguage(address: string): Promise<void> {
  const asked = askedLocale(address);
  if (asked === PSEUDO_LOCALE) return speakPseudo();
  const language = asked ?? languageFrom(kept('language'));
  await chooseLanguage(language).catch(() => chooseLanguage('en'));
}

/** `?locale=de`: for whoever embeds or tests the page. It holds for the visit, whatever the user chose. */
export function askedLocale(address: string): Locale | typeof PSEUDO_LOCALE | undefined {
  const asked = new URLSearchParams(address).get('locale');
  return [...LOCALES, PSEUDO_LOCALE].find((locale) => locale === asked) as Locale | typeof PSEUDO_LOCALE | undefined;
}

async function speakPseudo(): Promise<void> {
  const [{ pseudo }, english] = await Promise.all([import('./pseudo'), wordsOf('en')]);
  speak({ language: 'en', locale: PSEUDO_LOCALE, tag: PSEUDO_LOCALE, messages: pseudo(english) });
}
