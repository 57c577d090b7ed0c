/**
 * Owns: what a reader chose of language and theme: here at once, on the server as soon as somebody is logged in.
 * Never: changes what the address asks for.
 */
import { api } from './api/client';
import type { Preferences } from './api/types';
import { askedLocale, chooseLanguage, currentCatalogue } from './i18n/catalogue';
import { languageFrom } from './i18n/locales';
import { applyTheme, currentTheme, themeFrom } from './theme/theme';

/** Something was chosen before anybody was logged in. */
let chosenAtTheDoor = false;

export function markChosen(): void {
  chosenAtTheDoor = true;
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
  applyTheme(themeFrom(preferences.theme));
  if (askedLocale(window.location.search) === undefined) await chooseLanguage(languageFrom(preferences.language));
}
