/** Owns: the languages of the page, and which of them a reader gets. */
export const LOCALES = ['en', 'es', 'fr', 'de'] as const;
export type Locale = (typeof LOCALES)[number];

/** What a reader may choose; auto: what the browser asks for. */
export const LANGUAGES = ['auto', ...LOCALES] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each in its own words: whoever looks for a language may not read the present one. */
export const LANGUAGE_NAMES: Record<Locale, string> = { en: 'English', es: 'Español', fr: 'Français', de: 'Deutsch' };

/** English, longer and accented, made while the page loads: shows what is cut off and what no catalogue has. Only `?locale=en-XA` gives it. */
export const PSEUDO_LOCALE = 'en-XA';

const primary = (tag: string) => tag.toLowerCase().split('-')[0];

/** The language itself, or for auto the first one of the browser's that we have, else English. */
export function localeOf(language: Language, wanted: readonly string[]): Locale {
  if (language !== 'auto') return language;
  const known = wanted.map((tag) => LOCALES.find((locale) => locale === primary(tag)));
  return known.find((locale) => locale !== undefined) ?? 'en';
}

/** The browser's regional form of a language (en-GB for en), which dates and numbers follow. */
export function regionalTag(locale: Locale, wanted: readonly string[]): string {
  return wanted.find((tag) => primary(tag) === locale) ?? locale;
}

/** A choice as it was kept or sent, auto if it is none of ours. */
export function languageFrom(text: string | null | undefined): Language {
  return LANGUAGES.find((language) => language === text) ?? 'auto';
}
