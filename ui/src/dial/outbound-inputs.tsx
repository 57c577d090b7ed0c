/** How the agents of a service call out. Owns: its inputs. Never: decides what is dialled; the server does. */
import { CheckInput, RadioInput, SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { OutboundDraft, WayOut } from './outbound-form';
import css from './dial.module.css';

const WAYS = { uri: 'dial.service.to.uri', trunk: 'dial.service.to.trunk' } satisfies Record<WayOut, MessageId>;

/** `trunks`: those that can be chosen, the stored one among them. */
type Props = { value: OutboundDraft; trunks: readonly string[]; onChange: (value: OutboundDraft) => void; problem: (field: string) => string | undefined };

export default function OutboundInputs({ value, trunks, onChange, problem }: Props) {
  const t = useT();
  const set = <K extends keyof OutboundDraft>(name: K) => (next: OutboundDraft[K]) => onChange({ ...value, [name]: next });
  return (
    <fieldset className={css.out}>
      <legend>{t('dial.service.title')}</legend>
      <CheckInput label={t('dial.service.on')} value={value.on} onChange={set('on')} hint={t('dial.service.on_hint')} />
      {value.on && (
        <>
          {trunks.length > 0 && <RadioInput label={t('dial.service.to')} value={value.to} onChange={set('to')} choices={(['uri', 'trunk'] as const).map((id) => ({ id, label: t(WAYS[id]) }))} />}
          {value.to === 'uri' ? (
            <>
              <TextInput label={t('dial.service.uri')} value={value.uri} onChange={set('uri')} required hint={t('dial.service.uri_hint')} error={problem('outbound.route.uri')} />
              <TextInput label={t('dial.service.address')} value={value.address} onChange={set('address')} required hint={t('dial.service.address_hint')} error={problem('outbound.route.address')} />
            </>
          ) : (
            <SelectInput label={t('dial.service.trunk')} value={value.trunk} onChange={set('trunk')} choices={trunks.map((name) => ({ id: name, label: name }))} hint={t('dial.service.trunk_hint')} error={problem('outbound.route.trunk')} />
          )}
          <TextInput label={t('dial.service.caller')} value={value.caller} onChange={set('caller')} required hint={t('dial.service.caller_hint')} error={problem('outbound.caller_number')} />
          <TextInput label={t('dial.service.numbers')} value={value.numbers} onChange={set('numbers')} required lines={3} hint={t('dial.service.numbers_hint')} error={problem('outbound.numbers')} />
        </>
      )}
    </fieldset>
  );
}
