/** What the agent types about the customer and the payment. */
import type { MessageId } from '../i18n';
import { useT } from '../i18n';
import { SelectInput, TextInput } from '../controls';
import css from './capture.module.css';
import type { Typed, TypedField, TypedName } from './payment-form';
import { CHARS_MAX, DEMOGRAPHIC, REQUIRED } from './payment-form';

export const TYPED_NAMES = {
  firstName: 'typed.firstName',
  lastName: 'typed.lastName',
  company: 'typed.company',
  email: 'typed.email',
  phone: 'typed.phone',
  address1: 'typed.address1',
  address2: 'typed.address2',
  city: 'typed.city',
  state: 'typed.state',
  postalCode: 'typed.postalCode',
  country: 'typed.country',
  reference: 'typed.reference',
  description: 'typed.description',
  accountType: 'typed.accountType',
  amount: 'typed.amount',
} satisfies Record<TypedField, MessageId>;

const CURRENCIES = ['USD', 'CAD', 'EUR', 'GBP'] as const;

type Props = {
  form: Typed;
  onForm: (form: Typed) => void;
  problem: (field: TypedField) => string | undefined;
  locked: boolean;
};

export function DemographicInputs(props: Props) {
  return (
    <div className={css.inputs}>
      {DEMOGRAPHIC.map((name) => (
        <TypedInput key={name} name={name} {...props} />
      ))}
    </div>
  );
}

export function PaymentInputs({ check, ...props }: Props & { check: boolean }) {
  const { form, onForm, problem, locked } = props;
  const t = useT();
  const wrong = problem('amount');
  return (
    <div className={css.inputs}>
      <div className={css.amount}>
        <TextInput
          label={t('typed.amount')}
          value={form.amount}
          onChange={(amount) => onForm({ ...form, amount })}
          error={wrong}
          inputMode="decimal"
          maxLength={14}
          disabled={locked}
          required
        />
        <SelectInput
          label={t('typed.currency')}
          value={form.currency}
          choices={CURRENCIES.map((id) => ({ id, label: id }))}
          onChange={(currency) => onForm({ ...form, currency })}
          disabled={locked}
        />
      </div>
      <TypedInput name="reference" {...props} />
      <TypedInput name="description" {...props} />
      {check && (
        <SelectInput
          label={t('typed.accountType')}
          value={form.values.accountType ?? 'checking'}
          choices={[
            { id: 'checking', label: t('account.checking') },
            { id: 'savings', label: t('account.savings') },
            { id: 'business_checking', label: t('account.business_checking') },
            { id: 'business_savings', label: t('account.business_savings') },
          ]}
          onChange={(accountType) => onForm({ ...form, values: { ...form.values, accountType } })}
          disabled={locked}
        />
      )}
    </div>
  );
}

function TypedInput({ name, form, onForm, problem, locked }: Props & { name: TypedName }) {
  const t = useT();
  const wrong = problem(name);
  return (
    <TextInput
      label={t(TYPED_NAMES[name])}
      value={form.values[name] ?? ''}
      onChange={(text) => onForm({ ...form, values: { ...form.values, [name]: text } })}
      error={wrong}
      required={REQUIRED.includes(name)}
      maxLength={CHARS_MAX[name]}
      disabled={locked}
    />
  );
}
