/** Numbers of a service that are reserved for agents. Owns: their inputs. Never: says which are reserved now; the server's metrics do. */
import { CheckInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { PoolDraft } from './pool-form';
import css from './pairing.module.css';

type Props = { value: PoolDraft; onChange: (value: PoolDraft) => void; problem: (field: string) => string | undefined };

export default function PoolInputs({ value, onChange, problem }: Props) {
  const t = useT();
  const set = <K extends keyof PoolDraft>(name: K) => (next: PoolDraft[K]) => onChange({ ...value, [name]: next });
  return (
    <fieldset className={css.ways}>
      <legend>{t('pairing.pool.title')}</legend>
      <CheckInput label={t('pairing.pool.on')} value={value.on} onChange={set('on')} hint={t('pairing.pool.on_hint')} />
      {value.on && (
        <>
          <TextInput label={t('pairing.pool.numbers')} value={value.numbers} onChange={set('numbers')} required lines={3} hint={t('pairing.pool.numbers_hint')} error={problem('pool.numbers')} />
          <TextInput label={t('pairing.pool.reserve')} value={value.reserve} onChange={set('reserve')} required inputMode="numeric" maxLength={4} hint={t('pairing.pool.reserve_hint')} error={problem('pool.reserve_s')} />
          <TextInput label={t('pairing.pool.quarantine')} value={value.quarantine} onChange={set('quarantine')} required inputMode="numeric" maxLength={4} hint={t('pairing.pool.quarantine_hint')} error={problem('pool.quarantine_s')} />
        </>
      )}
    </fieldset>
  );
}
