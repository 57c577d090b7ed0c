/** All recorders of a service, confirmed by whoever saves them. */
import { useState } from 'react';
import { ApiError, sentenceOf } from '../lib/api/client';
import type { RecordersForm, Service, SinkForm } from '../lib/api/types';
import { Button, Icon, Notice, SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors } from './desktop-form';
import { FormSheet } from './form-sheet';

const MEDIA = { call: 'spc.recorder.medium.call', screen: 'spc.recorder.medium.screen' } satisfies Record<SinkForm['medium'], MessageId>;
const HEARING = { masked: 'spc.recorder.hears.masked', unmasked: 'spc.recorder.hears.unmasked' } satisfies Record<SinkForm['hears'], MessageId>;
/** Recorders that a service may declare. */
const SINKS_MAX = 16;

type Props = {
  service: Service;
  controls: readonly string[];
  error: unknown;
  busy: boolean;
  onSave: (sinks: RecordersForm['sinks']) => void;
  onClose: () => void;
};

export function RecordersSheet({ service, controls, error, busy, onSave, onClose }: Props) {
  const t = useT();
  const [sinks, setSinks] = useState<readonly SinkForm[]>(() => (service.recorders?.sinks ?? []).map(({ name, medium, hears, control }) => ({ name, medium, hears, control: control ?? null })));
  const change = (index: number, part: Partial<SinkForm>) => setSinks(sinks.map((sink, at) => (at === index ? { ...sink, ...part } : sink)));
  const errors: Errors = error instanceof ApiError ? Object.fromEntries((error.problem.errors ?? []).map(({ field, message }) => [field, message])) : {};
  const submit = { label: t('spc.recorders_confirm'), ready: !busy, run: () => onSave([...sinks]) };
  return (
    <FormSheet title={t('spc.recorders_edit', { name: service.name })} onClose={onClose} submit={submit}>
      <p className={css.hint}>{t('spc.recorders_hint')}</p>
      {error !== null && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {sinks.length === 0 && <p className={css.empty}>{t('spc.recorders_none')}</p>}
      {sinks.map((sink, index) => (
        <section key={index} className={css.panel} aria-label={t('spc.recorder', { n: index + 1 })}>
          <TextInput label={t('spc.recorder.name')} value={sink.name} required error={errors[`sinks[${index}].name`]} onChange={(name) => change(index, { name })} />
          <SelectInput label={t('spc.recorder.medium')} value={sink.medium} choices={choices(MEDIA, t)} onChange={(medium) => change(index, { medium })} />
          <SelectInput label={t('spc.recorder.hears')} value={sink.hears} choices={choices(HEARING, t)} onChange={(hears) => change(index, { hears })} />
          <SelectInput
            label={t('spc.recorder.control')}
            value={sink.control ?? ''}
            choices={[{ id: '', label: t('spc.recorder.control.none') }, ...controls.map((id) => ({ id, label: id }))]}
            hint={controls.length === 0 ? t('spc.recorder.control.file') : undefined}
            error={errors[`sinks[${index}].control`]}
            onChange={(control) => change(index, { control: control || null })}
          />
          <div className={css.tools}>
            <Button onPress={() => setSinks(sinks.filter((_, at) => at !== index))}>{t('spc.recorder.remove')}</Button>
          </div>
        </section>
      ))}
      <div className={css.tools}>
        <Button isDisabled={sinks.length >= SINKS_MAX} onPress={() => setSinks([...sinks, { name: '', medium: 'call', hears: 'masked', control: null }])}>
          <Icon name="add" />
          {t('spc.recorder.add')}
        </Button>
      </div>
    </FormSheet>
  );
}

function choices<K extends string>(words: Record<K, MessageId>, t: ReturnType<typeof useT>): { id: K; label: string }[] {
  return (Object.keys(words) as K[]).map((id) => ({ id, label: t(words[id]) }));
}
