/** Owns: the words of the page. Every text has a named id in en.json; a wrong id does not compile. */
import type { ReactNode } from 'react';
import { useMemo, useSyncExternalStore } from 'react';
import { I18nProvider } from 'react-aria-components';
import { FormattedMessage, IntlProvider, useIntl } from 'react-intl';
import type { Catalogue, MessageId } from './catalogue';
import { currentCatalogue, onCatalogue } from './catalogue';

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

/** A text in place. */
export function T({ id, values }: { id: MessageId; values?: Record<string, ReactNode> }) {
  return values ? <FormattedMessage id={id} values={values} /> : <FormattedMessage id={id} />;
}
