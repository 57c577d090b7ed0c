/** The second factor's set-up: a key for an authenticator app, and a first code of it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Login, SecondFactorOffer } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { Brand } from './login-page';
import css from './login.module.css';

/** Light around a QR code, in modules (ISO/IEC 18004). */
const QUIET = 4;

export default function SecondFactorPage({ login }: { login: Login }) {
  const t = useT();
  const queries = useQueryClient();
  const [code, setCode] = useState('');
  const offer = useQuery({
    queryKey: ['second-factor-offer', login.user.id],
    queryFn: () => api<SecondFactorOffer>('POST', '/second-factor'),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
  const set = useMutation({
    mutationFn: () => api('PUT', '/second-factor', { body: { code: code.trim() } }),
    onSuccess: () => queries.setQueryData(KEYS.login, { ...login, must_set_second_factor: false }),
    onError: () => setCode(''),
  });
  const wrong = set.error instanceof ApiError ? set.error.problem.errors?.find((error) => error.field === 'code')?.message : undefined;
  const failure = offer.error ?? (wrong ? null : set.error);
  return (
    <main className={css.page}>
      <Form
        className={css.card!}
        onSubmit={(event) => {
          event.preventDefault();
          if (!set.isPending) set.mutate();
        }}
      >
        <Brand />
        <h1>{t('factor.title')}</h1>
        <p>{t('factor.why')}</p>
        {offer.data && <Offer offer={offer.data} />}
        <TextInput label={t('factor.code')} value={code} onChange={setCode} name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={16} required error={wrong} />
        {failure && (
          <Notice tone="bad" role="alert">
            {sentenceOf(failure)}
          </Notice>
        )}
        <Button look="primary" type="submit" isDisabled={set.isPending || !offer.data || code.trim() === ''}>
          {t('factor.submit')}
        </Button>
      </Form>
    </main>
  );
}

export function Offer({ offer }: { offer: SecondFactorOffer }) {
  const t = useT();
  const size = offer.picture.length + 2 * QUIET;
  const dark = offer.picture.flatMap((row, y) => [...row].map((module, x) => (module === '1' ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ''))).join('');
  return (
    <>
      <p>{t('factor.step_app')}</p>
      <svg className={css.qr} role="img" aria-label={t('factor.picture')} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges">
        <rect width={size} height={size} fill="#fff" />
        <path d={dark} fill="#000" />
      </svg>
      <p>
        {t('factor.key')}: <code className={css.key}>{offer.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </p>
      <p>
        <a href={offer.link}>{t('factor.link')}</a>
      </p>
      <p className={css.muted}>{t('factor.once')}</p>
    </>
  );
}
