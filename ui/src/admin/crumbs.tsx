/** Places of the configuration, and the breadcrumb to each. */
import type { ReactNode } from 'react';
import { Breadcrumb, Breadcrumbs } from 'react-aria-components';
import { Link } from 'wouter';
import { useT } from '../lib/i18n';
import css from './admin.module.css';

export const PLACES = {
  desktops: '/configure/agents/agent-desktop',
  spc: '/configure/agents/secure-payment-capture',
  services: '/configure/calls/services',
  users: '/configure/users/users',
  roles: '/configure/users/roles',
} as const;

export const placeOfDesktop = (id: string) => `${PLACES.desktops}/${encodeURIComponent(id)}`;
export const placeOfHistory = (id: string) => `${placeOfDesktop(id)}/history`;
export const placeOfDesignHistory = (id: string) => `${PLACES.desktops}/designs/${encodeURIComponent(id)}/history`;

const ABOVE = {
  'admin.agent_desktop': { group: 'admin.agents', to: PLACES.desktops },
  'admin.spc': { group: 'admin.agents', to: PLACES.spc },
  'admin.services': { group: 'admin.calls', to: PLACES.services },
  'admin.users': { group: 'admin.users_group', to: PLACES.users },
  'admin.roles': { group: 'admin.users_group', to: PLACES.roles },
} as const;

/** Configure > the group > the page, and below it the thing that is open. */
export function Crumbs({ here, below }: { here: keyof typeof ABOVE; below?: ReactNode }) {
  const t = useT();
  const { group, to } = ABOVE[here];
  return (
    <nav aria-label={t('admin.breadcrumb')}>
      <Breadcrumbs className={css.crumbs!}>
        <Breadcrumb>{t('admin.configure')}</Breadcrumb>
        <Breadcrumb>{t(group)}</Breadcrumb>
        <Breadcrumb>{below ? <Link href={to}>{t(here)}</Link> : <span aria-current="page">{t(here)}</span>}</Breadcrumb>
        {below && (
          <Breadcrumb>
            <span aria-current="page">{below}</span>
          </Breadcrumb>
        )}
      </Breadcrumbs>
    </nav>
  );
}
