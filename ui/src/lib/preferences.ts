/**
 * Owns: what a reader chose of language and theme: here at once, on the server as soon as somebody is logged in.
 * Never: changes what the address, or the page around a frame, asks for.
 */
import { api } from './api/client';
import type { Preferences } from './api/types';
import { askedLocale, chooseLanguage, currentCatalogue } from './i18n/catalogue';
import type { Locale } from './i18n/locales';
import { languageFrom } from './i18n/locales';
import type { Theme } from './theme/theme';
import { applyTheme, currentTheme, themeFrom } from './theme/theme';

/** Something was chosen before anybody was logged in. */
let chosenAtTheDoor = false;

export function markChosen(): void {
  chosenAtTheDoor = true;
}

let askedAround: { locale?: Locale | undefined; theme?: Theme | undefined } = {};

/** The page around this one asks for it: it holds for the visit, whatever the user chose, and is not kept. */
export async function askAround(asked: typeof askedAround): Promise<void> {
  askedAround = { ...askedAround, ...asked };
  if (asked.theme) applyTheme(asked.theme);
  if (asked.locale) await chooseLanguage(asked.locale);
}

/** Keeps the present choice for whoever is logged in. */
export async function savePreferences(): Promise<void> {
  const { language } = currentCatalogue();
  const theme = currentTheme();
  const body: Preferences = { language: language === 'auto' ? null : language, theme: theme === 'auto' ? null : theme };
  await api('PUT', '/me/preferences', { body });
  chosenAtTheDoor = false;
}

/** Somebody logged in: what was chosen at the door counts, else what that person chose before. */
export async function enter(preferences: Preferences): Promise<void> {
  if (chosenAtTheDoor) return savePreferences();
  if (!askedAround.theme) applyTheme(themeFrom(preferences.theme));
  if (!askedAround.locale && askedLocale(window.location.search) === undefined) await chooseLanguage(languageFrom(preferences.language));
}
