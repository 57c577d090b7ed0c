/** Owns: texts outside components, for what is said once: the sentence of a failure. A component uses `useT`, which follows the language. */
import { createIntl, createIntlCache } from 'react-intl';
import type { Translate } from '.';
import type { MessageId } from './catalogue';
import { currentCatalogue } from './catalogue';

const cache = createIntlCache();

export const say: Translate = (id, values) => {
  const { tag, messages } = currentCatalogue();
  return createIntl({ locale: tag, messages }, cache).formatMessage({ id }, values);
};

/** The id, if the page has such a text. */
export function knownId(id: string): MessageId | undefined {
  return id in currentCatalogue().messages ? (id as MessageId) : undefined;
}
