/**
 * Owns: the catalogue that the page speaks now, and its loading.
 * Never: two catalogues at once; each is a chunk of its own, and only the chosen one is fetched.
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

const LOADERS: Record<Locale, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import('./en.json'),
  es: () => import('./es.json'),
  fr: () => import('./fr.json'),
  de: () => import('./de.json'),
};

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
  const { default: messages } = await LOADERS[locale]();
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
  const [{ pseudo }, { default: english }] = await Promise.all([import('./pseudo'), LOADERS.en()]);
  speak({ language: 'en', locale: PSEUDO_LOCALE, tag: PSEUDO_LOCALE, messages: pseudo(english) });
}
