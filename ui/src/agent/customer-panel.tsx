/** What the agent knows of the customer; the payment form starts with it. */
import { TextInput } from '../lib/controls';
import { TYPED_NAMES } from '../lib/capture/detail-inputs';
import type { Typed, TypedName } from '../lib/capture/payment-form';
import { CHARS_MAX, looksLikeCard } from '../lib/capture/payment-form';
import { useT } from '../lib/i18n';
import css from './agent.module.css';

const SHOWN: readonly TypedName[] = ['firstName', 'lastName', 'email', 'phone', 'reference'];

export function CustomerPanel({ form, onForm, disabled }: { form: Typed; onForm: (form: Typed) => void; disabled: boolean }) {
  const t = useT();
  return (
    <aside className={css.customer} aria-labelledby="customer-title">
      <h2 id="customer-title">{t('customer.title')}</h2>
      <p className={css.muted}>{t('customer.hint')}</p>
      {SHOWN.map((name) => (
        <TextInput
          key={name}
          label={t(TYPED_NAMES[name])}
          value={form.values[name] ?? ''}
          onChange={(text) => onForm({ ...form, values: { ...form.values, [name]: text } })}
          error={looksLikeCard(form.values[name] ?? '') ? t('form.card_typed') : undefined}
          maxLength={CHARS_MAX[name]}
          disabled={disabled}
        />
      ))}
    </aside>
  );
}
