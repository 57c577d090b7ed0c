/** What the ledger is narrowed by. */
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import type { PaymentChoices } from '../lib/api/types';
import { looksLikeCard } from '../lib/capture/payment-form';
import { Button, Icon, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { DayInputs } from './day-inputs';
import css from './evidence.module.css';
import { STANDINGS } from './outcomes';
import type { useSearchState } from './search-state';

type Standing = keyof typeof STANDINGS;
type Props = {
  state: ReturnType<typeof useSearchState>;
  choices: PaymentChoices | undefined;
  unknown: number | undefined;
  searchError: string | undefined;
  children?: ReactNode;
};

/** More are not counted. */
const UNKNOWN_MAX = 1_000;

export function PaymentFilters({ state, choices, unknown, searchError, children }: Props) {
  const t = useT();
  const { value, change, days, setDays } = state;
  const standings = (Object.keys(STANDINGS) as Standing[]).map((id) => ({ id, label: t(STANDINGS[id]) }));
  const named = (list: PaymentChoices['agents'] = []) => list.map(({ id, name }) => ({ id, label: name }));
  return (
    <section className={css.filters} aria-label={t('list.filters')}>
      <DayInputs days={days} onChange={setDays} />
      <SelectInput
        label={t('payments.outcome')}
        value={value('outcome') || ALL}
        choices={[{ id: ALL, label: t('list.all') }, ...standings]}
        onChange={(outcome) => change({ outcome: outcome === ALL ? '' : outcome })}
      />
      <SelectInput
        label={t('payments.agent')}
        value={value('agent') || ALL}
        choices={[{ id: ALL, label: t('list.all') }, ...named(choices?.agents)]}
        onChange={(agent) => change({ agent: agent === ALL ? '' : agent })}
      />
      <SelectInput
        label={t('payments.desktop')}
        value={value('desktop') || ALL}
        choices={[{ id: ALL, label: t('list.all') }, ...named(choices?.desktops)]}
        onChange={(desktop) => change({ desktop: desktop === ALL ? '' : desktop })}
      />
      <Search key={value('search')} text={value('search')} error={searchError} onSearch={(search) => change({ search })} />
      <div className={css.filterActions}>
        {unknown !== undefined && unknown > 0 && (
          <Button look="danger" onPress={() => change({ outcome: 'unknown', days: 'all', first: '', last: '', agent: '', desktop: '', search: '' })}>
            <Icon name="question" />
            {unknown >= UNKNOWN_MAX ? t('payments.unknown_many', { n: UNKNOWN_MAX }) : t('payments.unknown_count', { n: unknown })}
          </Button>
        )}
        {children}
      </div>
    </section>
  );
}

/** A choice that narrows nothing. No identity has a star. */
const ALL = '*';

/** Goes to the server, and into the address, only when it is sent: a card number never. */
function Search({ text, error, onSearch }: { text: string; error: string | undefined; onSearch: (text: string) => void }) {
  const t = useT();
  const [typed, setTyped] = useState(text);
  const [isCard, setIsCard] = useState(false);
  return (
    <Form
      className={css.search!}
      onSubmit={(event) => {
        event.preventDefault();
        const card = looksLikeCard(typed);
        setIsCard(card);
        if (!card) onSearch(typed.trim());
      }}
    >
      <TextInput label={t('payments.search')} value={typed} onChange={setTyped} maxLength={40} error={isCard ? t('form.card_typed') : error} />
      <Button type="submit">{t('list.search')}</Button>
    </Form>
  );
}
