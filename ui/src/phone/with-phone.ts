/** Owns: the words of the phone, and what is loaded with them. */
import type { Catalogues } from '../lib/i18n/catalogue';
import { withWords } from '../lib/i18n/catalogue';

const PHONE: Catalogues = {
  en: () => import('virtual:words/en/phone'),
  es: () => import('virtual:words/es/phone'),
  fr: () => import('virtual:words/fr/phone'),
  de: () => import('virtual:words/de/phone'),
};

/** A part of the phone, and with it the words that only the phone says; they rest once they are here. */
export const withPhone = <Page>(page: () => Promise<Page>) => withWords(PHONE, page);
