/** The banner: places this login may go to, how the page is shown, the way out. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { Suspense, lazy, useState } from 'react';
import css from './app.module.css';
import { DisplayMenu } from './display';
import { api } from './lib/api/client';
import { forgetLogin, may, mayFindRecordings } from './lib/api/queries';
import type { Login } from './lib/api/types';
import { Button } from './lib/controls';
import { isFramed } from './lib/framed';
import { firstConfigured } from './places';
import { useT } from './lib/i18n';
import { withOffice } from './lib/i18n/catalogue';

const DeviceCheck = lazy(withOffice(() => import('./devices/device-check')));
const ShortcutsSheet = lazy(withOffice(() => import('./agent/shortcuts-sheet')));

export function AppHeader({ login, locked }: { login: Login; locked: boolean }) {
  const t = useT();
  const [place] = useLocation();
  const configures = firstConfigured(login);
  const link = (to: string, text: string, current: boolean) => (
    <Link href={to} className={css.navLink} aria-current={current ? 'page' : undefined}>
      {text}
    </Link>
  );
  return (
    <header className={css.header}>
      <span className={css.brand}>
        <img src="/icon.svg" alt="" width="24" height="24" />
        {t('app.name')}
      </span>
      {!isFramed() && (
        <nav className={css.nav} aria-label={t('app.nav')} inert={locked}>
          {may(login, 'capture.start') && link('/', t('app.nav.agent'), place === '/')}
          {configures && link(configures, t('admin.configure'), place.startsWith('/configure'))}
          {may(login, 'payment.view') && link('/payments', t('app.nav.payments'), place.startsWith('/payments'))}
          {mayFindRecordings(login) && link('/recordings', t('app.nav.recordings'), place.startsWith('/recordings'))}
          {(may(login, 'call.pick') || may(login, 'call.listen')) && link('/calls', t('app.nav.calls'), place.startsWith('/calls'))}
          {may(login, 'capture.reset_attempts') && link('/live', t('app.nav.live'), place.startsWith('/live'))}
          {may(login, 'audit.read') && link('/audit', t('app.nav.audit'), place.startsWith('/audit'))}
        </nav>
      )}
      <div className={css.tools}>
        {may(login, 'capture.start') && <Helps />}
        <DisplayMenu />
        <Account login={login} locked={locked} />
      </div>
    </header>
  );
}

/** What is loaded when somebody asks for it: the look at microphone and screen, and the keys. */
function Helps() {
  const t = useT();
  const [open, setOpen] = useState<'devices' | 'keys'>();
  const Help = open === 'devices' ? DeviceCheck : ShortcutsSheet;
  return (
    <>
      <Button look="quiet" size="small" onPress={() => setOpen('devices')}>
        {t('app.devices')}
      </Button>
      <Button look="quiet" size="small" aria-label={t('keys.title')} onPress={() => setOpen('keys')}>
        ?
      </Button>
      {open && (
        <Suspense>
          <Help onClose={() => setOpen(undefined)} />
        </Suspense>
      )}
    </>
  );
}

/** Who is signed in; a locked page is not left, for the call may be on it. */
function Account({ login, locked }: { login: Login; locked: boolean }) {
  const t = useT();
  const queries = useQueryClient();
  const out = useMutation({
    mutationFn: () => api('POST', '/logout'),
    onSettled: () => forgetLogin(queries),
  });
  return (
    <>
      <span inert={locked}>
        <Link href="/password" className={css.who} title={t('password.own')} aria-label={t('app.own_account', { name: login.user.display_name })}>
          {login.user.display_name}
        </Link>
      </span>
      <Button look="quiet" size="small" onPress={() => out.mutate()}>
        {t('app.sign_out')}
      </Button>
    </>
  );
}
