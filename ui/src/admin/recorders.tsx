/** Who else records the calls of each service. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import { useRecorderControls, useServices } from '../lib/api/services';
import type { RecordersForm, Service } from '../lib/api/types';
import { Button, Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';
import { RecordersSheet } from './recorders-sheet';

export function Recorders({ editable }: { editable: boolean }) {
  const t = useT();
  const services = useServices();
  const controls = useRecorderControls();
  if (!services.data) return null;
  return (
    <section className={css.panel} aria-labelledby="recorders-title">
      <h2 id="recorders-title">{t('spc.recorders')}</h2>
      <p className={css.hint}>{t('spc.recorders_text')}</p>
      {services.data.length === 0 && <p className={css.empty}>{t('spc.no_services')}</p>}
      <ul className={css.added}>
        {services.data.map((service) => (
          <ServiceRow key={service.id} service={service} controls={controls.data ?? []} editable={editable} />
        ))}
      </ul>
    </section>
  );
}

function ServiceRow({ service, controls, editable }: { service: Service; controls: readonly string[]; editable: boolean }) {
  const t = useT();
  const queries = useQueryClient();
  const [editing, setEditing] = useState(false);
  const declare = useMutation({
    mutationFn: (sinks: RecordersForm['sinks']) => api('POST', `/services/${encodeURIComponent(service.id)}/recorders`, { body: { sinks, revision: service.revision } satisfies RecordersForm }),
    onSuccess: () => setEditing(false),
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.services }),
  });
  const edit = () => {
    declare.reset();
    setEditing(true);
  };
  const declared = service.recorders;
  const facts = declared && { name: declared.confirmed_by, time: dateTimeText(declared.confirmed_at) };
  return (
    <li className={css.addedItem}>
      <span className={css.addedText}>
        <strong>{service.name}</strong>
        <span className={css.hint}>{service.numbers.join(', ')}</span>
        {declared && facts && (
          <span>
            {declared.sinks.length === 0
              ? t('spc.declared', facts)
              : t('spc.declared_sinks', { ...facts, list: declared.sinks.map((sink) => sink.name).join(', ') })}
          </span>
        )}
        {declare.isError && !editing && <span className={css.error} role="alert">{sentenceOf(declare.error)}</span>}
      </span>
      {!declared && <Chip tone="warn" icon="warning">{t('spc.undeclared')}</Chip>}
      {!declared && editable && (
        <Button isDisabled={declare.isPending} onPress={() => declare.mutate([])}>
          {t('spc.declare')}
        </Button>
      )}
      {editable && (
        <Button aria-label={t('spc.recorders_edit', { name: service.name })} onPress={edit}>
          {t('spc.recorders_list')}
        </Button>
      )}
      {editing && <RecordersSheet service={service} controls={controls} error={declare.error} busy={declare.isPending} onSave={declare.mutate} onClose={() => setEditing(false)} />}
    </li>
  );
}
