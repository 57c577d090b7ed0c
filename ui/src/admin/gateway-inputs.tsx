/** Payment Gateway Config and Advanced Config, with the reference's labels. */
import type { ContentType } from '../lib/api/types';
import { CheckInput, Notice, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';
import type { GatewayDraft } from './desktop-form';
import { NUMBERS } from './desktop-form';
import { REQUEST_TYPES, RESPONSE_TYPES } from './content-types';
import { MappingTable } from './mapping-table';
import { TemplateInput } from './template-input';
import type { InputsProps } from './widget-sheet';

type TextName = 'success_key' | 'success_value' | 'agent_message_key';

/** The gateway of the draft and the way to change it; nothing while nobody has filled it in. */
function useGateway({ draft, errors, onChange, may }: InputsProps) {
  const t = useT();
  const gateway = draft.gateway;
  if (!gateway) return undefined;
  const set = (next: Partial<GatewayDraft>) => onChange({ gateway: { ...gateway, ...next } });
  const text = (name: TextName, required: boolean, extra: { disabled?: boolean; hint?: string } = {}) => (
    <TextInput
      label={t(`widget.${name}`)}
      value={gateway[name]}
      onChange={(value) => set({ [name]: value })}
      error={errors[`gateway.${name}`]}
      required={required}
      disabled={!may.gateway || (extra.disabled ?? false)}
      hint={extra.hint}
    />
  );
  return { t, gateway, set, text };
}

export function PaymentGatewayConfig(props: InputsProps) {
  const tools = useGateway(props);
  if (!tools) return <Denied />;
  const { t, gateway, set, text } = tools;
  const { errors, may } = props;
  return (
    <div className={css.inputs}>
      {!may.gateway && <Denied />}
      <TemplateInput
        label={t('widget.service_url')}
        value={gateway.service_url}
        onChange={(service_url) => set({ service_url })}
        error={errors['gateway.service_url']}
        required
        inputMode="url"
        draft={props.draft}
        place="url"
        disabled={!may.gateway}
      />
      <div className={css.pairs}>
        {text('success_key', true)}
        {text('success_value', true)}
        <AgentMessageKey {...props} />
        <SelectInput
          label={t('widget.missing_key')}
          value={gateway.missing_key}
          choices={(['unknown', 'declined'] as const).map((id) => ({ id, label: t(`widget.missing_key.${id}`) }))}
          onChange={(missing_key) => set({ missing_key })}
          disabled={!may.gateway}
        />
      </div>
      <CheckInput
        label={t('widget.send_standard')}
        value={gateway.send_standard_parameters}
        onChange={(send_standard_parameters) => set({ send_standard_parameters })}
        disabled={!may.gateway}
      />
      <MappingTable
        title={t('widget.request_params')}
        nameLabel={t('mapping.name')}
        rows={gateway.request_params}
        onChange={(request_params) => set({ request_params })}
        errors={errors}
        path="gateway.request_params"
        hint={t('mapping.tokens')}
        disabled={!may.gateway}
        tokens={{ draft: props.draft, place: 'body' }}
      />
    </div>
  );
}

/** S19: any key, one of those that are listed, or none. A stored key that is not allowed is shown and ignored. */
function AgentMessageKey(props: InputsProps) {
  const tools = useGateway(props);
  const variables = props.responseVariables;
  if (!tools) return null;
  const { t, gateway, set, text } = tools;
  if (variables.allow === 'all') return text('agent_message_key', false);
  if (variables.allow === 'none') return text('agent_message_key', false, { disabled: true, hint: t('widget.agent_message_off') });
  const key = gateway.agent_message_key;
  const allowed = key === '' || variables.names.includes(key);
  return (
    <SelectInput
      label={t('widget.agent_message_key')}
      value={key}
      choices={[{ id: '', label: t('widget.agent_message_none') }, ...[...variables.names, ...(allowed ? [] : [key])].map((id) => ({ id, label: id }))]}
      onChange={(agent_message_key) => set({ agent_message_key })}
      hint={t(allowed ? 'widget.agent_message_listed' : 'widget.agent_message_ignored')}
      error={props.errors['gateway.agent_message_key']}
      disabled={!props.may.gateway}
    />
  );
}

export function AdvancedConfig(props: InputsProps) {
  const tools = useGateway(props);
  if (!tools) return <Denied />;
  const { t, gateway, set } = tools;
  const { draft, errors, onChange, may } = props;
  const type = (name: 'request_type' | 'response_type', types: readonly ContentType[]) => (
    <SelectInput
      label={t(`widget.${name}`)}
      value={gateway[name]}
      choices={types.map((id) => ({ id, label: id }))}
      onChange={(value) => set({ [name]: value })}
      error={errors[`gateway.${name}`]}
      disabled={!may.gateway}
    />
  );
  const timeout = (name: 'connection_timeout_ms' | 'read_timeout_ms', label: 'widget.connection_timeout' | 'widget.read_timeout') => (
    <TextInput
      label={t(label)}
      value={draft.numbers[name] ?? ''}
      onChange={(value) => onChange({ numbers: { ...draft.numbers, [name]: value } })}
      hint={t('widget.milliseconds', NUMBERS[name])}
      error={errors[`gateway.${name}`]}
      inputMode="numeric"
      disabled={!may.gateway}
    />
  );
  return (
    <div className={css.inputs}>
      {!may.gateway && <Denied />}
      <div className={css.pairs}>
        <SelectInput
          label={t('widget.auth_method')}
          value={gateway.auth_method}
          choices={(['none', 'basic'] as const).map((id) => ({ id, label: t(`widget.auth.${id}`) }))}
          onChange={(auth_method) => set({ auth_method, ...(auth_method === 'none' ? { auth_user_name: '' } : {}) })}
          disabled={!may.gateway}
        />
        <TemplateInput
          label={t('widget.auth_user_name')}
          value={gateway.auth_user_name}
          onChange={(auth_user_name) => set({ auth_user_name })}
          error={errors['gateway.auth_user_name']}
          required={gateway.auth_method === 'basic'}
          draft={draft}
          place="header"
          disabled={!may.gateway || gateway.auth_method === 'none'}
        />
        <Password {...props} />
      </div>
      <div className={css.pairs}>
        {timeout('connection_timeout_ms', 'widget.connection_timeout')}
        {timeout('read_timeout_ms', 'widget.read_timeout')}
        {type('request_type', REQUEST_TYPES)}
        {type('response_type', RESPONSE_TYPES)}
      </div>
      <MappingTable
        title={t('widget.request_headers')}
        nameLabel={t('mapping.header')}
        rows={gateway.request_headers}
        onChange={(request_headers) => set({ request_headers })}
        errors={errors}
        path="gateway.request_headers"
        hint={t('mapping.header_rule')}
        disabled={!may.gateway}
        tokens={{ draft, place: 'header' }}
      />
    </div>
  );
}

/** Write-only: what is stored never comes back. */
function Password({ draft, errors, onChange, may }: InputsProps) {
  const t = useT();
  const off = draft.gateway?.auth_method !== 'basic';
  const kept = draft.passwordSetAt ? t('widget.password_set_at', { time: dateTimeText(draft.passwordSetAt) }) : t('widget.password_none');
  return (
    <TextInput
      label={t('widget.auth_password')}
      type="password"
      autoComplete="new-password"
      value={draft.password}
      onChange={(password) => onChange({ password })}
      hint={may.password ? kept : t('widget.password_denied')}
      error={errors.gateway_password ?? errors['gateway.auth_password']}
      disabled={!may.password || off}
    />
  );
}

function Denied() {
  const t = useT();
  return <Notice tone="info">{t('widget.gateway_denied')}</Notice>;
}
