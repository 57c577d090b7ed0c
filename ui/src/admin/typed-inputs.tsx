/** O13 and O14: what the agent types in an Advanced widget, under More. */
import { useState } from 'react';
import type { DemographicInput, Fee, PaymentInputs, Prefill } from '../lib/api/types';
import { ARRANGEMENTS, DEMOGRAPHIC } from '../lib/capture/payment-form';
import { TYPED_NAMES } from '../lib/capture/detail-inputs';
import { Button, CheckInput, Icon, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { InputsProps } from './widget-sheet';

const AMOUNT_SOURCES = ['agent', 'api'] as const;
const PREFILLS: readonly Prefill[] = ['nothing', 'caller_name', 'caller_number'];

/** Every field: shown ones first, in the order of the tab; moved by buttons. */
export function DemographicTable({ draft, errors, onChange, may }: InputsProps) {
  const t = useT();
  const shown = draft.options.demographic;
  const hidden = DEMOGRAPHIC.filter((name) => !shown.some((input) => input.name === name));
  const set = (demographic: DemographicInput[]) => onChange({ options: { ...draft.options, demographic } });
  const change = (place: number, next: Partial<DemographicInput>) => set(shown.map((input, other) => (other === place ? { ...input, ...next } : input)));
  const move = (place: number, by: -1 | 1) => {
    const next = [...shown];
    const [input] = next.splice(place, 1);
    if (input) next.splice(place + by, 0, input);
    set(next);
  };
  const off = !may.messages;
  return (
    <fieldset className={css.set}>
      <legend>{t('options.demographic')}</legend>
      <p className={css.hint}>{t('options.demographic_hint')}</p>
      <ul className={css.asked}>
        {shown.map((input, place) => {
          const name = t(TYPED_NAMES[input.name]);
          return (
            <li key={input.name}>
              <CheckInput label={name} accessibleName={t('options.shown_name', { name })} value onChange={() => set(shown.filter((_, other) => other !== place))} disabled={off} />
              <CheckInput label={t('options.required')} accessibleName={t('options.required_name', { name })} value={input.required ?? false} onChange={(required) => change(place, { required })} disabled={off} />
              <SelectInput
                label={t('options.prefill')}
                value={input.prefill ?? 'nothing'}
                choices={PREFILLS.map((id) => ({ id, label: t(`options.prefill.${id}`) }))}
                onChange={(prefill) => change(place, { prefill })}
                disabled={off}
              />
              <span className={css.moves}>
                <Button size="icon" look="quiet" isDisabled={off || place === 0} aria-label={t('options.up', { name })} onPress={() => move(place, -1)}>
                  <Icon name="up" />
                </Button>
                <Button size="icon" look="quiet" isDisabled={off || place === shown.length - 1} aria-label={t('options.down', { name })} onPress={() => move(place, 1)}>
                  <Icon name="down" />
                </Button>
              </span>
              {errors[`options.demographic.${place}.name`] && <p className={css.error}>{errors[`options.demographic.${place}.name`]}</p>}
            </li>
          );
        })}
        {hidden.map((name) => (
          <li key={name}>
            <CheckInput
              label={t(TYPED_NAMES[name])}
              accessibleName={t('options.shown_name', { name: t(TYPED_NAMES[name]) })}
              value={false}
              onChange={() => set([...shown, { name, required: false, prefill: 'nothing' }])}
              disabled={off}
            />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

export function PaymentRules(props: InputsProps) {
  const { draft, errors, onChange, may } = props;
  const t = useT();
  const { payment } = draft.options;
  const set = (next: Partial<PaymentInputs>) => onChange({ options: { ...draft.options, payment: { ...payment, ...next } } });
  const off = !may.messages;
  return (
    <fieldset className={css.set}>
      <legend>{t('options.payment')}</legend>
      <div className={css.pairs}>
        <Currencies key={draft.key} payment={payment} error={errors['options.payment.currencies']} disabled={off} onChange={(currencies) => set({ currencies })} />
        <SelectInput
          label={t('options.payment.amount_source')}
          value={payment.amount_source}
          choices={AMOUNT_SOURCES.map((id) => ({ id, label: t(`options.payment.amount_source.${id}`) }))}
          onChange={(amount_source) => set({ amount_source })}
          hint={payment.amount_source === 'api' ? t('options.payment.amount_source_hint') : undefined}
          disabled={off}
        />
        {(['amount_min', 'amount_max'] as const).map((name) => (
          <TextInput
            key={name}
            label={t(`options.payment.${name}`)}
            value={payment[name] ?? ''}
            onChange={(text) => set({ [name]: text.trim() === '' ? null : text.trim() })}
            hint={t('options.payment.limit_hint')}
            error={errors[`options.payment.${name}`]}
            inputMode="decimal"
            disabled={off}
          />
        ))}
      </div>
      <div className={css.checks}>
        {(['reference_required', 'description_required'] as const).map((name) => (
          <CheckInput key={name} label={t(`options.payment.${name}`)} value={payment[name]} onChange={(on) => set({ [name]: on })} disabled={off} />
        ))}
      </div>
      <FeeInputs {...props} fee={payment.fee ?? null} onFee={(fee) => set({ fee })} />
      <fieldset className={css.set}>
        <legend>{t('options.payment.arrangements')}</legend>
        <div className={css.checks}>
          {ARRANGEMENTS.map((kind) => (
            <CheckInput
              key={kind}
              label={t(`arrangement.${kind}`)}
              value={payment.arrangements.includes(kind)}
              onChange={(on) => set({ arrangements: ARRANGEMENTS.filter((other) => (other === kind ? on : payment.arrangements.includes(other))) })}
              disabled={off}
            />
          ))}
        </div>
        {payment.arrangements.some((kind) => kind !== 'now') && <p className={css.hint}>{t('options.payment.arrangements_hint')}</p>}
        {payment.arrangements.includes('plan') && (
          <div className={css.pairs}>
            <TextInput
              label={t('options.payment.plan_months_max')}
              value={payment.plan_months_max > 0 ? String(payment.plan_months_max) : ''}
              onChange={(text) => set({ plan_months_max: /^\d{1,2}$/.test(text.trim()) ? Number(text) : 0 })}
              hint={t('options.range', { min: 1, max: 24 })}
              error={errors['options.payment.plan_months_max']}
              inputMode="numeric"
              disabled={off}
            />
            <TextInput
              label={t('options.payment.plan_part_min')}
              value={payment.plan_part_min ?? ''}
              onChange={(text) => set({ plan_part_min: text.trim() === '' ? null : text.trim() })}
              hint={t('options.payment.limit_hint')}
              error={errors['options.payment.plan_part_min']}
              inputMode="decimal"
              disabled={off}
            />
          </div>
        )}
        {errors['options.payment.arrangements'] && (
          <p className={css.error} tabIndex={-1} data-error-anchor>
            {errors['options.payment.arrangements']}
          </p>
        )}
      </fieldset>
    </fieldset>
  );
}

/** "USD, CAD": the first is what a payment starts with. Kept as typed until the next look at the form. */
function Currencies({ payment, error, disabled, onChange }: { payment: PaymentInputs; error: string | undefined; disabled: boolean; onChange: (currencies: string[]) => void }) {
  const t = useT();
  const [text, setText] = useState(payment.currencies.join(', '));
  const change = (typed: string) => {
    setText(typed);
    onChange(typed.toUpperCase().split(/[\s,;]+/).filter((code) => code !== ''));
  };
  return <TextInput label={t('options.payment.currencies')} value={text} onChange={change} hint={t('options.payment.currencies_hint')} error={error} disabled={disabled} />;
}

/** "2.5": percent, kept as typed. What is no number is out of range, which OK refuses. */
function Percent({ fee, error, disabled, onChange }: { fee: Fee; error: string | undefined; disabled: boolean; onChange: (hundredths: number) => void }) {
  const t = useT();
  const [text, setText] = useState(fee.percent_hundredths ? String(fee.percent_hundredths / 100) : '');
  const change = (typed: string) => {
    setText(typed);
    const trimmed = typed.trim().replace(',', '.');
    if (trimmed === '') onChange(0);
    else onChange(/^\d{1,2}(\.\d{1,2})?$/.test(trimmed) ? Math.round(Number(trimmed) * 100) : -1);
  };
  return <TextInput label={t('options.payment.fee_percent')} value={text} onChange={change} error={error} inputMode="decimal" disabled={disabled} />;
}

function FeeInputs({ fee, onFee, errors, may }: InputsProps & { fee: Fee | null; onFee: (fee: Fee | null) => void }) {
  const t = useT();
  const off = !may.messages;
  const set = (next: Partial<Fee>) => fee && onFee({ ...fee, ...next });
  return (
    <>
      <CheckInput label={t('options.payment.fee_on')} value={fee !== null} onChange={(on) => onFee(on ? { label: t('options.payment.fee_first'), percent_hundredths: 0, fixed: null } : null)} disabled={off} />
      {fee && (
        <div className={css.pairs}>
          <TextInput label={t('options.payment.fee_label')} value={fee.label} onChange={(label) => set({ label })} error={errors['options.payment.fee.label']} maxLength={60} disabled={off} required />
          <Percent fee={fee} onChange={(percent_hundredths) => set({ percent_hundredths })} error={errors['options.payment.fee.percent_hundredths']} disabled={off} />
          <TextInput
            label={t('options.payment.fee_fixed')}
            value={fee.fixed ?? ''}
            onChange={(text) => set({ fixed: text.trim() === '' ? null : text.trim() })}
            error={errors['options.payment.fee.fixed']}
            inputMode="decimal"
            disabled={off}
          />
        </div>
      )}
    </>
  );
}
