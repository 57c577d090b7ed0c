/** Owns: the words of the page. Every text has a named id in en.json; a wrong id does not compile. */
import type { ReactNode } from 'react';
import { useMemo } from 'react';
import { FormattedMessage, IntlProvider, useIntl } from 'react-intl';
import en from './en.json';

export type MessageId = keyof typeof en;
type Values = Record<string, string | number | boolean>;
export type Translate = (id: MessageId, values?: Values) => string;

export function Words({ children }: { children: ReactNode }) {
  return (
    <IntlProvider locale="en" messages={en}>
      {children}
    </IntlProvider>
  );
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
