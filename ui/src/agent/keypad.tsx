/** The keypad: keys of the agent's to the customer's side, one request each. Never: keeps or shows what was keyed. */
import { useEffect, useRef, useState } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { sentenceOf } from '../lib/api/client';
import { Button, Notice } from '../lib/controls';
import overlay from '../lib/controls/controls.module.css';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './keypad.module.css';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;

type Props = {
  /** Why none is sent now. */
  refused: MessageId | undefined;
  onKey: (key: string) => Promise<void>;
  onClose: () => void;
};

export default function Keypad({ refused, onKey, onClose }: Props) {
  const t = useT();
  const { sent, failure, send } = useKeys(onKey);
  useTyped(send, !refused);
  return (
    <ModalOverlay className={`${overlay.overlay} ${overlay.centred}`} isOpen onOpenChange={(open) => !open && onClose()}>
      <Modal className={overlay.dialog!}>
        <Dialog>
          <Heading slot="title" level={2}>
            {t('call.keypad')}
          </Heading>
          <p className={css.help}>{t('keypad.help')}</p>
          <div className={css.keys} role="group" aria-label={t('keypad.keys')}>
            {KEYS.map((key) => (
              <Button key={key} isDisabled={Boolean(refused)} aria-label={t('keypad.key', { key })} onPress={() => send(key)}>
                {key}
              </Button>
            ))}
          </div>
          <p className={css.sent} role="status">
            {refused ? t(refused) : t('keypad.sent', { count: sent })}
          </p>
          {failure && (
            <Notice tone="bad" role="alert">
              {failure}
            </Notice>
          )}
          <div className={overlay.actions}>
            <Button onPress={onClose}>{t('keypad.close')}</Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Keys can be typed as well, wherever the focus is. */
function useTyped(send: (key: string) => void, active: boolean) {
  const current = useRef(send);
  useEffect(() => {
    current.current = send;
  });
  useEffect(() => {
    if (!active) return undefined;
    const onKeyDown = ({ key, ctrlKey, altKey, metaKey, repeat }: KeyboardEvent) => {
      if (!ctrlKey && !altKey && !metaKey && !repeat && KEYS.some((known) => known === key)) current.current(key);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [active]);
}

/** Keys go out in the order in which they were pressed: each waits for the one before it. */
function useKeys(onKey: (key: string) => Promise<void>) {
  const [sent, setSent] = useState(0);
  const [failure, setFailure] = useState<string>();
  const last = useRef<Promise<void>>(Promise.resolve());
  const send = (key: string) => {
    setFailure(undefined);
    last.current = last.current
      .then(() => onKey(key))
      .then(() => setSent((count) => count + 1))
      .catch((error: unknown) => setFailure(sentenceOf(error)));
  };
  return { sent, failure, send };
}
