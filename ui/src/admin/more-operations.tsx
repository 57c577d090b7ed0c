/** Requests besides the payment's: one in its place that keeps the card, and those about a payment that the gateway has: what became of it, undo it, give money back, take what is held. */
import { useId } from 'react';
import type { ContentType, GatewayOperation, OperationKind, Operations } from '../lib/api/types';
import { Button, Icon, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { REQUEST_TYPES, RESPONSE_TYPES } from './content-types';
import type { GroupProps } from './gateway-more';
import look from './gateway-more.module.css';
import { MappingTable } from './mapping-table';
import type { OperationDraft } from './more-form';
import { OPERATIONS, VERDICT_LISTS, briefOperation, firstOperation, fullOperation, operationsOf } from './more-form';
import { AS_PAYMENT, LinesInput, METHODS, VALUE_MEANINGS } from './more-groups';
import { Remove } from './more-values';
import { TemplateInput } from './template-input';

/** Only what changes nothing is asked by GET. */
const methodsOf = (kind: OperationKind) => (kind === 'inquire' ? (['GET', ...METHODS] as const) : METHODS);

export function OperationsGroup(props: GroupProps) {
  const t = useT();
  const { errors, may, more, set } = props;
  const off = !may.gateway;
  const there = operationsOf(more.operations);
  const missing = OPERATIONS.filter((kind) => !more.operations[kind]);
  const change = (kind: keyof Operations, next: GatewayOperation | undefined) => {
    const { [kind]: _, ...others } = more.operations;
    set({ operations: Object.fromEntries(operationsOf(next ? { ...others, [kind]: next } : others)) });
  };
  return (
    <>
      {errors['gateway.more.operations'] && <p className={css.error}>{errors['gateway.more.operations']}</p>}
      {there.length === 0 && <p className={css.hint}>{t('more.operation_none')}</p>}
      {there.map(([kind, operation]) => (
        <Operation
          key={kind}
          {...props}
          kind={kind}
          operation={fullOperation(operation)}
          onOperation={(next) => change(kind, briefOperation({ ...fullOperation(operation), ...next }))}
          onRemove={() => change(kind, undefined)}
        />
      ))}
      <div className={css.tools}>
        {missing.map((kind) => (
          <Button key={kind} size="small" isDisabled={off} onPress={() => change(kind, firstOperation(kind))} aria-label={`${t('mapping.add')}: ${t(`more.operation.${kind}`)}`}>
            <Icon name="add" />
            {t(`more.operation.${kind}`)}
          </Button>
        ))}
      </div>
    </>
  );
}

/** In the sale's place, where nothing is due today. */
export function StoreGroup(props: GroupProps) {
  const t = useT();
  const { more: { store }, may, set } = props;
  if (store) return <Operation {...props} kind="store" operation={fullOperation(store)} onOperation={(next) => set({ store: briefOperation({ ...fullOperation(store), ...next }) })} onRemove={() => set({ store: null })} />;
  return (
    <>
      <p className={css.hint}>{t('more.store_none')}</p>
      <div className={css.tools}>
        <Button size="small" isDisabled={!may.gateway} onPress={() => set({ store: firstOperation('store') })} aria-label={`${t('mapping.add')}: ${t('more.operation.store')}`}>
          <Icon name="add" />
          {t('more.operation.store')}
        </Button>
      </div>
    </>
  );
}

/** Where its fields stand in the form. */
const pathOf = (kind: OperationKind) => (kind === 'store' ? 'gateway.more.store' : `gateway.more.operations.${kind}`);

type OperationProps = GroupProps & { kind: OperationKind; operation: OperationDraft; onOperation: (next: Partial<OperationDraft>) => void; onRemove: () => void };

function Operation(props: OperationProps) {
  const { kind, onRemove, errors, may } = props;
  const t = useT();
  const titleId = useId();
  const name = t(`more.operation.${kind}`);
  const whole = errors[pathOf(kind)];
  return (
    <section className={look.step} aria-labelledby={titleId}>
      <div className={look.rowsHead}>
        <h5 id={titleId}>{name}</h5>
        <Remove name={name} at={0} disabled={!may.gateway} onPress={onRemove} />
      </div>
      <p className={css.hint}>{t(`more.operation_hint.${kind}`)}</p>
      {whole && <p className={css.error}>{whole}</p>}
      <Asked {...props} />
      <Answered {...props} />
    </section>
  );
}

const OPERATION_HINTS = { url: 'more.operation_url_hint', params: 'more.operation_params_hint', headers: 'more.operation_headers_hint' } as const;
const STORE_HINTS = { url: 'more.step.url_hint', params: 'more.step.params_hint', headers: 'more.step.headers_hint' } as const;

/** The request. */
function Asked({ kind, operation, onOperation, draft, errors, may }: OperationProps) {
  const t = useT();
  const off = !may.gateway;
  const path = pathOf(kind);
  const above = { operation: kind };
  // The store is sent while everything is there, as a step is.
  const hints = kind === 'store' ? STORE_HINTS : OPERATION_HINTS;
  const type = (field: 'request_type' | 'response_type', types: readonly ContentType[]) => (
    <SelectInput
      label={t(`widget.${field}`)}
      value={operation[field] ?? AS_PAYMENT}
      choices={[{ id: AS_PAYMENT, label: t('more.step.as_payment') }, ...types.map((id) => ({ id, label: id }))]}
      onChange={(value) => onOperation({ [field]: value === AS_PAYMENT ? null : value })}
      error={errors[`${path}.${field}`]}
      disabled={off}
    />
  );
  return (
    <>
      <TemplateInput label={t('more.operation_url')} value={operation.url} onChange={(url) => onOperation({ url })} hint={t(hints.url)} error={errors[`${path}.url`]} required draft={draft} place="url" above={above} disabled={off} />
      <div className={css.pairs}>
        <SelectInput label={t('more.method')} value={operation.method} choices={methodsOf(kind).map((id) => ({ id, label: id }))} onChange={(method) => onOperation({ method })} error={errors[`${path}.method`]} disabled={off} />
        {type('request_type', REQUEST_TYPES)}
      </div>
      <MappingTable
        title={t('more.operation_params')}
        nameLabel={t('mapping.name')}
        rows={operation.request_params}
        onChange={(request_params) => onOperation({ request_params })}
        errors={errors}
        path={`${path}.request_params`}
        hint={errors[`${path}.request_params`] ?? t(hints.params)}
        disabled={off}
        tokens={{ draft, place: 'body', above }}
      />
      <TemplateInput label={t('more.body')} value={operation.body} onChange={(body) => onOperation({ body })} hint={t('more.body_hint')} error={errors[`${path}.body`]} lines={4} draft={draft} place="body" above={above} disabled={off} />
      <MappingTable
        title={t('more.operation_headers')}
        nameLabel={t('mapping.header')}
        rows={operation.request_headers}
        onChange={(request_headers) => onOperation({ request_headers })}
        errors={errors}
        path={`${path}.request_headers`}
        hint={t(hints.headers)}
        disabled={off}
        tokens={{ draft, place: 'header', above }}
      />
      {type('response_type', RESPONSE_TYPES)}
    </>
  );
}

/** How its answer is judged, and what of it is kept. */
function Answered({ kind, operation, onOperation, errors, may }: OperationProps) {
  const t = useT();
  const off = !may.gateway;
  const path = pathOf(kind);
  const text = (field: 'success_key' | 'success_value' | 'agent_message_key' | 'reference_key', required: boolean) => (
    <TextInput
      label={t(`more.operation_${field}`)}
      value={operation[field]}
      onChange={(value) => onOperation({ [field]: value })}
      hint={field === 'reference_key' ? t('more.operation_reference_key_hint') : undefined}
      error={errors[`${path}.${field}`]}
      required={required}
      disabled={off}
      spellCheck="false"
    />
  );
  return (
    <>
      <div className={css.pairs}>
        {text('success_key', true)}
        {text('success_value', true)}
      </div>
      <SelectInput
        label={t('more.success_value')}
        value={operation.success_value_meaning}
        choices={VALUE_MEANINGS.map((id) => ({ id, label: t(`more.success_value.${id}`) }))}
        onChange={(success_value_meaning) => onOperation({ success_value_meaning })}
        error={errors[`${path}.success_value_meaning`]}
        disabled={off}
      />
      {kind !== 'store' && text('reference_key', kind === 'inquire')}
      {VERDICT_LISTS.map((list) => (
        <LinesInput
          key={list}
          label={t(`more.verdict.${list}`)}
          lines={operation.verdict[list]}
          onChange={(conditions) => onOperation({ verdict: { ...operation.verdict, [list]: conditions } })}
          hint={t(`more.verdict_hint.${list}`)}
          errors={errors}
          path={`${path}.verdict.${list}`}
          disabled={off}
        />
      ))}
      {text('agent_message_key', false)}
      <LinesInput label={t('more.message_keys')} lines={operation.message_keys} onChange={(message_keys) => onOperation({ message_keys })} hint={t('more.operation_message_keys_hint')} errors={errors} path={`${path}.message_keys`} disabled={off} />
      <MappingTable
        title={t('more.outputs')}
        nameLabel={t('mapping.name')}
        valueLabel={t('more.output_key')}
        rows={operation.outputs}
        onChange={(outputs) => onOperation({ outputs })}
        errors={errors}
        path={`${path}.outputs`}
        hint={t(kind === 'store' ? 'more.store_outputs_hint' : 'more.operation_outputs_hint')}
        disabled={off}
      />
    </>
  );
}
