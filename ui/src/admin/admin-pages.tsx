/** Configuration: menu, breadcrumb, and the page in between. */
import type { ReactNode } from 'react';
import { Suspense, lazy } from 'react';
import { Breadcrumb, Breadcrumbs } from 'react-aria-components';
import { Link, Route, Switch, useLocation } from 'wouter';
import { may } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { DesktopListPage } from './desktop-list';
import { RolesPage } from './roles-page';
import { SecurePaymentCapturePage } from './secure-payment-capture';
import { ServicesPage } from './services-page';
import { UsersPage } from './users-page';

const DesktopEditorPage = lazy(() => import('./desktop-editor'));
const DesktopHistoryPage = lazy(() => import('./desktop-history'));

export const PLACES = {
  desktops: '/configure/agents/agent-desktop',
  spc: '/configure/agents/secure-payment-capture',
  services: '/configure/calls/services',
  users: '/configure/users/users',
  roles: '/configure/users/roles',
} as const;

export const placeOfDesktop = (id: string) => `${PLACES.desktops}/${encodeURIComponent(id)}`;
export const placeOfHistory = (id: string) => `${placeOfDesktop(id)}/history`;

export default function AdminPages({ login }: { login: Login }) {
  const t = useT();
  return (
    <div className={css.admin}>
      <ConfigureMenu login={login} />
      <main className={css.main} id="content">
        <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
          <Switch>
            <Route path={PLACES.desktops}>
              <Crumbs here="admin.agent_desktop" />
              <DesktopListPage login={login} />
            </Route>
            <Route path={`${PLACES.desktops}/:id`}>
              {({ id }) => <DesktopEditorPage key={id} id={decodeURIComponent(id)} login={login} />}
            </Route>
            <Route path={`${PLACES.desktops}/:id/history`}>
              {({ id }) => <DesktopHistoryPage key={id} id={decodeURIComponent(id)} login={login} />}
            </Route>
            <Route path={PLACES.spc}>
              <Crumbs here="admin.spc" />
              <SecurePaymentCapturePage login={login} />
            </Route>
            <Route path={PLACES.services}>
              <Crumbs here="admin.services" />
              <ServicesPage login={login} />
            </Route>
            <Route path={PLACES.users}>
              <Crumbs here="admin.users" />
              <UsersPage login={login} />
            </Route>
            <Route path={PLACES.roles}>
              <Crumbs here="admin.roles" />
              <RolesPage login={login} />
            </Route>
            <Route>
              <p>{t('app.not_found')}</p>
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

/** Configure > Agents > Agent Desktop, literally. */
function ConfigureMenu({ login }: { login: Login }) {
  const t = useT();
  const [place] = useLocation();
  const item = (to: string, name: MessageId) => (
    <li>
      <Link href={to} className={css.menuLink} aria-current={place.startsWith(to) ? 'page' : undefined}>
        {t(name)}
      </Link>
    </li>
  );
  const edits = may(login, 'desktop.edit') || may(login, 'gateway.edit') || may(login, 'gateway.secret.write');
  const seesSwitch = may(login, 'spc.enable') || may(login, 'desktop.edit') || may(login, 'gateway.edit');
  const seesUsers = may(login, 'user.manage') || may(login, 'audit.read');
  const seesServices = may(login, 'spc.enable') || may(login, 'desktop.edit');
  return (
    <nav className={css.menu} aria-label={t('admin.menu')}>
      <ul>
        <li>
          <span className={css.menuHead}>{t('admin.configure')}</span>
          <ul>
            {(edits || seesSwitch) && (
              <li>
                <span className={css.menuSub}>{t('admin.agents')}</span>
                <ul>
                  {edits && item(PLACES.desktops, 'admin.agent_desktop')}
                  {seesSwitch && item(PLACES.spc, 'admin.spc')}
                </ul>
              </li>
            )}
            {seesServices && (
              <li>
                <span className={css.menuSub}>{t('admin.calls')}</span>
                <ul>{item(PLACES.services, 'admin.services')}</ul>
              </li>
            )}
            {seesUsers && (
              <li>
                <span className={css.menuSub}>{t('admin.users_group')}</span>
                <ul>
                  {item(PLACES.users, 'admin.users')}
                  {item(PLACES.roles, 'admin.roles')}
                </ul>
              </li>
            )}
          </ul>
        </li>
      </ul>
    </nav>
  );
}

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
