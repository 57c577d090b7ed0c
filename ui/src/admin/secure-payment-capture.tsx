/** The system switch, response variables, hosts, routing numbers, and who else records. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useSettings } from '../lib/api/queries';
import type { Login, ResponseVariables, Settings } from '../lib/api/types';
import { Button, Notice, RadioInput, SwitchInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors } from './desktop-form';
import { GatewayHosts } from './gateway-hosts';
import { Recorders } from './recorders';
import { RoutingNumbers } from './routing-numbers';

export default function SecurePaymentCapturePage({ login }: { login: Login }) {
  const t = useT();
  const settings = useSettings();
  const seesServices = may(login, 'spc.enable') || may(login, 'desktop.edit');
  const editable = may(login, 'spc.enable');
  return (
    <>
      <h1>{t('admin.spc')}</h1>
      {settings.isPending && <p role="status">{t('app.loading')}</p>}
      {settings.error && <Notice tone="bad" role="alert">{sentenceOf(settings.error)}</Notice>}
      {settings.data && <Switches settings={settings.data} editable={editable} />}
      {(may(login, 'gateway.edit') || may(login, 'gateway.approve_host')) && <GatewayHosts login={login} />}
      <RoutingNumbers editable={may(login, 'gateway.edit')} />
      {seesServices && <Recorders editable={editable} />}
    </>
  );
}

export function Switches({ settings, editable }: { settings: Settings; editable: boolean }) {
  const t = useT();
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (next: Settings) => api<Settings>('PUT', '/settings', { body: next }),
    onSuccess: (saved) => queries.setQueryData(KEYS.settings, saved),
    onError: () => queries.invalidateQueries({ queryKey: KEYS.settings }),
  });
  const off = !editable || save.isPending;
  return (
    <section className={css.panel}>
      <div>
        <SwitchInput label={t('spc.switch')} value={settings.spc_enabled} onChange={(spc_enabled) => save.mutate({ ...settings, spc_enabled })} disabled={off} />
        <p className={css.hint}>{t('spc.switch_text')}</p>
      </div>
      <div>
        <Variables key={settings.revision} settings={settings} off={off} errors={errorsOf(save.error)} onSave={(response_variables) => save.mutate({ ...settings, response_variables })} />
        <p className={css.hint}>{t('spc.variables_text')}</p>
      </div>
      {save.isSuccess && <Notice tone="good" role="status">{t('spc.saved')}</Notice>}
      {save.isError && <Notice tone="bad" role="alert">{sentenceOf(save.error)}</Notice>}
    </section>
  );
}

/** S19: which keys of a gateway's answer a widget may show to its agent. A list is saved by its own button. */
function Variables({ settings, off, errors, onSave }: { settings: Settings; off: boolean; errors: Errors; onSave: (variables: ResponseVariables) => void }) {
  const t = useT();
  const stored = settings.response_variables;
  const [listing, setListing] = useState(stored.allow === 'listed');
  const [names, setNames] = useState(stored.allow === 'listed' ? stored.names.join('\n') : '');
  const choose = (allow: ResponseVariables['allow']) => {
    setListing(allow === 'listed');
    if (allow !== 'listed') onSave({ allow });
  };
  return (
    <>
      <RadioInput
        label={t('spc.variables')}
        value={listing ? 'listed' : stored.allow === 'listed' ? 'none' : stored.allow}
        choices={(['none', 'listed', 'all'] as const).map((id) => ({ id, label: t(`spc.variables.${id}`) }))}
        onChange={choose}
        disabled={off}
      />
      {listing && (
        <>
          <TextInput label={t('spc.variables.names')} value={names} onChange={setNames} lines={4} hint={t('spc.variables.names_hint')} error={errors['response_variables.names']} disabled={off} />
          <Button isDisabled={off} onPress={() => onSave({ allow: 'listed', names: names.split('\n').map((name) => name.trim()).filter((name) => name !== '') })}>
            {t('spc.variables.save')}
          </Button>
        </>
      )}
    </>
  );
}

function errorsOf(error: unknown): Errors {
  return error instanceof ApiError ? Object.fromEntries((error.problem.errors ?? []).map(({ field, message }) => [field, message])) : {};
}
