/** Owns: the words about whose call is whose, and what is loaded with them. */
import type { Catalogues } from '../lib/i18n/catalogue';
import { withWords } from '../lib/i18n/catalogue';

const PAIRING: Catalogues = {
  en: () => import('virtual:words/en/pairing'),
  es: () => import('virtual:words/es/pairing'),
  fr: () => import('virtual:words/fr/pairing'),
  de: () => import('virtual:words/de/pairing'),
};

/** A part that says whose call is whose, and with it the words that only such parts say; they rest once they are here. */
export const withPairing = <Page>(page: () => Promise<Page>) => withWords(PAIRING, page);
