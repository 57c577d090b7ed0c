/** One payment at the side: what it was, how it came about, what can be done about it. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Payment, PaymentDetail, PaymentRow } from '../lib/api/types';
import { PlanDetails } from '../lib/capture/plan-panel';
import { BRAND_NAMES, KIND_NAMES, NOT_SENT_REASONS } from '../lib/capture/words';
import { Button, Chip, Notice } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { dateTimeText, moneyText } from '../lib/i18n/format';
import css from './evidence.module.css';
import { ExportButton } from './export-button';
import { isUnknown, lookOf } from './outcomes';
import { aftermathWords } from './follow-up-words';
import { PaymentFollowUps } from './payment-follow-ups';
import { PaymentResolution } from './payment-resolution';
import { PaymentTimeline } from './payment-timeline';

type Props = { attempt: string; listed: PaymentRow; mayResolve: boolean; mayRefund: boolean; mayProve: boolean; mayHear: boolean; onClose: () => void };

export function PaymentDrawer({ attempt, listed, mayResolve, mayRefund, mayProve, mayHear, onClose }: Props) {
  const t = useT();
  const { data, error } = useQuery({
    queryKey: [...KEYS.payments, 'one', attempt],
    queryFn: ({ signal }) => api<PaymentDetail>('GET', `/payments/${encodeURIComponent(attempt)}`, { signal }),
  });
  const row = data?.row ?? listed;
  const look = lookOf(row.payment.state);
  return (
    <div className={css.sheet}>
      <header className={css.sheetHead}>
        <h2>{t('payments.one', { reference: row.payment.reference })}</h2>
        <span className={css.chips}>
          <strong>{moneyText(row.payment.amount)}</strong>
          <Chip tone={look.tone} icon={look.icon}>{t(look.name)}</Chip>
          {aftermathWords(row.payment, row.aftermath, t).map((words) => <Chip key={words} tone="info" icon="check">{words}</Chip>)}
        </span>
      </header>
      <div className={css.sheetBody}>
        <Facts row={row} />
        <section aria-label={t('timeline.title')}>
          <h3>{t('timeline.title')}</h3>
          {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
          {data ? <PaymentTimeline payment={row.payment} steps={data.steps} /> : !error && <p role="status">{t('app.loading')}</p>}
        </section>
        {data?.plan && <PlanDetails row={row} plan={data.plan} />}
        {data && <PaymentFollowUps payment={row.payment} followUps={data.follow_ups} choices={data.choices} rights={{ mayRefund, mayResolve }} />}
        {isUnknown(row.payment) && <PaymentResolution row={row} mayResolve={mayResolve} />}
      </div>
      <footer className={css.sheetFoot}>
        {mayHear && <Link href={`/recordings?days=all&call=${encodeURIComponent(row.payment.call)}`}>{t('payments.recordings')}</Link>}
        {mayProve && (
          <>
            <Link href={`/evidence/${row.payment.capture}`}>{t('audit.evidence_read')}</Link>
            <ExportButton label={t('audit.evidence')} path={() => `/captures/${row.payment.capture}/evidence`} />
          </>
        )}
        <Button onPress={onClose}>{t('capture.close')}</Button>
      </footer>
    </div>
  );
}

function Facts({ row }: { row: PaymentRow }) {
  const t = useT();
  const { payment } = row;
  const fact = (name: string, value: ReactNode) =>
    value ? (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ) : null;
  return (
    <dl className={css.facts}>
      {fact(t('payments.when'), dateTimeText(payment.created_at))}
      {fact(t('payments.kind'), t(KIND_NAMES[payment.kind]))}
      {fact(t('payments.card'), cardOf(payment, t))}
      {fact(t('payments.agent'), row.agent_name)}
      {fact(t('payments.desktop'), row.desktop_name)}
      {fact(t('payments.message'), payment.message)}
      {fact(t('payments.reason'), payment.state.state === 'not_sent' && t(NOT_SENT_REASONS[payment.state.detail]))}
      {payment.outputs.map(({ name, value }) => (
        <div key={name}>
          <dt>{t('payments.output', { name })}</dt>
          <dd><code>{value}</code></dd>
        </div>
      ))}
      {fact(t('payments.call'), <code>{payment.call}</code>)}
    </dl>
  );
}

/** Kept only where the desktop says so (O5). */
function cardOf({ brand, last_four }: Payment, t: Translate): string {
  return [brand && t(BRAND_NAMES[brand]), last_four && t('payments.last_four', { digits: last_four })].filter(Boolean).join(' ');
}
