/** A pairing code: in large digits, what to do with it, how long it is good. */
import { useNow } from '../agent/use-now';
import type { PairingCode } from '../lib/api/types';
import { Button, Notice, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import css from './pairing.module.css';

type Props = {
  /** None: it is asked for, or was refused. */
  code: PairingCode | undefined;
  refusal: string | undefined;
  pending: boolean;
  /** Asks for another one. */
  onAnew: () => void;
  onClose: () => void;
};

export function CodeSheet({ code, refusal, pending, onAnew, onClose }: Props) {
  const t = useT();
  const left = Math.max(0, (code?.expires_at ?? 0) - useNow());
  const isGood = code !== undefined && left > 0;
  return (
    <Sheet label={t('call.connect')} open onClose={onClose}>
      <div className={css.sheet}>
        <header>
          <h2>{t('call.connect')}</h2>
        </header>
        <div className={css.body}>
          <p>{t('pairing.code.what')}</p>
          <div role="status" className={css.says}>
            {isGood && <Code text={code.code} />}
            {pending && !code && <p>{t('app.loading')}</p>}
            {code && !isGood && <Notice tone="warn">{t('pairing.code.over')}</Notice>}
          </div>
          {isGood && (
            <p className={css.left}>
              {t('pairing.code.left')} <time role="timer">{durationText(left)}</time>
            </p>
          )}
          {refusal && (
            <Notice tone="bad" role="alert">
              {refusal}
            </Notice>
          )}
          <p className={css.hint}>{t('pairing.code.how')}</p>
        </div>
        <footer>
          <Button onPress={onClose}>{t('app.close')}</Button>
          <Button look={isGood ? 'plain' : 'primary'} isDisabled={pending} onPress={onAnew}>
            {t('pairing.code.anew')}
          </Button>
        </footer>
      </div>
    </Sheet>
  );
}

/** Each key by itself: a number would be read as one. */
function Code({ text }: { text: string }) {
  const t = useT();
  const spoken = [...text].map((key) => (key === '*' ? t('pairing.key.star') : key === '#' ? t('pairing.key.pound') : key));
  return (
    <p className={css.code}>
      <span aria-hidden="true">{text}</span>
      <span className="visually-hidden">{spoken.join(', ')}</span>
    </p>
  );
}
