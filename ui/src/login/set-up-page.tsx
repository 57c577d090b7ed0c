/** The first administrator of an installation without users, by the link that the server printed at its start. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Login, SetUpOffer } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { Brand, problemOf } from './login-page';
import css from './login.module.css';
import { Offer } from './second-factor-page';

export default function SetUpPage() {
  const t = useT();
  // Browsers send nothing of what stands behind '#', so the token is in no log on the way.
  const [token] = useState(() => window.location.hash.slice(1));
  const offer = useQuery({
    queryKey: ['set-up-offer', token],
    queryFn: () => api<SetUpOffer>('POST', '/set-up/offer', { body: { token } }),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
  const isVoid = offer.error instanceof ApiError && offer.error.isRefusal && offer.error.problem.code !== 'too_many_failures';
  return (
    <main className={css.page}>
      {offer.data ? (
        <Account token={token} offer={offer.data} />
      ) : (
        <div className={css.card}>
          <Brand />
          <h1>{t('setup.title')}</h1>
          {offer.error ? (
            <Notice tone="bad" role="alert">
              {isVoid ? t('setup.void') : sentenceOf(offer.error)}
            </Notice>
          ) : (
            <p role="status">{t('app.loading')}</p>
          )}
          <Link href="/">{t('login.title')}</Link>
        </div>
      )}
    </main>
  );
}

const FIELDS = { name: '', display_name: '', password: '', repeated: '', code: '' };

function Account({ token, offer }: { token: string; offer: SetUpOffer }) {
  const t = useT();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [fields, setFields] = useState(FIELDS);
  const [checked, setChecked] = useState(false);
  const factor = offer.second_factor;
  const make = useMutation({
    mutationFn: () => {
      const { repeated, code, ...account } = fields;
      return api<Login>('POST', '/set-up', { body: { token, ...account, name: account.name.trim(), ...(factor ? { code: code.trim() } : {}) } });
    },
    onSuccess: (login) => {
      queries.setQueryData(KEYS.login, login);
      navigate('/', { replace: true });
    },
    onError: () => setFields((kept) => ({ ...kept, code: '' })),
  });
  const own = checked ? problemOf(fields.password, fields.repeated) : undefined;
  const refused = (make.error instanceof ApiError && make.error.problem.errors) || [];
  const problem = (field: string) => refused.find((error) => error.field === field)?.message;
  const input = (name: keyof typeof FIELDS) => ({ name, value: fields[name], onChange: (value: string) => setFields((kept) => ({ ...kept, [name]: value })) });
  return (
    <Form
      className={css.card!}
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (!problemOf(fields.password, fields.repeated) && !make.isPending) make.mutate();
      }}
    >
      <Brand />
      <h1>{t('setup.title')}</h1>
      <p>{t('setup.text')}</p>
      <TextInput {...input('name')} label={t('users.name')} hint={t('users.name_hint')} autoComplete="username" autoFocus required error={problem('name')} />
      <TextInput {...input('display_name')} label={t('users.display_name')} autoComplete="name" required error={problem('display_name')} />
      <TextInput {...input('password')} label={t('login.password')} type="password" autoComplete="new-password" hint={t('password.short')} required error={own === 'password.short' ? t(own) : problem('password')} />
      <TextInput {...input('repeated')} label={t('setup.repeat')} type="password" autoComplete="new-password" required error={own === 'password.differ' ? t(own) : undefined} />
      {factor ? (
        <>
          <h2>{t('factor.title')}</h2>
          <Offer offer={factor} />
          <TextInput {...input('code')} label={t('factor.code')} inputMode="numeric" autoComplete="one-time-code" maxLength={16} required error={problem('code')} />
        </>
      ) : (
        <Notice tone="warn">{t('setup.no_factor')}</Notice>
      )}
      {make.error && refused.length === 0 && (
        <Notice tone="bad" role="alert">
          {sentenceOf(make.error)}
        </Notice>
      )}
      <Button look="primary" type="submit" isDisabled={make.isPending}>
        {t('setup.submit')}
      </Button>
    </Form>
  );
}
