/** The group Connection of "More": names of the server's file, whose files and keys nobody uploads. */
import { useQuery } from '@tanstack/react-query';
import { api, sentenceOf } from '../lib/api/client';
import type { Connection, ConnectionNames } from '../lib/api/types';
import { Notice, SelectInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { GroupProps } from './gateway-more';

export function ConnectionGroup({ errors, may, more, set }: GroupProps) {
  const t = useT();
  const offered = useQuery({ queryKey: ['gateway-connections'], queryFn: () => api<ConnectionNames>('GET', '/gateway-connections'), staleTime: Infinity, enabled: may.gateway });
  const byDefault = offered.data?.default_proxy;
  const lists: Record<keyof Connection, { names: readonly string[] | undefined; none: string }> = {
    trust: { names: offered.data?.trust, none: t('more.connection.system') },
    client_certificate: { names: offered.data?.client_certificates, none: t('more.connection.none') },
    proxy: { names: offered.data?.proxies, none: byDefault ? t('more.connection.as_all', { name: byDefault }) : t('more.connection.none') },
  };
  const choices = (field: keyof Connection) => {
    const { names, none } = lists[field];
    const chosen = more.connection[field];
    const isGone = chosen !== '' && !names?.includes(chosen);
    const gone = isGone ? [{ id: chosen, label: names ? t('more.connection.gone', { name: chosen }) : chosen }] : [];
    return [{ id: '', label: none }, ...(names ?? []).map((id) => ({ id, label: id })), ...gone];
  };
  return (
    <>
      {offered.error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(offered.error)}
        </Notice>
      )}
      <div className={css.pairs}>
        {(['trust', 'client_certificate', 'proxy'] as const).map((field) => (
          <SelectInput
            key={field}
            label={t(`more.connection.${field}`)}
            value={more.connection[field]}
            choices={choices(field)}
            onChange={(name) => set({ connection: { ...more.connection, [field]: name } })}
            hint={t(`more.connection.${field}_hint`)}
            error={errors[`gateway.more.connection.${field}`]}
            disabled={!may.gateway}
          />
        ))}
      </div>
    </>
  );
}
