/** What the agent types about the customer and the payment, as the widget asks for it (O13, O14). */
import type { DemographicInput } from '../api/types';
import { RadioInput, SelectInput, TextInput } from '../controls';
import type { MessageId } from '../i18n';
import { useT } from '../i18n';
import { amountTyped, dayText, moneyText, parseMoney } from '../i18n/format';
import css from './capture.module.css';
import type { Asked, Known, LengthName, Typed, TypedField, TypedName } from './payment-form';
import { ARRANGEMENTS, AWAITED, CHARS_MAX, LENGTHS, arrangementOf, feeOf, lengthOf, originOf, partsOf, toldAmount, totalOf } from './payment-form';
import { INTERVALS, noticeOf } from './plan';

export const TYPED_NAMES = {
  firstName: 'typed.firstName',
  lastName: 'typed.lastName',
  company: 'typed.company',
  address1: 'typed.address1',
  address2: 'typed.address2',
  city: 'typed.city',
  state: 'typed.state',
  postalCode: 'typed.postalCode',
  country: 'typed.country',
  phone: 'typed.phone',
  email: 'typed.email',
  accountReference: 'typed.accountReference',
  reference: 'typed.reference',
  description: 'typed.description',
  accountType: 'typed.accountType',
  accountHolder: 'typed.accountHolder',
  amount: 'typed.amount',
  arrangementType: 'typed.arrangementType',
  arrangementDate: 'typed.arrangementDate',
  arrangementStart: 'typed.arrangementStart',
  arrangementInterval: 'typed.arrangementInterval',
  arrangementCount: 'typed.arrangementCount',
  arrangementEnd: 'typed.arrangementEnd',
  arrangementAmount: 'typed.arrangementAmount',
  arrangementDownPayment: 'typed.arrangementDownPayment',
} satisfies Record<TypedField, MessageId>;

type Props = {
  form: Typed;
  asked: Asked;
  call?: Known | undefined;
  onForm: (form: Typed) => void;
  problem: (field: TypedField) => string | undefined;
  locked: boolean;
  /** "2026-12-31": notices of later payments are counted from it. */
  today?: string | undefined;
};

export function DemographicInputs(props: Props) {
  const t = useT();
  const { asked } = props;
  return (
    <div className={css.inputs}>
      {asked.demographic.map((input) => (
        <TypedInput key={input.name} name={input.name} input={input} required={input.required ?? false} {...props} />
      ))}
      {asked.demographic.length === 0 && <p className={css.muted}>{t('typed.none_asked')}</p>}
    </div>
  );
}

export function PaymentInputs({ check, ...props }: Props & { check: boolean }) {
  const { asked } = props;
  return (
    <>
      <div className={css.inputs}>
        <AmountInput {...props} />
        <TypedInput name="reference" required={asked.payment.reference_required} {...props} />
        <TypedInput name="description" required={asked.payment.description_required} {...props} />
        {check && <AccountType {...props} />}
        {check && <TypedInput name="accountHolder" required={false} {...props} />}
      </div>
      <FeeLine {...props} />
      {asked.payment.arrangements.some((kind) => kind !== 'now') && <Arrangement {...props} />}
    </>
  );
}

/** Where the amount comes from the API nobody types it, and the field says whether it came. */
function AmountInput({ form, asked, call, onForm, problem, locked }: Props) {
  const t = useT();
  const told = toldAmount(asked.payment, call);
  const fixed = asked.payment.amount_source === 'api';
  const origin = told && form.amount === amountTyped(told) ? 'typed.from_crm' : undefined;
  const hint = fixed && !told ? AWAITED : origin;
  return (
    <div className={css.amount}>
      <TextInput
        label={t('typed.amount')}
        value={form.amount ?? ''}
        onChange={(amount) => onForm({ ...form, amount })}
        error={hint === AWAITED ? undefined : problem('amount')}
        hint={hint && t(hint)}
        inputMode="decimal"
        maxLength={14}
        disabled={locked || fixed}
        required
      />
      <SelectInput
        label={t('typed.currency')}
        value={form.currency}
        choices={asked.payment.currencies.map((id) => ({ id, label: id }))}
        onChange={(currency) => onForm({ ...form, currency })}
        disabled={locked || fixed}
      />
    </div>
  );
}

function useSet({ form, onForm }: Props) {
  return (values: Typed['values']) => onForm({ ...form, values: { ...form.values, ...values } });
}

function AccountType(props: Props) {
  const t = useT();
  const set = useSet(props);
  return (
    <SelectInput
      label={t('typed.accountType')}
      value={props.form.values.accountType ?? 'checking'}
      choices={(['checking', 'savings', 'business_checking', 'business_savings'] as const).map((id) => ({ id, label: t(`account.${id}`) }))}
      onChange={(accountType) => set({ accountType })}
      disabled={props.locked}
    />
  );
}

/** The fee and what it comes to: the agent says both. */
function FeeLine({ form, asked }: Props) {
  const t = useT();
  const amount = parseMoney(form.amount ?? '', form.currency);
  const fee = amount && feeOf(amount, asked.payment.fee);
  const total = totalOf(form, asked);
  if (!asked.payment.fee) return null;
  return (
    <p className={css.total} role="status">
      {fee && total ? t('payment.with_fee', { label: asked.payment.fee.label, fee: moneyText(fee), total: moneyText(total) }) : t('payment.fee_added', { label: asked.payment.fee.label })}
    </p>
  );
}

function Arrangement(props: Props) {
  const { form, asked, problem, locked } = props;
  const t = useT();
  const set = useSet(props);
  const kind = arrangementOf(form, asked);
  const length = lengthOf(form.values);
  const date = (name: 'arrangementDate' | 'arrangementStart' | 'arrangementEnd') => (
    <TextInput label={t(TYPED_NAMES[name])} type="date" value={form.values[name] ?? ''} onChange={(day) => set({ [name]: day })} error={problem(name)} disabled={locked} required />
  );
  return (
    <div className={css.arrangement}>
      <RadioInput
        label={t('typed.arrangementType')}
        value={kind}
        choices={ARRANGEMENTS.filter((one) => asked.payment.arrangements.includes(one)).map((id) => ({ id, label: t(`arrangement.${id}`) }))}
        onChange={(arrangementType) => set({ arrangementType })}
        disabled={locked}
      />
      {kind === 'one_date' && <div className={css.inputs}>{date('arrangementDate')}</div>}
      {kind === 'one_date' && <Notice day={form.values.arrangementDate} {...props} />}
      {kind === 'plan' && (
        <>
          <div className={css.inputs}>
            {date('arrangementStart')}
            <SelectInput
              label={t('typed.arrangementInterval')}
              value={form.values.arrangementInterval ?? 'monthly'}
              choices={INTERVALS.map((id) => ({ id, label: t(`interval.${id}`) }))}
              onChange={(arrangementInterval) => set({ arrangementInterval })}
              disabled={locked}
            />
            <SelectInput
              label={t('arrangement.length')}
              value={length}
              choices={(Object.keys(LENGTHS) as LengthName[]).map((id) => ({ id, label: t(`arrangement.length.${id}`) }))}
              onChange={(next) => props.onForm({ ...form, values: withLength(form.values, next) })}
              disabled={locked}
            />
            {length === 'end' ? date('arrangementEnd') : <TypedInput name={LENGTHS[length]} required {...props} mode={length === 'count' ? 'numeric' : 'decimal'} />}
            <TypedInput name="arrangementDownPayment" required={false} {...props} mode="decimal" />
          </div>
          <PlanPreview {...props} />
        </>
      )}
    </div>
  );
}

function withLength(values: Typed['values'], length: LengthName): Typed['values'] {
  const { arrangementEnd: _end, arrangementAmount: _each, ...rest } = values;
  return length === 'count' ? rest : { ...rest, [LENGTHS[length]]: '' };
}

/** Parts of which each is read out; a longer plan is told by its first and last. */
const LISTED_MAX = 12;

export function PlanPreview({ form, asked, today }: Pick<Props, 'form' | 'asked' | 'today'>) {
  const t = useT();
  const parts = partsOf(form, asked);
  const last = parts[parts.length - 1];
  const down = parseMoney(form.values.arrangementDownPayment ?? '', form.currency);
  if (!last) return null;
  const listed = parts.length <= LISTED_MAX ? parts : [...parts.slice(0, 3), last];
  return (
    <div className={css.plan} role="status">
      {down && <p>{t('plan.down_payment', { amount: moneyText(down) })}</p>}
      <p>{t('plan.summary', { n: parts.length, day: dayText(last.day) })}</p>
      <ol>
        {listed.map(({ day, amount }) => (
          <li key={day} value={parts.findIndex((part) => part.day === day) + 1}>
            {t('plan.part', { day: dayText(day), amount: moneyText(amount) })} <Notice day={day} form={form} today={today} />
          </li>
        ))}
      </ol>
    </div>
  );
}

/** When a debt collector announces the payment in writing: a rule of the United States. */
function Notice({ day, form, today }: { day: string | undefined; form: Typed; today?: string | undefined }) {
  const t = useT();
  const notice = day && today && form.currency === 'USD' ? noticeOf(day, today) : undefined;
  if (!notice) return null;
  return <span className={css.muted}>{t('plan.notice', { from: dayText(notice.from), until: dayText(notice.until) })}</span>;
}

function TypedInput({ name, required, input, mode, ...props }: Props & { name: TypedName; required: boolean; input?: DemographicInput; mode?: 'numeric' | 'decimal' }) {
  const t = useT();
  const set = useSet(props);
  const origin = originOf(name, props.form.values[name], props.call, input);
  return (
    <TextInput
      label={t(TYPED_NAMES[name])}
      value={props.form.values[name] ?? ''}
      onChange={(text) => set({ [name]: text })}
      error={props.problem(name)}
      hint={origin && t(origin)}
      required={required}
      maxLength={CHARS_MAX[name]}
      disabled={props.locked}
      {...(mode ? { inputMode: mode } : {})}
    />
  );
}
