/** After 15 minutes without a key or pointer the page locks; the call and a running capture go on. */
import { useMutation } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Form } from 'react-aria-components';
import { api, sentenceOf } from '../lib/api/client';
import type { Login } from '../lib/api/types';
import { Button, Icon, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './login.module.css';

/** PCI DSS 8.2.8: 15 minutes. */
export const IDLE_LOCK_MS = 15 * 60_000;
/** How often the clock is looked at; timers of sleeping machines are late. */
const LOOK_MS = 5_000;
/** The server locks too; it hears of activity at most this often. */
const TELL_MS = 60_000;

export function useIdleLock(lockedAtFirst: boolean): { locked: boolean; lock: () => void; unlock: () => void } {
  const [locked, setLocked] = useState(lockedAtFirst);
  const touched = useRef(Date.now());
  useEffect(() => {
    if (locked) return undefined;
    touched.current = Date.now();
    let told = Date.now();
    const touch = () => {
      touched.current = Date.now();
      if (touched.current - told < TELL_MS) return;
      told = touched.current;
      api('POST', '/activity').catch(() => undefined);
    };
    const events = ['keydown', 'pointerdown', 'pointermove'] as const;
    for (const name of events) window.addEventListener(name, touch, { passive: true });
    const timer = setInterval(() => {
      if (Date.now() - touched.current >= IDLE_LOCK_MS) setLocked(true);
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
      for (const name of events) window.removeEventListener(name, touch);
    };
  }, [locked]);
  const lock = useCallback(() => setLocked(true), []);
  const unlock = useCallback(() => setLocked(false), []);
  return { locked, lock, unlock };
}

/** Lies over the work, not over the call bar. */
export function LockOverlay({ login, onUnlock }: { login: Login; onUnlock: () => void }) {
  const t = useT();
  const [password, setPassword] = useState('');
  const unlock = useMutation({
    mutationFn: () => api('POST', '/unlock', { body: { password } }),
    onSuccess: onUnlock,
    onError: () => setPassword(''),
  });
  return (
    <div className={css.lock} role="dialog" aria-labelledby="lock-title">
      <Form
        className={css.card!}
        onSubmit={(event) => {
          event.preventDefault();
          if (!unlock.isPending) unlock.mutate();
        }}
      >
        <h2 id="lock-title" className={css.brand}>
          <Icon name="lock" />
          {t('lock.title')}
        </h2>
        <p>{t('lock.text')}</p>
        <p className={css.muted}>{t('app.signed_in_as', { name: login.user.display_name })}</p>
        <TextInput label={t('login.password')} value={password} onChange={setPassword} type="password" autoComplete="current-password" autoFocus />
        {unlock.isError && (
          <Notice tone="bad" role="alert">
            {sentenceOf(unlock.error)}
          </Notice>
        )}
        <Button look="primary" type="submit" isDisabled={unlock.isPending}>
          {t('lock.submit')}
        </Button>
      </Form>
    </div>
  );
}
