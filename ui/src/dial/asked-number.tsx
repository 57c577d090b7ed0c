/** The number that the page was opened with (`?dial=`): asked about before it is called. Never: shows one that may be a card's. */
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button, Notice } from '../lib/controls';
import overlay from '../lib/controls/controls.module.css';
import { useT } from '../lib/i18n';
import css from './dial.module.css';
import { readNumber } from './number';

type Props = {
  text: string;
  /** The agent has a call. */
  onCall: boolean;
  onDial: (number: string) => void;
  onClose: () => void;
};

export function AskedNumber({ text, onCall, onDial, onClose }: Props) {
  const t = useT();
  const read = readNumber(text);
  const number = 'number' in read ? read.number : undefined;
  const problem = 'problem' in read ? (`dial.problem.${read.problem}` as const) : onCall ? 'dial.refused.agent_has_call' : undefined;
  return (
    <ModalOverlay className={`${overlay.overlay} ${overlay.centred}`} isOpen onOpenChange={(open) => !open && onClose()}>
      <Modal className={overlay.dialog!}>
        <Dialog role="alertdialog">
          <Heading slot="title" level={2}>
            {t('dial.asked')}
          </Heading>
          {number && <p className={css.asked}>{number}</p>}
          {problem ? <Notice tone="warn">{t(problem)}</Notice> : <p>{t('dial.asked_text')}</p>}
          <div className={overlay.actions}>
            <Button onPress={onClose}>{t(problem ? 'app.close' : 'widget.cancel')}</Button>
            {number && !problem && (
              <Button look="primary" autoFocus onPress={() => onDial(number)}>
                {t('dial.dial')}
              </Button>
            )}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
