/** Configuration: menu, breadcrumb, and the page in between. */
import { Suspense, lazy } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { may } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { Crumbs, PLACES } from './crumbs';

const DesktopListPage = lazy(() => import('./desktop-list'));
const DesktopEditorPage = lazy(() => import('./desktop-editor'));
const DesktopHistoryPage = lazy(() => import('./desktop-history'));
const SecurePaymentCapturePage = lazy(() => import('./secure-payment-capture'));
const ServicesPage = lazy(() => import('./services-page'));
const UsersPage = lazy(() => import('./users-page'));
const RolesPage = lazy(() => import('./roles-page'));

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
