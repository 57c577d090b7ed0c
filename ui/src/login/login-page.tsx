/** Signing in. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { DisplayInputs } from '../display';
import { ApiError, api } from '../lib/api/client';
import { KEYS, useLoginPolicy } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import { Button, CheckInput, Notice, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { T, useT } from '../lib/i18n';
import css from './login.module.css';

/** One generic text whatever was wrong. */
function failureOf(error: unknown, asksForCode: boolean): MessageId {
  if (error instanceof ApiError && error.status === 0) return 'login.no_answer';
  if (error instanceof ApiError && error.problem.code === 'account_locked') return 'login.locked';
  if (error instanceof ApiError && error.problem.code === 'too_many_failures') return 'login.too_many';
  if (error instanceof ApiError && error.status >= 500) return 'login.no_answer';
  return asksForCode ? 'login.wrong_with_code' : 'login.wrong';
}

export default function LoginPage() {
  const t = useT();
  const queries = useQueryClient();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  const [code, setCode] = useState('');
  const { asks_for_code: asksForCode, awaits_set_up: awaitsSetUp } = useLoginPolicy();
  const login = useMutation({
    mutationFn: () => api<Login>('POST', '/login', { body: { user: user.trim(), password, ...(code.trim() ? { code: code.trim() } : {}) } }),
    onSuccess: (answer) => queries.setQueryData(KEYS.login, answer),
    onError: () => {
      setPassword('');
      setCode('');
    },
  });
  return (
    <main className={css.page}>
      <Form
        className={css.card!}
        onSubmit={(event) => {
          event.preventDefault();
          if (!login.isPending) login.mutate();
        }}
      >
        <Brand />
        <h1>{t('login.title')}</h1>
        {awaitsSetUp && <Notice tone="info">{t('login.awaits_set_up')}</Notice>}
        <TextInput label={t('login.user')} value={user} onChange={setUser} name="username" autoComplete="username" autoFocus />
        <TextInput
          label={t('login.password')}
          value={password}
          onChange={setPassword}
          type={shown ? 'text' : 'password'}
          name="password"
          autoComplete="current-password"
        />
        <CheckInput label={t('login.show')} value={shown} onChange={setShown} />
        {asksForCode && (
          <TextInput label={t('login.code')} value={code} onChange={setCode} name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={16} hint={t('login.code_hint')} />
        )}
        {login.isError && (
          <Notice tone="bad" role="alert">
            {t(failureOf(login.error, asksForCode))}
          </Notice>
        )}
        <Button look="primary" type="submit" isDisabled={login.isPending}>
          {t(login.isPending ? 'login.checking' : 'login.submit')}
        </Button>
        <DisplayInputs />
      </Form>
    </main>
  );
}

/** The server decides; this spares a round trip. */
export function problemOf(chosen: string, repeated: string): MessageId | undefined {
  if (chosen.length < 12 || !/\p{L}/u.test(chosen) || !/\d/.test(chosen)) return 'password.short';
  return chosen === repeated ? undefined : 'password.differ';
}

export function Brand() {
  return (
    <p className={css.brand}>
      <img src="/icon.svg" alt="" width="32" height="32" />
      <T id="app.name" />
    </p>
  );
}
