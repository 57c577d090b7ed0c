/** What the agent knows of the customer; the payment form starts with it. */
import { TextInput } from '../lib/controls';
import { TYPED_NAMES } from '../lib/capture/detail-inputs';
import type { Known, Typed, TypedName } from '../lib/capture/payment-form';
import { CHARS_MAX, looksTyped, originOf } from '../lib/capture/payment-form';
import { useT } from '../lib/i18n';
import css from './agent.module.css';

const SHOWN: readonly TypedName[] = ['firstName', 'lastName', 'email', 'phone', 'reference'];

type Props = { form: Typed; call: Known | undefined; onForm: (form: Typed) => void; disabled: boolean };

export function CustomerPanel({ form, call, onForm, disabled }: Props) {
  const t = useT();
  const given = call?.consumer?.values;
  const text = (name: TypedName) => form.values[name] ?? given?.[name] ?? '';
  const hint = (name: TypedName) => {
    const origin = originOf(name, text(name), call);
    return origin && t(origin);
  };
  return (
    <aside className={css.customer} aria-labelledby="customer-title">
      <h2 id="customer-title">{t('customer.title')}</h2>
      <p className={css.muted}>{t('customer.hint')}</p>
      {SHOWN.map((name) => (
        <TextInput
          key={name}
          label={t(TYPED_NAMES[name])}
          value={text(name)}
          onChange={(typed) => onForm({ ...form, values: { ...form.values, [name]: typed } })}
          hint={hint(name)}
          error={looksTyped(name, text(name), given) ? t('form.card_typed') : undefined}
          maxLength={CHARS_MAX[name]}
          disabled={disabled}
        />
      ))}
    </aside>
  );
}
