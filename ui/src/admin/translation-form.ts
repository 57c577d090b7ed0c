/**
 * A widget's texts in other languages, as the editor holds them.
 * Owns: their form, what it is read from and sent as.
 * Never: says what is wrong; the server does.
 */
import type { Field, Widget, WidgetInDraft } from '../lib/api/types';
import { LOCALES } from '../lib/i18n/locales';
import type { Locale } from '../lib/i18n/locales';
import { FIRST_PROMPTS } from './first-prompts';

export type Texts = { title: string; prompts: Partial<Record<Field, string>> };
export type Translations = Record<Locale, Texts>;

function perLocale(of: (locale: Locale) => Texts): Translations {
  return Object.fromEntries(LOCALES.map((locale) => [locale, of(locale)])) as Translations;
}

/** A new widget's own texts are English; the other languages begin with theirs. */
export function firstTranslations(fields: readonly Field[]): Translations {
  return perLocale((locale) => ({
    title: '',
    prompts: locale === 'en' ? {} : Object.fromEntries(fields.map((field) => [field, FIRST_PROMPTS[locale][field]])),
  }));
}

export function translationsOf(widget: Widget): Translations {
  return perLocale((locale) => {
    const stored = widget.translations[locale];
    return { title: stored?.title ?? '', prompts: Object.fromEntries((stored?.prompts ?? []).map(({ field, text }) => [field, text])) };
  });
}

/** Without what nobody wrote. */
export function translationForm(translations: Translations, fields: readonly Field[]): WidgetInDraft['translations'] {
  const written = LOCALES.map((locale) => {
    const { title, prompts } = translations[locale];
    const own = fields.flatMap((field) => (prompts[field]?.trim() ? [{ field, text: prompts[field] }] : []));
    return [locale, { title: title.trim() || null, prompts: own }] as const;
  });
  return Object.fromEntries(written.filter(([, { title, prompts }]) => title !== null || prompts.length > 0));
}

/** How many of a language's texts are there. */
export function writtenIn(texts: Texts, fields: readonly Field[]): number {
  return [texts.title, ...fields.map((field) => texts.prompts[field] ?? '')].filter((text) => text.trim() !== '').length;
}
