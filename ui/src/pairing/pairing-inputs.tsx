/** How calls of a service find their agents, where its route is a PBX without a fixed agent. */
import type { Pairing } from '../lib/api/types';
import { CheckInput, SelectInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './pairing.module.css';

type Source = NonNullable<Pairing['extension']> | 'none';

const SOURCES = {
  none: 'pairing.service.from.none',
  request_uri: 'pairing.service.from.request_uri',
  to: 'pairing.service.from.to',
  contact: 'pairing.service.from.contact',
} satisfies Record<Source, MessageId>;

const choices = (t: ReturnType<typeof useT>) => (Object.keys(SOURCES) as Source[]).map((id) => ({ id, label: t(SOURCES[id]) }));

export default function PairingInputs({ value, onChange }: { value: Pairing; onChange: (value: Pairing) => void }) {
  const t = useT();
  const named = value.agents?.length ?? 0;
  return (
    <fieldset className={css.ways}>
      <legend>{t('pairing.service.title')}</legend>
      <p className={css.hint}>{t('pairing.service.text')}</p>
      <SelectInput
        label={t('pairing.service.extension')}
        value={value.extension ?? 'none'}
        onChange={(from) => onChange({ ...value, extension: from === 'none' ? null : from })}
        choices={choices(t)}
        hint={t('pairing.service.extension_hint')}
      />
      <CheckInput label={t('pairing.service.code')} value={value.code ?? false} onChange={(code) => onChange({ ...value, code })} hint={t('pairing.service.code_hint')} />
      <p className={css.hint}>{t('pairing.service.others')}</p>
      {named > 0 && <p className={css.hint}>{t('pairing.service.named', { n: named })}</p>}
    </fieldset>
  );
}
