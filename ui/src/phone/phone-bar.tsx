/** The phone in the call bar: on or off, what rings, how the line is, what is wrong with it. */
import { Suspense, lazy, useState } from 'react';
import { Link } from 'wouter';
import { useNow } from '../agent/use-now';
import { useShortcuts } from '../lib/capture/shortcuts';
import type { LiveStore } from '../lib/events/live-store';
import { useLive } from '../lib/events/use-live';
import { Button, Chip, Icon, Notice, Question } from '../lib/controls';
import type { ButtonLook } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import { asksForMicrophone } from './choices';
import type { PhoneCall } from './machine';
import { hasPhone, isSpokenOn, ringing, speaks } from './machine';
import { NetworkFigures } from './network-figures';
import css from './phone.module.css';
import type { Phone, PhoneView } from './phone';
import { usePhone } from './use-phone';
import { withPhone } from './with-phone';
import type { PhoneNetwork } from './wire';
import { CHANGES, TROUBLES, failureText } from './words';

const PhoneSheet = lazy(withPhone(() => import('./phone-sheet')));

type Props = { store: LiveStore; locked: boolean; apart: boolean; network: PhoneNetwork };

export default function PhoneBar({ store, locked, apart, network }: Props) {
  const t = useT();
  const { phone, view } = usePhone(store);
  if (apart && !hasPhone(view.state)) return null;
  const bar = (
    <>
      <Entry phone={phone} view={view} locked={locked} network={network} />
      <Band phone={phone} view={view} store={store} locked={locked} network={network} />
    </>
  );
  if (!apart) return bar;
  return (
    <section className={css.apart} aria-label={t('phone.calls')}>
      {bar}
      {view.state.calls.length > 0 && <Link href="/">{t('app.nav.agent')}</Link>}
    </section>
  );
}

type EntryProps = { phone: Phone; view: PhoneView; locked: boolean; network: PhoneNetwork };

/** One button: what it says is how the phone stands. */
function Entry({ phone, view, locked, network }: EntryProps) {
  const t = useT();
  const [open, setOpen] = useState<'why' | 'sheet'>();
  const { state, figures } = view;
  const close = () => setOpen(undefined);
  const turnOn = async () => {
    if (await asksForMicrophone()) return setOpen('why');
    phone.turnOn(false, true);
  };
  return (
    <span className={css.entry} data-phase={state.phase}>
      {state.phase === 'elsewhere' ? (
        <>
          <span role="status">{t('phone.elsewhere')}</span>
          <Button size="small" isDisabled={locked} onPress={() => phone.turnOn(true, false)}>
            {t(state.taken ? 'phone.take_back' : 'phone.take_over')}
          </Button>
        </>
      ) : hasPhone(state) ? (
        <Button size="small" isDisabled={locked} aria-haspopup="dialog" onPress={() => setOpen('sheet')}>
          <Icon name={state.phase === 'on' ? 'phone' : 'warning'} />
          {t(state.phase === 'on' ? 'phone.on' : 'phone.unreached')}
        </Button>
      ) : (
        <Button size="small" isDisabled={locked || state.phase === 'starting'} onPress={() => void turnOn()}>
          <Icon name="phone" />
          {t(state.phase === 'starting' ? 'phone.turning_on' : 'phone.turn_on')}
        </Button>
      )}
      {figures && <NetworkFigures figures={figures} />}
      {open === 'why' && <Why onClose={close} onGo={() => phone.turnOn(false, true)} />}
      {open === 'sheet' && hasPhone(state) && !locked && (
        <Suspense>
          <PhoneSheet phone={phone} view={view} network={network} onClose={close} />
        </Suspense>
      )}
    </span>
  );
}

/** Said before the browser asks. */
function Why({ onClose, onGo }: { onClose: () => void; onGo: () => void }) {
  const t = useT();
  const go = () => {
    onClose();
    onGo();
  };
  return (
    <Question
      title={t('phone.why_title')}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('phone.not_now')}</Button>
          <Button look="primary" onPress={go}>
            {t('phone.why_go')}
          </Button>
        </>
      }
    >
      <p>{t('phone.why')}</p>
    </Question>
  );
}

type BandProps = { phone: Phone; view: PhoneView; store: LiveStore; locked: boolean; network: PhoneNetwork };

/** What the phone has to say below the bar's other parts: read out as it comes. */
function Band({ phone, view, store, locked, network }: BandProps) {
  const t = useT();
  const { state } = view;
  const rings = ringing(state);
  const spoken = state.calls.find(isSpokenOn);
  const blocked = state.calls.some(({ path, test }) => path === 'blocked' && !test);
  return (
    <div className={css.band}>
      {rings && <Ringing call={rings} phone={phone} store={store} locked={locked} />}
      <div role="status" className={css.says}>
        {spoken?.stage === 'answering' && !spoken.test && <Chip icon="clock">{t('phone.answering')}</Chip>}
        {spoken?.lostAt !== undefined && <Reconnecting since={spoken.lostAt} />}
        {view.mute && state.calls.length > 0 && <Notice tone="warn">{t('phone.silent')}</Notice>}
        {view.changed && (
          <Notice tone="info">
            {t(CHANGES[view.changed.kind], { name: view.changed.name })}{' '}
            <Button size="small" look="quiet" onPress={() => phone.forgetChange()}>
              {t('phone.understood')}
            </Button>
          </Notice>
        )}
      </div>
      <div role="alert" className={css.says}>
        {blocked && <Notice tone="bad">{t('phone.blocked', { host: network.udp.host, port: String(network.udp.port) })}</Notice>}
        {view.trouble && speaks(state) && (
          <Notice tone="bad">
            {t('phone.unheard')} {t(TROUBLES[view.trouble])}
          </Notice>
        )}
        {state.failure && <Notice tone="bad">{failureText(state.failure, t)}</Notice>}
      </div>
    </div>
  );
}

function Reconnecting({ since }: { since: number }) {
  const t = useT();
  const now = useNow();
  return (
    <Chip tone="warn" icon="warning">
      {t('phone.reconnecting', { time: durationText(now - since) })}
    </Chip>
  );
}

/** A locked page says that a call rings, and takes it once it is open again. */
function Ringing({ call, phone, store, locked }: { call: PhoneCall; phone: Phone; store: LiveStore; locked: boolean }) {
  const t = useT();
  const caller = useLive(store).calls.find(({ id }) => id === call.id)?.caller || t('call.unknown_caller');
  const answer = () => phone.dispatch({ is: 'answer', call: call.id });
  const decline = () => phone.dispatch({ is: 'decline', call: call.id });
  useShortcuts({ 'Ctrl+Shift+L': answer, 'Ctrl+Shift+U': decline }, !locked);
  return (
    <section className={css.ringing} aria-label={t('phone.rings')}>
      <strong role="alert">{t('phone.rings_from', { caller })}</strong>
      {locked && <span>{t('phone.locked')}</span>}
      <RingButton look="primary" label={t('phone.answer')} shortcut="L" disabled={locked} onPress={answer} />
      <RingButton look="danger" label={t('phone.decline')} shortcut="U" disabled={locked} onPress={decline} />
    </section>
  );
}

type RingButtonProps = { look: ButtonLook; label: string; shortcut: string; disabled: boolean; onPress: () => void };

function RingButton({ look, label, shortcut, disabled, onPress }: RingButtonProps) {
  return (
    <Button look={look} isDisabled={disabled} aria-keyshortcuts={`Control+Shift+${shortcut}`} onPress={onPress}>
      {label}
      <kbd className={css.key} aria-hidden="true" title={`Ctrl+Shift+${shortcut}`}>
        {shortcut}
      </kbd>
    </Button>
  );
}
