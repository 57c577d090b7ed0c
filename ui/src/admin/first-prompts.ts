/** Owns: what a new widget lets agents say before somebody writes something better, in every language (SETTLED S6). They are a start for an administrator's own data, so they are in no catalogue. */
import type { Field } from '../lib/api/types';
import type { Locale } from '../lib/i18n/locales';

export const FIRST_PROMPTS: Record<Locale, Record<Field, string>> = {
  en: {
    card_number: 'Please key your card number on your telephone keypad, then press #.',
    expiry: 'Please key the month and the year of the expiration date, two digits each.',
    security_code: 'Please key the security code of your card.',
    routing_number: 'Please key the nine digits of your routing number.',
    account_number: 'Please key your account number, then press #.',
  },
  es: {
    card_number: 'Por favor, marque el número de su tarjeta en el teclado de su teléfono y pulse #.',
    expiry: 'Por favor, marque el mes y el año de vencimiento, con dos dígitos cada uno.',
    security_code: 'Por favor, marque el código de seguridad de su tarjeta.',
    routing_number: 'Por favor, marque los nueve dígitos de su número de ruta bancaria.',
    account_number: 'Por favor, marque su número de cuenta y pulse #.',
  },
  fr: {
    card_number: 'Veuillez composer votre numéro de carte sur le clavier de votre téléphone, puis appuyer sur #.',
    expiry: 'Veuillez composer le mois et l’année d’expiration, deux chiffres chacun.',
    security_code: 'Veuillez composer le cryptogramme de votre carte.',
    routing_number: 'Veuillez composer les neuf chiffres de votre numéro de routage.',
    account_number: 'Veuillez composer votre numéro de compte, puis appuyer sur #.',
  },
  de: {
    card_number: 'Bitte geben Sie Ihre Kartennummer über die Tasten Ihres Telefons ein und drücken Sie danach die Raute-Taste.',
    expiry: 'Bitte geben Sie Monat und Jahr des Ablaufdatums mit je zwei Ziffern ein.',
    security_code: 'Bitte geben Sie die Kartenprüfnummer Ihrer Karte ein.',
    routing_number: 'Bitte geben Sie die neun Ziffern Ihrer Bankleitzahl ein.',
    account_number: 'Bitte geben Sie Ihre Kontonummer ein und drücken Sie danach die Raute-Taste.',
  },
};
