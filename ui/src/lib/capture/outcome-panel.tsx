/** How a payment ended, in words that leave no doubt about whether to take it again. */
import type { ReactNode } from 'react';
import { Suspense, lazy, useId } from 'react';
import type { CaptureView, PaymentView } from '../api/types';
import { Button, Icon } from '../controls';
import type { IconName } from '../controls';
import type { MessageId, Translate } from '../i18n';
import { useT } from '../i18n';
import { withOffice } from '../i18n/catalogue';
import { clockText, moneyText } from '../i18n/format';
import css from './capture.module.css';
import type { WidgetProps } from './props';
import { NOT_SENT_REASONS, isCheck } from './words';

type Look = { icon: IconName; tone: 'good' | 'bad' | 'warn' | 'info'; title: string; lines: ReactNode[] };

/** What is due later comes when it is needed; what cannot be loaded is said to be found out. */
const PlanPanel = lazy(() => withOffice(() => import('./plan-panel'))().catch(() => ({ default: PlanUnread })));

function PlanUnread() {
  return <p>{useT()('outcome.follow_up')}</p>;
}

export function OutcomePanel({ view, now }: WidgetProps) {
  const look = useLook(view, now);
  const t = useT();
  const payment = view.payment;
  return (
    <div className={css.outcome} data-tone={look.tone} role="status">
      <p className={css.outcomeTitle}>
        <Icon name={look.icon} />
        <strong>{look.title}</strong>
      </p>
      {look.lines.map((line, place) => (
        <p key={place}>{line}</p>
      ))}
      {payment && (
        <p className={css.reference}>
          {t('outcome.reference')} <code>{payment.reference}</code>
        </p>
      )}
      {view.state === 'approved' && payment?.has_plan && (
        <Suspense>
          <PlanPanel attempt={payment.attempt} />
        </Suspense>
      )}
      {view.state === 'processing' && <div className={css.progress} role="progressbar" aria-label={t('spoken.processing')} />}
    </div>
  );
}

function useLook(view: CaptureView, now: number): Look {
  const t = useT();
  const check = isCheck(view.widget.kind);
  const payment = view.payment;
  const amount = payment ? moneyText(payment.amount) : '';
  const message = payment?.message ? [<q key="message">{payment.message}</q>] : [];
  const words = (card: MessageId, forCheck: MessageId) => t(check ? forCheck : card);
  switch (view.state) {
    case 'processing':
      return { icon: 'clock', tone: 'info', title: sendingText(t, payment, now), lines: [t('outcome.keep_line')] };
    case 'approved':
      return { icon: 'check', tone: 'good', title: isStore(payment) ? t('outcome.stored') : `${words('outcome.approved', 'outcome.accepted')} ${amount}`, lines: message };
    case 'declined':
      return { icon: 'cross', tone: 'bad', title: words('outcome.declined', 'outcome.refused'), lines: message };
    case 'review':
      return { icon: 'warning', tone: 'warn', title: t('outcome.review'), lines: message };
    case 'error':
      return { icon: 'warning', tone: 'bad', title: t('outcome.not_charged', { why: refusedText(t, payment) }), lines: message };
    case 'not_sent':
      return { icon: 'warning', tone: 'warn', title: notSentText(t, view), lines: [t('outcome.kept')] };
    default:
      return {
        icon: 'question',
        tone: 'bad',
        title: t(isStore(payment) ? 'outcome.stored_unknown' : 'outcome.unknown'),
        lines: [sentText(t, payment), t(view.state === 'checking' ? 'outcome.checking' : 'outcome.follow_up'), ...message],
      };
  }
}

/** Nothing is charged now, and more is due later. */
const isStore = (payment: PaymentView | null | undefined) => payment?.has_plan === true && payment.amount.minor === 0;

type Say = Translate;

function sendingText(t: Say, payment: PaymentView | null | undefined, now: number): string {
  if (!payment?.sent_at) return t('outcome.sending');
  return t('outcome.sending_for', { n: Math.max(0, Math.floor((now - payment.sent_at) / 1000)) });
}

/** Why nothing was sent, in one sentence with what it means. */
export function notSentText(t: Say, view: CaptureView): string {
  const why = view.payment?.not_sent ? t(NOT_SENT_REASONS[view.payment.not_sent]) : '';
  return t(isCheck(view.widget.kind) ? 'outcome.not_sent' : 'outcome.not_charged', { why });
}

export function refusedText(t: Say, payment: PaymentView | null | undefined): string {
  return payment?.status ? t('outcome.gateway_refused', { status: String(payment.status) }) : t('outcome.gateway_refused_plain');
}

function sentText(t: Say, payment: PaymentView | null | undefined): string {
  return payment?.sent_at ? t('outcome.sent_at', { time: clockText(payment.sent_at) }) : t('outcome.no_answer');
}

/** What can follow; never a second try where the first may have charged. */
export function OutcomeActions({ view, commands, busy }: WidgetProps) {
  const t = useT();
  const sentId = useId();
  const close = (look: 'primary' | 'plain', id: MessageId = 'capture.close') => (
    <Button look={look} isDisabled={busy} onPress={() => commands.act({ do: 'close' })}>
      {t(id)}
    </Button>
  );
  const again = (id: MessageId, look: 'primary' | 'plain' = 'primary') => (
    <Button look={look} isDisabled={busy || view.process_left === 0} onPress={() => commands.act({ do: 'try_again' })}>
      {t(id)}
    </Button>
  );
  return (
    <footer className={css.footer}>
      {view.state === 'processing' && (
        <>
          <Button isDisabled aria-describedby={sentId}>
            {t('capture.cancel')}
          </Button>
          <p id={sentId} className={css.missing}>
            {t('outcome.already_sent')}
          </p>
        </>
      )}
      {view.state === 'approved' && (
        <>
          <CopyReference view={view} />
          <Button isDisabled={busy} onPress={commands.newPayment}>
            {t('outcome.new_payment')}
          </Button>
          {close('primary')}
        </>
      )}
      {view.state === 'declined' && (
        <>
          {close('plain')}
          {again(isCheck(view.widget.kind) ? 'outcome.another_account' : 'outcome.another_card')}
        </>
      )}
      {(view.state === 'error' || view.state === 'not_sent') && (
        <>
          {close('plain')}
          {again('capture.try_again')}
        </>
      )}
      {(view.state === 'unknown' || view.state === 'checking') && (
        <>
          <CopyReference view={view} />
          {close('primary', 'outcome.close_follow_up')}
        </>
      )}
      {view.state === 'review' && (
        <>
          <CopyReference view={view} />
          {close('primary')}
        </>
      )}
    </footer>
  );
}

function CopyReference({ view }: { view: CaptureView }) {
  const t = useT();
  const reference = view.payment?.reference;
  if (!reference || !('clipboard' in navigator)) return null;
  return <Button onPress={() => void navigator.clipboard.writeText(reference)}>{t('outcome.copy_reference')}</Button>;
}
