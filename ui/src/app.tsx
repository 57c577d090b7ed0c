/** The page as a whole: who is logged in, which place is shown. */
import { useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useEffectEvent, useState } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { AgentPage } from './agent/agent-page';
import { LeaveGuard } from './admin/leave-guard';
import { AppHeader } from './header';
import { api, setCsrf, whenLocked, whenLoggedOut } from './lib/api/client';
import { KEYS, forgetLogin, may, useLogin } from './lib/api/queries';
import type { CallView, Login, ScreenView } from './lib/api/types';
import { Button, Notice } from './lib/controls';
import { LiveStore } from './lib/events/live-store';
import type { ReadAgain } from './lib/events/stream';
import { connectStream } from './lib/events/stream';
import { isFramed } from './lib/framed';
import { useT } from './lib/i18n';
import { withOffice } from './lib/i18n/catalogue';
import { enter } from './lib/preferences';
import css from './app.module.css';
import { LockOverlay, useIdleLock } from './login/idle-lock';
import { firstPlace } from './places';

const Admin = lazy(() => import('./admin/admin-pages'));
const OfficePages = lazy(() => import('./office-pages'));
const LoginPage = lazy(() => import('./login/login-page'));
const PasswordPage = lazy(() => import('./login/password-page'));
const SecondFactor = lazy(withOffice(() => import('./login/second-factor-page')));
const SetUp = lazy(withOffice(() => import('./login/set-up-page')));
const FrameDoor = lazy(() => import('./embed/frame-door'));
const FrameSignIn = lazy(() => import('./embed/frame-sign-in'));
const FrameWire = lazy(() => import('./embed/frame-wire'));
const PhoneDoor = lazy(() => import('./phone/phone-door'));
const Gallery = lazy(withOffice(() => import('./gallery/gallery-page')));

export function App() {
  return (
    <LeaveGuard>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/gallery" component={Gallery} />
          <Route path="/set-up" component={SetUp} />
          <Route component={Gate} />
        </Switch>
      </Suspense>
    </LeaveGuard>
  );
}

function Loading() {
  const t = useT();
  return (
    <p className={css.loading} role="status">
      {t('app.loading')}
    </p>
  );
}

/** Nobody passes without a login. */
function Gate() {
  const t = useT();
  const queries = useQueryClient();
  const { data: login, error, isPending, refetch } = useLogin();
  if (login) setCsrf(login.csrf);
  useEffect(() => whenLoggedOut(() => forgetLogin(queries)), [queries]);
  useOwnDisplay(login);
  if (isPending) return <Loading />;
  if (error && !login) {
    return (
      <main className={css.loading}>
        <Notice tone="bad" role="alert">
          {t('login.no_answer')}
        </Notice>
        <Button onPress={() => void refetch()}>{t('app.retry')}</Button>
      </main>
    );
  }
  if (!login) return isFramed() ? <FrameDoor /> : <LoginPage />;
  if (login.must_change_password) return <PasswordPage login={login} />;
  if (login.must_set_second_factor) return <SecondFactor login={login} />;
  return (
    <Switch>
      <Route path="/frame-sign-in">
        <FrameSignIn login={login} />
      </Route>
      <Route>
        <LoggedIn key={login.user.id} login={login} />
      </Route>
    </Switch>
  );
}

/** The page wears what whoever logged in chose; it stays as it is if that cannot be had. */
function useOwnDisplay(login: Login | null | undefined): void {
  const user = login?.user.id;
  const preferences = useEffectEvent(() => login?.preferences);
  useEffect(() => {
    const own = preferences();
    if (own) enter(own).catch(() => undefined);
  }, [user]);
}

function LoggedIn({ login }: { login: Login }) {
  const t = useT();
  const takesCalls = may(login, 'capture.start');
  const idle = useIdleLock(login.locked);
  useEffect(() => whenLocked(idle.lock), [idle.lock]);
  const store = useStream(takesCalls, idle.lock);
  const first = firstPlace(login);
  const phone = (apart: boolean) => (
    <Suspense>
      <PhoneDoor store={store} locked={idle.locked} apart={apart} />
    </Suspense>
  );
  return (
    <>
      <a className={css.skip} href="#content">
        {t('app.skip')}
      </a>
      <AppHeader login={login} locked={idle.locked} />
      {isFramed() && (
        <Suspense>
          <FrameWire store={store} />
        </Suspense>
      )}
      <Switch>
        {takesCalls && (
          <Route path="/">
            <AgentPage store={store} locked={idle.locked} phone={phone(false)} />
          </Route>
        )}
        {first && (
          <Route path="/">
            <Redirect to={first} />
          </Route>
        )}
        <Route>
          {(takesCalls || may(login, 'call.listen')) && phone(true)}
          <div inert={idle.locked}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/configure/*?">
                  <Admin login={login} />
                </Route>
                <Route path="/password">
                  <PasswordPage login={login} />
                </Route>
                <Route>
                  <OfficePages login={login} locked={idle.locked} store={store} />
                </Route>
              </Switch>
            </Suspense>
          </div>
        </Route>
      </Switch>
      {idle.locked && <LockOverlay login={login} onUnlock={idle.unlock} />}
    </>
  );
}

/** What is read again when the server says that something changed. */
const READ_BY = {
  availability: [KEYS.availability],
  desktop: [KEYS.myDesktop, KEYS.desktops, KEYS.firstSteps],
  settings: [KEYS.myDesktop, KEYS.settings, KEYS.firstSteps],
  payment: [KEYS.payments],
  queue: [KEYS.queue],
  registration: [KEYS.users],
} satisfies Record<ReadAgain, readonly (readonly string[])[]>;

function useStream(takesCalls: boolean, onLocked: () => void): LiveStore {
  const queries = useQueryClient();
  const [store] = useState(() => new LiveStore());
  useEffect(
    () =>
      connectStream(store, {
        readCalls: async () => (takesCalls ? (await api<{ calls: CallView[] }>('GET', '/calls')).calls : []),
        readScreen: (call) => api<ScreenView>('GET', `/calls/${call}/screen`),
        locked: onLocked,
        loggedOut: () => forgetLogin(queries),
        changed: (topic) => {
          for (const queryKey of READ_BY[topic]) void queries.invalidateQueries({ queryKey });
        },
      }),
    [onLocked, queries, store, takesCalls],
  );
  return store;
}
