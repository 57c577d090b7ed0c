/** A window of its own in which whoever is signed in lets a frame in: the code goes to the frame, or to the page around it, and nowhere else. */
import { useState } from 'react';
import css from '../app.module.css';
import { api, sentenceOf } from '../lib/api/client';
import type { FrameCode, Login } from '../lib/api/types';
import { Button, Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import { codeMessage } from './own-code';

export default function FrameSignIn({ login }: { login: Login }) {
  const t = useT();
  const [failure, setFailure] = useState<string>();
  const origin = new URLSearchParams(window.location.search).get('origin') ?? '';
  const opener = window.opener as Window | null;
  const allow = async () => {
    setFailure(undefined);
    try {
      const { code } = await api<FrameCode>('POST', '/frames/codes', { body: { origin } });
      for (const target of [window.location.origin, origin]) opener?.postMessage(codeMessage(code), target);
      window.close();
    } catch (error) {
      setFailure(sentenceOf(error));
    }
  };
  if (!opener || origin === '') {
    return (
      <main className={css.loading}>
        <Notice tone="bad">{t('frame.no_frame')}</Notice>
      </main>
    );
  }
  return (
    <main className={css.loading}>
      <h1>{t('frame.allow_title', { origin })}</h1>
      <p>{t('frame.allow_text', { name: login.user.display_name })}</p>
      {failure && (
        <Notice tone="bad" role="alert">
          {failure}
        </Notice>
      )}
      <Button look="primary" autoFocus onPress={() => void allow()}>
        {t('frame.allow')}
      </Button>
    </main>
  );
}
