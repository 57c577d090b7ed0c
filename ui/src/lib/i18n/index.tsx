/** Owns: the words of the page. Every text has a named id in en.json; a wrong id does not compile. */
import type { ReactNode } from 'react';
import { useMemo, useSyncExternalStore } from 'react';
import { I18nProvider } from 'react-aria-components';
import { FormattedMessage, IntlProvider, useIntl } from 'react-intl';
import type { Catalogue, MessageId } from './catalogue';
import { currentCatalogue, onCatalogue } from './catalogue';
import type { Locale } from './locales';
import { PSEUDO_LOCALE } from './locales';

export type { MessageId } from './catalogue';
type Values = Record<string, string | number | boolean>;
export type Translate = (id: MessageId, values?: Values) => string;

/** Speaks the present catalogue, to our components and to React Aria's own texts. */
export function Words({ children }: { children: ReactNode }) {
  const { tag, messages } = useCatalogue();
  return (
    <IntlProvider locale={tag} messages={messages}>
      <I18nProvider locale={tag}>{children}</I18nProvider>
    </IntlProvider>
  );
}

/** Which language is spoken, and which was chosen. */
export function useCatalogue(): Catalogue {
  return useSyncExternalStore(onCatalogue, currentCatalogue);
}

/** Texts as strings: names, descriptions, announcements. */
export function useT(): Translate {
  const intl = useIntl();
  return useMemo(() => (id, values) => intl.formatMessage({ id }, values), [intl]);
}

/** What an administrator wrote: in the reader's language if somebody wrote it so, else as it is. */
export function useWritten(): (own: string, others: Partial<Record<Locale, string>>) => string {
  const { locale } = useCatalogue();
  return (own, others) => (locale === PSEUDO_LOCALE ? own : (others[locale] ?? own));
}

/** A text in place. */
export function T({ id, values }: { id: MessageId; values?: Record<string, ReactNode> }) {
  return values ? <FormattedMessage id={id} values={values} /> : <FormattedMessage id={id} />;
}
