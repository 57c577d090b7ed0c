/** The own password: changed at first use, or by its owner. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { Link } from 'wouter';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { Brand, problemOf } from './login-page';
import css from './login.module.css';

export default function PasswordPage({ login }: { login: Login }) {
  const t = useT();
  const must = login.must_change_password;
  const queries = useQueryClient();
  const [current, setCurrent] = useState('');
  const [chosen, setChosen] = useState('');
  const [repeated, setRepeated] = useState('');
  const [checked, setChecked] = useState(false);
  const problem = checked ? problemOf(chosen, repeated) : undefined;
  const change = useMutation({
    mutationFn: () => api('POST', '/password', { body: { current, new: chosen } }),
    onSuccess: () => {
      for (const empty of [setCurrent, setChosen, setRepeated]) empty('');
      setChecked(false);
      queries.setQueryData(KEYS.login, { ...login, must_change_password: false });
    },
  });
  return (
    <main className={css.page} id="content">
      <Form
        className={css.card!}
        onSubmit={(event) => {
          event.preventDefault();
          setChecked(true);
          if (!problemOf(chosen, repeated) && !change.isPending) change.mutate();
        }}
      >
        <Brand />
        <h1>{t(must ? 'password.title' : 'password.own')}</h1>
        <p>{t(must ? 'password.why' : 'password.own_why')}</p>
        <input type="text" name="username" autoComplete="username" defaultValue={login.user.name} hidden />
        <TextInput label={t('password.current')} value={current} onChange={setCurrent} type="password" autoComplete="current-password" autoFocus />
        <TextInput label={t('password.new')} value={chosen} onChange={setChosen} type="password" autoComplete="new-password" hint={t('password.rule')} error={problem === 'password.short' ? t(problem) : undefined} />
        <TextInput label={t('password.repeat')} value={repeated} onChange={setRepeated} type="password" autoComplete="new-password" error={problem === 'password.differ' ? t(problem) : undefined} />
        {change.isError && (
          <Notice tone="bad" role="alert">
            {sentenceOf(change.error)}
          </Notice>
        )}
        {change.isSuccess && <Notice tone="good" role="status">{t('password.saved')}</Notice>}
        <Button look="primary" type="submit" isDisabled={change.isPending}>
          {t('password.submit')}
        </Button>
        {!must && <Link href="/">{t('password.back')}</Link>}
      </Form>
    </main>
  );
}
