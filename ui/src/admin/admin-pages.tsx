/** Configuration: menu, breadcrumb, and the page in between. */
import { Suspense, lazy } from 'react';
import type { ReactNode } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { may } from '../lib/api/queries';
import type { Login, Permission } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { withOffice } from '../lib/i18n/catalogue';
import css from './admin.module.css';
import { Crumbs, PLACES } from './crumbs';

const DesktopListPage = lazy(withOffice(() => import('./desktop-list')));
const DesktopEditorPage = lazy(() => import('./desktop-editor'));
const DesktopHistoryPage = lazy(withOffice(() => import('./desktop-history')));
const DesignHistoryPage = lazy(withOffice(() => import('../designer/design-history')));
const SecurePaymentCapturePage = lazy(withOffice(() => import('./secure-payment-capture')));
const ServicesPage = lazy(withOffice(() => import('./services-page')));
const UsersPage = lazy(withOffice(() => import('./users-page')));
const RolesPage = lazy(withOffice(() => import('./roles-page')));

/** Any of these rights opens the place, as the server sees it. */
const RIGHTS: Record<keyof typeof PLACES, readonly Permission[]> = {
  desktops: ['desktop.edit', 'gateway.edit', 'gateway.secret.write'],
  spc: ['spc.enable', 'desktop.edit', 'gateway.edit'],
  services: ['spc.enable', 'desktop.edit'],
  users: ['user.manage', 'audit.read'],
  roles: ['user.manage', 'audit.read'],
};
const maySee = (login: Login, place: keyof typeof PLACES) => RIGHTS[place].some((right) => may(login, right));

export default function AdminPages({ login }: { login: Login }) {
  const t = useT();
  const shown = (place: keyof typeof PLACES, page: ReactNode) => (maySee(login, place) ? page : <p role="alert">{t('admin.not_permitted')}</p>);
  return (
    <div className={css.admin}>
      <ConfigureMenu login={login} />
      <main className={css.main} id="content">
        <Suspense fallback={<p role="status">{t('app.loading')}</p>}>
          <Switch>
            <Route path={PLACES.desktops}>
              <Crumbs here="admin.agent_desktop" />
              {shown('desktops', <DesktopListPage login={login} />)}
            </Route>
            <Route path={`${PLACES.desktops}/:id`}>
              {({ id }) => shown('desktops', <DesktopEditorPage key={id} id={decodeURIComponent(id)} login={login} />)}
            </Route>
            <Route path={`${PLACES.desktops}/:id/history`}>
              {({ id }) => shown('desktops', <DesktopHistoryPage key={id} id={decodeURIComponent(id)} login={login} />)}
            </Route>
            <Route path={`${PLACES.desktops}/designs/:id/history`}>
              {({ id }) => shown('desktops', <DesignHistoryPage key={id} id={decodeURIComponent(id)} login={login} />)}
            </Route>
            <Route path={PLACES.spc}>
              <Crumbs here="admin.spc" />
              {shown('spc', <SecurePaymentCapturePage login={login} />)}
            </Route>
            <Route path={PLACES.services}>
              <Crumbs here="admin.services" />
              {shown('services', <ServicesPage login={login} />)}
            </Route>
            <Route path={PLACES.users}>
              <Crumbs here="admin.users" />
              {shown('users', <UsersPage login={login} />)}
            </Route>
            <Route path={PLACES.roles}>
              <Crumbs here="admin.roles" />
              {shown('roles', <RolesPage login={login} />)}
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
  return (
    <nav className={css.menu} aria-label={t('admin.menu')}>
      <ul>
        <li>
          <span className={css.menuHead}>{t('admin.configure')}</span>
          <ul>
            {(maySee(login, 'desktops') || maySee(login, 'spc')) && (
              <li>
                <span className={css.menuSub}>{t('admin.agents')}</span>
                <ul>
                  {maySee(login, 'desktops') && item(PLACES.desktops, 'admin.agent_desktop')}
                  {maySee(login, 'spc') && item(PLACES.spc, 'admin.spc')}
                </ul>
              </li>
            )}
            {maySee(login, 'services') && (
              <li>
                <span className={css.menuSub}>{t('admin.calls')}</span>
                <ul>{item(PLACES.services, 'admin.services')}</ul>
              </li>
            )}
            {maySee(login, 'users') && (
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
