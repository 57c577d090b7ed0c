/** Message Config: what the agent reads out, which cards are taken, and the options under More. */
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import type { WidgetOptions } from '../lib/api/types';
import { BRAND_NAMES, isAdvanced, isCheck } from '../lib/capture/words';
import { CheckInput, Icon, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { NumberName } from './desktop-form';
import { BRANDS, NUMBERS } from './desktop-form';
import { PromptInputs } from './prompt-inputs';
import { DemographicTable, PaymentRules } from './typed-inputs';
import type { InputsProps } from './widget-sheet';

export function MessageConfig(props: InputsProps) {
  const { draft, errors, may } = props;
  const t = useT();
  return (
    <div className={css.inputs}>
      {!may.messages && <p className={css.hint}>{t('widget.messages_denied')}</p>}
      <PromptInputs {...props} />
      {!isCheck(draft.kind) && <CardTypes {...props} />}
      <Disclosure className={css.more!} defaultExpanded={Object.keys(errors).some((path) => path.startsWith('options.'))}>
        <Heading>
          <AriaButton slot="trigger" className={css.moreButton!}>
            <Icon name="chevron" />
            {t('widget.more')}
          </AriaButton>
        </Heading>
        <DisclosurePanel className={css.morePanel!}>
          <Options {...props} />
        </DisclosurePanel>
      </Disclosure>
    </div>
  );
}

function CardTypes({ draft, errors, onChange, may }: InputsProps) {
  const t = useT();
  return (
    <fieldset className={css.set}>
      <legend>{t('widget.card_types')}</legend>
      <div className={css.checks}>
        {BRANDS.map((brand) => (
          <CheckInput
            key={brand}
            label={t(BRAND_NAMES[brand])}
            value={draft.card_types.includes(brand)}
            onChange={(on) => onChange({ card_types: BRANDS.filter((other) => (other === brand ? on : draft.card_types.includes(other))) })}
            disabled={!may.messages}
          />
        ))}
      </div>
      {errors.card_types && (
        <p className={css.error} tabIndex={-1} data-error-anchor>
          {errors.card_types}
        </p>
      )}
    </fieldset>
  );
}

const SEC_CODES = ['by_holder', 'tel', 'ccd', 'ppd', 'web'] as const;

type Toggle = { [K in keyof WidgetOptions]: WidgetOptions[K] extends boolean ? K : never }[keyof WidgetOptions];

function Options(props: InputsProps) {
  const { draft, errors, onChange, may } = props;
  const t = useT();
  const { options, kind } = draft;
  const set = (next: Partial<WidgetOptions>) => onChange({ options: { ...options, ...next } });
  const toggle = (name: Toggle) => (
    <CheckInput
      key={name}
      label={t(`options.${name}`)}
      value={options[name]}
      onChange={(on) => set({ [name]: on })}
      disabled={!may.messages}
      {...(name === 'reveal_security_code' ? { hint: t('options.reveal_security_code.hint') } : {})}
    />
  );
  const card = !isCheck(kind);
  const basic = !isAdvanced(kind);
  const toggles: Toggle[] = ['star_clears', 'pound_ends', 'mute_while_keying', 'process_after_hang_up'];
  if (basic && card) toggles.unshift('reveal_security_code');
  if (!basic) toggles.unshift('show_brand_and_last_four');
  if (!card) toggles.push('account_number_twice');
  const numbers: NumberName[] = ['first_key_timeout_s', 'inter_key_timeout_s', 'attempts_max', 'process_max', 'session_limit_min'];
  if (basic) numbers.unshift('hide_after_s');
  return (
    <>
      <div className={css.pairs}>
        {card && (
          <SelectInput
            label={t('options.security_code')}
            value={options.security_code}
            choices={(['required', 'optional', 'not_captured'] as const).map((id) => ({ id, label: t(`options.security_code.${id}`) }))}
            onChange={(security_code) => set({ security_code })}
            disabled={!may.messages}
          />
        )}
        {card && (
          <SelectInput
            label={t('options.expiry_format')}
            value={options.expiry_format}
            choices={(['mmyy', 'mmyyyy'] as const).map((id) => ({ id, label: t(`options.expiry_format.${id}`) }))}
            onChange={(expiry_format) => set({ expiry_format })}
            disabled={!may.messages}
          />
        )}
        {card && basic && (
          <SelectInput
            label={t('options.card_number_shown')}
            value={options.card_number_shown}
            choices={(['full', 'last_four'] as const).map((id) => ({ id, label: t(`options.card_number_shown.${id}`) }))}
            onChange={(card_number_shown) => set({ card_number_shown })}
            disabled={!may.messages}
          />
        )}
        {!card && !basic && (
          <SelectInput
            label={t('options.sec_code')}
            value={options.sec_code}
            choices={SEC_CODES.map((id) => ({ id, label: t(`options.sec_code.${id}`) }))}
            onChange={(sec_code) => set({ sec_code })}
            hint={t('options.sec_code_hint')}
            disabled={!may.messages}
          />
        )}
        {numbers.map((name) => (
          <NumberInput key={name} name={name} {...props} />
        ))}
      </div>
      <div className={css.checks}>{toggles.map(toggle)}</div>
      {!card && (
        <>
          <SelectInput
            label={t('options.authorisation')}
            value={options.authorisation.rule}
            choices={(['none', 'recording', 'notice'] as const).map((id) => ({ id, label: t(`options.authorisation.${id}`) }))}
            onChange={(rule) => set({ authorisation: { ...options.authorisation, rule } })}
            disabled={!may.messages}
          />
          {options.authorisation.rule !== 'none' && (
            <TextInput
              label={t('options.authorisation_text')}
              value={options.authorisation.text}
              onChange={(text) => set({ authorisation: { ...options.authorisation, text } })}
              lines={5}
              maxLength={1_500}
              hint={t(basic ? 'options.authorisation_basic' : 'options.authorisation_hint')}
              error={errors['options.authorisation.text']}
              disabled={!may.messages}
            />
          )}
        </>
      )}
      {!basic && <DemographicTable {...props} />}
      {!basic && <PaymentRules {...props} />}
    </>
  );
}

function NumberInput({ name, draft, errors, onChange, may }: InputsProps & { name: Exclude<NumberName, 'connection_timeout_ms' | 'read_timeout_ms'> | NumberName }) {
  const t = useT();
  if (name === 'connection_timeout_ms' || name === 'read_timeout_ms') return null;
  return (
    <TextInput
      label={t(`options.${name}`)}
      value={draft.numbers[name] ?? ''}
      onChange={(text) => onChange({ numbers: { ...draft.numbers, [name]: text } })}
      hint={t('options.range', NUMBERS[name])}
      error={errors[`options.${name}`]}
      inputMode="numeric"
      disabled={!may.messages}
    />
  );
}
