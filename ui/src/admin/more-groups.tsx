/** Groups of "More" that are single fields: the request, a computed password, the answer, the verdict. */
import { useState } from 'react';
import type { More } from '../lib/api/types';
import { SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors } from './desktop-form';
import type { GroupProps } from './gateway-more';
import look from './gateway-more.module.css';
import { MappingTable } from './mapping-table';
import { VERDICT_LISTS } from './more-form';
import { TemplateInput } from './template-input';

/** A choice that stands for the payment's own. */
export const AS_PAYMENT = 'as_payment';

export const METHODS: readonly NonNullable<More['method']>[] = ['POST', 'PUT'];
const REQUEST_FORMATS: readonly NonNullable<More['request_format']>[] = ['request_type', 'name_value'];
export const VALUE_MEANINGS: readonly NonNullable<More['success_value']>[] = ['text', 'test'];
const RECOVERIES: readonly NonNullable<More['recovery']>[] = ['none', 'replay', 'inquire', 'void_by_reference'];
const RESPONSE_FORMATS: readonly NonNullable<More['response_format']>[] = ['response_type', 'name_value'];

export function RequestGroup({ draft, errors, may, more, set }: GroupProps) {
  const t = useT();
  const off = !may.gateway;
  return (
    <>
      <div className={css.pairs}>
        <SelectInput label={t('more.method')} value={more.method} choices={METHODS.map((id) => ({ id, label: id }))} onChange={(method) => set({ method })} error={errors['gateway.more.method']} disabled={off} />
        <SelectInput
          label={t('more.request_format')}
          value={more.request_format}
          choices={REQUEST_FORMATS.map((id) => ({ id, label: t(`more.request_format.${id}`) }))}
          onChange={(request_format) => set({ request_format })}
          error={errors['gateway.more.request_format']}
          disabled={off}
        />
      </div>
      <TemplateInput label={t('more.body')} value={more.body} onChange={(body) => set({ body })} hint={t('more.body_hint')} error={errors['gateway.more.body']} lines={8} draft={draft} place="body" disabled={off} />
      <div className={css.pairs}>
        <TextInput
          label={t('more.body_form_field')}
          value={more.body_form_field}
          onChange={(body_form_field) => set({ body_form_field })}
          hint={t('more.body_form_field_hint')}
          error={errors['gateway.more.body_form_field']}
          disabled={off}
        />
        <TextInput label={t('more.content_type')} value={more.content_type} onChange={(content_type) => set({ content_type })} hint={t('more.content_type_hint')} error={errors['gateway.more.content_type']} disabled={off} />
      </div>
    </>
  );
}

/** In the place of the stored one. */
export function PasswordGroup({ draft, errors, may, gateway, more, set }: GroupProps) {
  const t = useT();
  return (
    <TemplateInput
      label={t('more.auth_password')}
      value={more.auth_password}
      onChange={(auth_password) => set({ auth_password })}
      hint={t(gateway.auth_method === 'basic' ? 'more.auth_password_hint' : 'more.auth_password_off')}
      error={errors['gateway.more.auth_password']}
      draft={draft}
      place="header"
      disabled={!may.gateway}
    />
  );
}

export function AnswerGroup({ errors, may, more, set }: GroupProps) {
  const t = useT();
  const off = !may.gateway;
  return (
    <>
      <SelectInput
        label={t('more.response_format')}
        value={more.response_format}
        choices={RESPONSE_FORMATS.map((id) => ({ id, label: t(`more.response_format.${id}`) }))}
        onChange={(response_format) => set({ response_format })}
        error={errors['gateway.more.response_format']}
        disabled={off}
      />
      <LinesInput label={t('more.message_keys')} lines={more.message_keys} onChange={(message_keys) => set({ message_keys })} hint={t('more.message_keys_hint')} errors={errors} path="gateway.more.message_keys" disabled={off} />
      <MappingTable
        title={t('more.outputs')}
        nameLabel={t('mapping.name')}
        valueLabel={t('more.output_key')}
        rows={more.outputs}
        onChange={(outputs) => set({ outputs })}
        errors={errors}
        path="gateway.more.outputs"
        hint={t('more.outputs_hint')}
        disabled={off}
      />
    </>
  );
}

const ORDER = ['approved', 'lists', 'declined', 'else'] as const;

export function VerdictGroup({ errors, may, more, set }: GroupProps) {
  const t = useT();
  return (
    <>
      <SelectInput
        label={t('more.success_value')}
        value={more.success_value}
        choices={VALUE_MEANINGS.map((id) => ({ id, label: t(`more.success_value.${id}`) }))}
        onChange={(success_value) => set({ success_value })}
        hint={t('more.success_value_hint')}
        error={errors['gateway.more.success_value']}
        disabled={!may.gateway}
      />
      <ol className={look.order} aria-label={t('more.order')}>
        {ORDER.map((step) => (
          <li key={step}>{t(`more.order.${step}`)}</li>
        ))}
      </ol>
      {VERDICT_LISTS.map((list) => (
        <LinesInput
          key={list}
          label={t(`more.verdict.${list}`)}
          lines={more.verdict[list]}
          onChange={(conditions) => set({ verdict: { ...more.verdict, [list]: conditions } })}
          hint={t(`more.verdict_hint.${list}`)}
          errors={errors}
          path={`gateway.more.verdict.${list}`}
          disabled={!may.gateway}
        />
      ))}
      <SelectInput
        label={t('more.recovery')}
        value={more.recovery}
        choices={RECOVERIES.map((id) => ({ id, label: t(`more.recovery.${id}`) }))}
        onChange={(recovery) => set({ recovery })}
        hint={t('more.recovery_hint')}
        error={errors['gateway.more.recovery']}
        disabled={!may.gateway}
      />
    </>
  );
}

type LinesProps = { label: string; lines: readonly string[]; onChange: (lines: string[]) => void; hint: string; errors: Errors; path: string; disabled: boolean };

/** A list, one entry a line. The text is kept as typed; blank lines count for nothing. */
export function LinesInput({ label, lines, onChange, hint, errors, path, disabled }: LinesProps) {
  const t = useT();
  const [text, setText] = useState(lines.join('\n'));
  const entries = (typed: string) => typed.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [{ line: line.trim(), at }]));
  // Another list came, and not from here.
  const shown = entries(text).map(({ line }) => line).join('\n') === lines.join('\n') ? text : lines.join('\n');
  const change = (typed: string) => {
    setText(typed);
    onChange(entries(typed).map(({ line }) => line));
  };
  const wrong = entries(shown).flatMap(({ at }, place) => errors[`${path}.${place}`] ? [t('more.line', { n: at + 1, message: errors[`${path}.${place}`]! })] : []);
  return (
    <div className={look.code}>
      <TextInput label={label} value={shown} onChange={change} hint={hint} error={errors[path] ?? (wrong.length > 0 ? wrong.join(' ') : undefined)} lines={2} spellCheck="false" disabled={disabled} />
    </div>
  );
}
