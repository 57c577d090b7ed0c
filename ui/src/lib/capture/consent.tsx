/** What a customer consents to before a debit: the text that is read out, and "Consumer agreed" (S20). */
import { useEffect, useState } from 'react';
import type { ReadOut } from '../api/types';
import { CheckInput, Notice } from '../controls';
import { useT } from '../i18n';
import css from './capture.module.css';
import type { SentForm } from './payment-form';
import type { WidgetProps } from './props';

/** Pause after the last key before the text is read anew. */
const SETTLES_MS = 400;

export type Consent = {
  read: ReadOut | undefined;
  /** Process Payment waits for the tick. */
  missing: boolean;
  agree: (on: boolean) => void;
};

/** The text for the form as it stands; a tick holds for that text only. */
export function useConsent({ view, commands }: WidgetProps, ready: SentForm | undefined): Consent {
  const [read, setRead] = useState<{ form: string; out: ReadOut }>();
  const { authorisation } = view.widget;
  const form = authorisation !== 'none' && view.state === 'ready' && ready ? JSON.stringify(ready) : undefined;
  const ask = (agreed: boolean) => {
    if (!form) return;
    void commands.readOut(JSON.parse(form) as SentForm, agreed).then(
      (out) => setRead({ form, out }),
      () => setRead(undefined),
    );
  };
  useEffect(() => {
    if (!form || read?.form === form) return;
    const timer = setTimeout(() => ask(false), SETTLES_MS);
    return () => clearTimeout(timer);
  }, [form]);
  const current = read?.form === form ? read?.out : undefined;
  return {
    read: current,
    missing: authorisation === 'recording' && !current?.agreed_at,
    agree: (on) => (on ? ask(true) : setRead((before) => before && { ...before, out: { ...before.out, agreed_at: null } })),
  };
}

export function ConsentPanel({ view, consent: { read, agree }, busy }: WidgetProps & { consent: Consent }) {
  const t = useT();
  const { authorisation } = view.widget;
  if (authorisation === 'none' || view.state !== 'ready' || !read) return null;
  const recording = authorisation === 'recording';
  return (
    <section className={css.question} aria-label={t('consent.title')}>
      <p>{t(recording ? 'consent.read' : 'consent.notice')}</p>
      <q>{read.text}</q>
      {recording && !read.is_recorded && <Notice tone="warn">{t('consent.not_recorded')}</Notice>}
      {recording && <CheckInput label={t('consent.agreed')} value={Boolean(read.agreed_at)} onChange={agree} disabled={busy || !read.is_recorded} />}
    </section>
  );
}
