/** The way in for the page in a frame: a code from a window of its own, or from the page around it. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import css from '../app.module.css';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import { Button, Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import { codeOf } from './own-code';
import { theWire, whenCode } from './wire';

/** Room for the sign-in form. */
const WINDOW = 'popup,width=480,height=720';

export default function FrameDoor() {
  const t = useT();
  const queries = useQueryClient();
  const [origin, setOrigin] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const opened = useRef<Window | null>(null);
  const enter = useCallback(
    async (code: string, on: string) => {
      setFailure(undefined);
      try {
        queries.setQueryData(KEYS.login, await api<Login>('POST', '/frames/login', { body: { code, origin: on } }));
      } catch (error) {
        setFailure(sentenceOf(error));
      }
    },
    [queries],
  );
  useEffect(() => {
    const stop = whenCode((code, on) => void enter(code, on));
    theWire().then(
      (wire) => {
        wire.tell({ type: 'spc.ready', signedIn: false });
        setOrigin(wire.origin ?? '');
      },
      (error: unknown) => setFailure(sentenceOf(error)),
    );
    return stop;
  }, [enter]);
  useEffect(() => {
    const take = (event: MessageEvent) => {
      const code = event.source === opened.current && event.origin === window.location.origin ? codeOf(event.data) : undefined;
      if (code && origin) void enter(code, origin);
    };
    window.addEventListener('message', take);
    return () => window.removeEventListener('message', take);
  }, [enter, origin]);
  const open = () => {
    opened.current = window.open(`/frame-sign-in?${new URLSearchParams({ origin: origin ?? '' })}`, 'tonewall-sign-in', WINDOW);
    setFailure(opened.current ? undefined : t('frame.blocked'));
  };
  return (
    <main className={css.loading}>
      <h1>{t('frame.title')}</h1>
      {origin === '' && <Notice tone="bad">{t('frame.unlisted')}</Notice>}
      {origin && <p>{t('frame.waiting', { origin })}</p>}
      {failure && (
        <Notice tone="bad" role="alert">
          {failure}
        </Notice>
      )}
      {origin && (
        <Button look="primary" onPress={open}>
          {t('frame.sign_in')}
        </Button>
      )}
    </main>
  );
}
