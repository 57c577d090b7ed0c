/** Calls before the payment: for a token, or to make a token of the card. */
import { useId } from 'react';
import type { ContentType, StepOutput } from '../lib/api/types';
import { Button, CheckInput, Icon, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { REQUEST_TYPES, RESPONSE_TYPES } from './content-types';
import type { GroupProps } from './gateway-more';
import look from './gateway-more.module.css';
import { MappingTable } from './mapping-table';
import type { StepDraft } from './more-form';
import { FIRST_STEP, STEPS_MAX, briefStep, fullStep } from './more-form';
import { AS_PAYMENT, LinesInput, METHODS } from './more-groups';
import { Remove, RowsHead, useRowFocus } from './more-values';
import { TemplateInput } from './template-input';

export function StepsGroup(props: GroupProps) {
  const t = useT();
  const { errors, may, more, set } = props;
  const off = !may.gateway;
  const change = (at: number, next: Partial<StepDraft>) => set({ steps: more.steps.map((step, other) => (other === at ? briefStep({ ...fullStep(step), ...next }) : step)) });
  const move = (at: number, by: -1 | 1) => {
    const steps = [...more.steps];
    steps.splice(at + by, 0, ...steps.splice(at, 1));
    set({ steps });
  };
  return (
    <>
      {errors['gateway.more.steps'] && <p className={css.error}>{errors['gateway.more.steps']}</p>}
      {more.steps.length === 0 && <p className={css.hint}>{t('more.step.none')}</p>}
      {more.steps.map((step, at) => (
        <Step
          key={at}
          {...props}
          at={at}
          step={fullStep(step)}
          last={at === more.steps.length - 1}
          onStep={(next) => change(at, next)}
          onMove={(by) => move(at, by)}
          onRemove={() => set({ steps: more.steps.filter((_, other) => other !== at) })}
        />
      ))}
      <div className={css.tools}>
        <Button size="small" isDisabled={off || more.steps.length >= STEPS_MAX} onPress={() => set({ steps: [...more.steps, briefStep(FIRST_STEP)] })}>
          <Icon name="add" />
          {t('more.step.add')}
        </Button>
      </div>
    </>
  );
}

type StepProps = GroupProps & { at: number; step: StepDraft; last: boolean; onStep: (next: Partial<StepDraft>) => void; onMove: (by: -1 | 1) => void; onRemove: () => void };

function Step({ at, step, last, onStep, onMove, onRemove, draft, errors, may }: StepProps) {
  const t = useT();
  const titleId = useId();
  const off = !may.gateway;
  const path = `gateway.more.steps.${at}`;
  const name = step.name || t('more.unnamed', { n: at + 1 });
  const above = { step: at };
  const type = (field: 'request_type' | 'response_type', types: readonly ContentType[]) => (
    <SelectInput
      label={t(`widget.${field}`)}
      value={step[field] ?? AS_PAYMENT}
      choices={[{ id: AS_PAYMENT, label: t('more.step.as_payment') }, ...types.map((id) => ({ id, label: id }))]}
      onChange={(value) => onStep({ [field]: value === AS_PAYMENT ? null : value })}
      error={errors[`${path}.${field}`]}
      disabled={off}
    />
  );
  return (
    <section className={look.step} aria-labelledby={titleId}>
      <div className={look.rowsHead}>
        <h5 id={titleId}>{t('more.step.title', { n: at + 1, name })}</h5>
        <div className={css.tools}>
          <Button size="icon" look="quiet" isDisabled={off || at === 0} aria-label={t('options.up', { name })} onPress={() => onMove(-1)}>
            <Icon name="up" />
          </Button>
          <Button size="icon" look="quiet" isDisabled={off || last} aria-label={t('options.down', { name })} onPress={() => onMove(1)}>
            <Icon name="down" />
          </Button>
          <Remove name={name} at={at} disabled={off} onPress={onRemove} />
        </div>
      </div>
      <div className={css.pairs}>
        <TextInput label={t('more.step.name')} value={step.name} onChange={(next) => onStep({ name: next })} error={errors[`${path}.name`]} required disabled={off} spellCheck="false" />
        <SelectInput label={t('more.method')} value={step.method} choices={METHODS.map((id) => ({ id, label: id }))} onChange={(method) => onStep({ method })} error={errors[`${path}.method`]} disabled={off} />
      </div>
      <TemplateInput label={t('more.step.url')} value={step.url} onChange={(url) => onStep({ url })} hint={t('more.step.url_hint')} error={errors[`${path}.url`]} required draft={draft} place="url" above={above} disabled={off} />
      <div className={css.pairs}>
        {type('request_type', REQUEST_TYPES)}
        {type('response_type', RESPONSE_TYPES)}
      </div>
      <MappingTable
        title={t('more.step.params')}
        nameLabel={t('mapping.name')}
        rows={step.request_params}
        onChange={(request_params) => onStep({ request_params })}
        errors={errors}
        path={`${path}.request_params`}
        hint={errors[`${path}.request_params`] ?? t('more.step.params_hint')}
        disabled={off}
        tokens={{ draft, place: 'body', above }}
      />
      <TemplateInput label={t('more.body')} value={step.body} onChange={(body) => onStep({ body })} hint={t('more.body_hint')} error={errors[`${path}.body`]} lines={4} draft={draft} place="body" above={above} disabled={off} />
      <MappingTable
        title={t('more.step.headers')}
        nameLabel={t('mapping.header')}
        rows={step.request_headers}
        onChange={(request_headers) => onStep({ request_headers })}
        errors={errors}
        path={`${path}.request_headers`}
        hint={t('more.step.headers_hint')}
        disabled={off}
        tokens={{ draft, place: 'header', above }}
      />
      <Extract rows={step.extract} onChange={(extract) => onStep({ extract })} errors={errors} path={`${path}.extract`} disabled={off} />
      <LinesInput label={t('more.step.require')} lines={step.require} onChange={(require) => onStep({ require })} hint={t('more.step.require_hint')} errors={errors} path={`${path}.require`} disabled={off} />
    </section>
  );
}

type ExtractProps = { rows: readonly StepOutput[]; onChange: (rows: StepOutput[]) => void; errors: GroupProps['errors']; path: string; disabled: boolean };

function Extract({ rows, onChange, errors, path, disabled }: ExtractProps) {
  const t = useT();
  const { root, focus } = useRowFocus();
  const title = t('more.step.extract');
  const setRow = (at: number, next: Partial<StepOutput>) => onChange(rows.map((row, other) => (other === at ? { ...row, ...next } : row)));
  return (
    <fieldset className={css.set} ref={root} aria-label={title}>
      <RowsHead title={title} disabled={disabled} onAdd={() => focus(rows.length, 'input', () => onChange([...rows, { name: '', value: '' }]))} />
      {rows.length === 0 && <p className={css.hint}>{t('mapping.empty')}</p>}
      {errors[path] && <p className={css.error}>{errors[path]}</p>}
      <ul className={look.rows}>
        {rows.map((row, at) => (
          <li key={at}>
            <TextInput label={t('mapping.name')} value={row.name} onChange={(name) => setRow(at, { name })} error={errors[`${path}.${at}.name`]} disabled={disabled} spellCheck="false" />
            <div className={look.secret}>
              <TextInput label={t('more.output_key')} value={row.value} onChange={(value) => setRow(at, { value })} error={errors[`${path}.${at}.value`]} disabled={disabled} spellCheck="false" />
              <CheckInput label={t('more.step.public')} value={row.public ?? false} onChange={(on) => setRow(at, { public: on })} disabled={disabled} />
            </div>
            <div className={look.tools}>
              <Remove name={row.name} at={at} disabled={disabled} onPress={() => focus(Math.min(at, rows.length - 2), 'input', () => onChange(rows.filter((_, other) => other !== at)))} />
            </div>
          </li>
        ))}
      </ul>
      <p className={css.hint}>{t('more.step.extract_hint')}</p>
    </fieldset>
  );
}
