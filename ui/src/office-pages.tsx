/** Pages beside the agent's desktop and Configure. They come by themselves: the agent's page has no room for them. */
import { lazy } from 'react';
import { Route, Switch } from 'wouter';
import css from './app.module.css';
import type { Login } from './lib/api/types';
import type { LiveStore } from './lib/events/live-store';
import { may } from './lib/api/queries';
import { Notice } from './lib/controls';
import { useT } from './lib/i18n';
import { withOffice, withRecords } from './lib/i18n/catalogue';
import { withPairing } from './pairing/with-pairing';
import { withPhone } from './phone/with-phone';

const Payments = lazy(withOffice(() => import('./evidence/payments-page')));
const Audit = lazy(withRecords(() => import('./evidence/audit-page')));
const Live = lazy(withOffice(() => import('./evidence/live-page')));
const ServiceCalls = lazy(withPairing(() => import('./pairing/service-calls-page')));
const RunningCalls = lazy(withPhone(() => import('./listen/running-calls')));
const Evidence = lazy(withRecords(() => import('./evidence/evidence-page')));
const Recordings = lazy(withRecords(() => import('./recordings/recordings-page')));
const Recording = lazy(withRecords(() => import('./recordings/recording-page')));

type Props = { login: Login; locked: boolean; store: LiveStore };

export default function OfficePages({ login, locked, store }: Props) {
  const t = useT();
  return (
    <Switch>
      <Route path="/payments">
        <Payments login={login} />
      </Route>
      <Route path="/live">
        <Live />
      </Route>
      <Route path="/calls">
        <ServiceCalls login={login} running={may(login, 'call.listen') && <RunningCalls login={login} store={store} locked={locked} />} />
      </Route>
      <Route path="/audit">
        <Audit login={login} />
      </Route>
      <Route path="/evidence/:capture">{({ capture }) => <Evidence key={capture} capture={capture} login={login} />}</Route>
      <Route path="/recordings">
        <Recordings login={login} />
      </Route>
      <Route path="/recordings/:id">{({ id }) => <Recording key={id} id={id} login={login} locked={locked} />}</Route>
      <Route>
        <main className={css.loading} id="content">
          <Notice tone="info">{t('app.not_found')}</Notice>
        </main>
      </Route>
    </Switch>
  );
}
