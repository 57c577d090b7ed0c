/**
 * A widget: Credit Card or Check, Basic or Advanced, in whatever state the server says.
 * Owns: the shell around it: title, protection band, states before and after the fields, spoken changes.
 */
import type { ReactNode } from 'react';
import { useEffect, useId, useRef, useState } from 'react';
import type { CaptureState } from '../api/types';
import { Button, Icon, Notice } from '../controls';
import { T, useT, useWritten } from '../i18n';
import { durationText } from '../i18n/format';
import { AdvancedBody } from './advanced-body';
import type { Announcement } from './announce';
import { announcementOf } from './announce';
import { BasicBody } from './basic-body';
import css from './capture.module.css';
import type { WidgetProps } from './props';
import { GoneQuestion, PartyQuestion } from './shared-body';
import { PROTECTION_NAMES, isAdvanced, reasonText } from './words';

/** The mask or the pause is up. */
const PROTECTED: readonly CaptureState[] = ['armed', 'collecting', 'invalid', 'ready', 'frozen', 'processing', 'not_sent'];

/** Some customers speak a number although they are asked to key it: one press, and nobody hears or records them (S13). */
const SPOKEN: readonly CaptureState[] = ['arming', ...PROTECTED];

export function CaptureWidget(props: WidgetProps) {
  const { view } = props;
  const titleId = useId();
  return (
    <section className={css.widget} aria-labelledby={titleId} data-state={view.state}>
      <Band {...props} titleId={titleId} />
      <div className={css.inside}>
        {props.refusal && (
          <Notice tone="bad" role="alert">
            {props.refusal}
          </Notice>
        )}
        {view.state === 'frozen' && <PartyQuestion {...props} />}
        <Body {...props} />
      </div>
      <Spoken {...props} />
    </section>
  );
}

function Band({ view, now, commands, busy, titleId }: WidgetProps & { titleId: string }) {
  const t = useT();
  const written = useWritten();
  const confirmed = view.protection.filter((part) => part.confirmed);
  const guarded = PROTECTED.includes(view.state) && confirmed.length > 0 && confirmed.length === view.protection.length;
  const parts = [...new Set(confirmed.map((part) => t(PROTECTION_NAMES[part.what])))].join(', ');
  const left = view.ends_at - now;
  return (
    <header className={css.band} data-protected={guarded || undefined}>
      <h1 className={css.title} id={titleId}>
        {written(view.widget.title, view.widget.titles)}
      </h1>
      {guarded && (
        <p className={css.guard}>
          <Icon name="lock" />
          <span>
            <strong>{t('capture.protected')}</strong>
            {parts && <span className={css.parts}>{parts}</span>}
          </span>
        </p>
      )}
      {SPOKEN.includes(view.state) && (
        <Button size="small" isDisabled={busy} aria-pressed={view.speaking} onPress={() => commands.act({ do: view.speaking ? 'customer_spoke' : 'customer_speaking' })}>
          {t('speaking.button')}
        </Button>
      )}
      {guarded && left > 0 && (
        <p className={css.left}>
          <Icon name="clock" />
          <span>{t('capture.ends_in', { time: durationText(left) })}</span>
          {view.may_keep_open && (
            <Button size="small" isDisabled={busy} onPress={() => commands.act({ do: 'keep_open' })}>
              {t('capture.keep_open')}
            </Button>
          )}
        </p>
      )}
    </header>
  );
}

function Body(props: WidgetProps) {
  const { view } = props;
  switch (view.state) {
    case 'arming':
      return <Arming {...props} />;
    case 'blocked':
      return <Ended {...props} retry><Blocked {...props} /></Ended>;
    case 'protection_lost':
      return <Ended {...props} tone="bad"><T id="capture.protection_lost" /></Ended>;
    case 'lost':
      return <Lost {...props} />;
    case 'cancelled':
      return <Ended {...props} tone="info"><T id="capture.cancelled" /></Ended>;
    case 'done':
    case 'armed':
    case 'collecting':
    case 'invalid':
    case 'ready':
    case 'frozen':
    case 'processing':
    case 'approved':
    case 'declined':
    case 'review':
    case 'error':
    case 'not_sent':
    case 'unknown':
    case 'checking':
      return isAdvanced(view.widget.kind) ? <AdvancedBody {...props} /> : <BasicBody {...props} />;
    default:
      return view.state satisfies never;
  }
}

function Arming({ view, commands, busy }: WidgetProps) {
  const t = useT();
  return (
    <>
      <div className={css.arming} role="status">
        <p className={css.dont}>
          <Icon name="warning" />
          <strong>{t('capture.do_not_ask')}</strong>
        </p>
        <p>{t('capture.securing')}</p>
        <ul className={css.awaited}>
          {view.protection.map((part, place) => (
            <li key={place} data-confirmed={part.confirmed || undefined}>
              <Icon name={part.confirmed ? 'check' : 'clock'} />
              <span>
                {t(PROTECTION_NAMES[part.what])}
                {part.name && ` (${part.name})`}
                {!part.confirmed && <span className={css.pending}> {t('capture.pending')}</span>}
              </span>
            </li>
          ))}
        </ul>
      </div>
      <footer className={css.footer}>
        <Button isDisabled={busy} onPress={() => commands.act({ do: 'cancel' })}>
          {t('capture.cancel')}
        </Button>
      </footer>
    </>
  );
}

function Blocked({ view }: WidgetProps) {
  const t = useT();
  return <>{t('capture.blocked', { reason: reasonText(t, view.reason) })}</>;
}

function Lost(props: WidgetProps) {
  const t = useT();
  const ended = !props.view.reason || props.view.reason === 'call_ended';
  return (
    <Ended {...props} tone="bad" question={props.view.confirm_gone && <GoneQuestion {...props} />}>
      {ended ? t('capture.lost') : t('capture.lost_because', { reason: reasonText(t, props.view.reason) })}
    </Ended>
  );
}

type EndedProps = WidgetProps & { retry?: boolean; tone?: 'bad' | 'info'; question?: ReactNode; children: ReactNode };

function Ended({ commands, busy, retry = false, tone = 'bad', question, children }: EndedProps) {
  const t = useT();
  return (
    <>
      <Notice tone={tone}>
        <strong>{children}</strong>
      </Notice>
      {question}
      <footer className={css.footer}>
        <Button look={retry || question ? 'plain' : 'primary'} isDisabled={busy} onPress={() => commands.act({ do: 'close' })}>
          {t('capture.close')}
        </Button>
        {retry && (
          <Button look="primary" isDisabled={busy} onPress={() => commands.act({ do: 'try_again' })}>
            {t('capture.try_again')}
          </Button>
        )}
      </footer>
    </>
  );
}

/** Two live regions: a calm one and an urgent one. */
function Spoken({ view }: WidgetProps) {
  const t = useT();
  const before = useRef(view);
  const [said, setSaid] = useState<Announcement>({});
  useEffect(() => {
    const announcement = announcementOf(t, before.current, view);
    before.current = view;
    if (announcement.polite || announcement.assertive) setSaid(announcement);
  }, [t, view]);
  return (
    <div className="visually-hidden">
      <div aria-live="polite">{said.polite}</div>
      <div aria-live="assertive">{said.assertive}</div>
    </div>
  );
}
