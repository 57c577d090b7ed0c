/** Transfer: whom the call can go to. Owns: the list, and the question what becomes of an open capture. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { api } from '../lib/api/client';
import type { CallView, TransferTarget } from '../lib/api/types';
import { Button, Notice } from '../lib/controls';
import overlay from '../lib/controls/controls.module.css';
import { useT } from '../lib/i18n';
import css from './transfer-sheet.module.css';

/** Who is free changes while the agent looks. */
const LOOK_MS = 3_000;

type Props = {
  call: CallView;
  onTransfer: (to: string, discard: boolean) => void;
  onClose: () => void;
};

export default function TransferSheet({ call, onTransfer, onClose }: Props) {
  const t = useT();
  const [chosen, setChosen] = useState<TransferTarget>();
  const transfer = (target: TransferTarget) => {
    if (call.capture && chosen !== target) return setChosen(target);
    onTransfer(target.user, Boolean(call.capture));
    onClose();
  };
  return (
    <ModalOverlay className={`${overlay.overlay} ${overlay.centred}`} isOpen onOpenChange={(open) => !open && onClose()}>
      <Modal className={overlay.dialog!}>
        <Dialog role={chosen ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2}>
            {t(chosen ? 'transfer.discard' : 'transfer.title')}
          </Heading>
          {chosen ? <p>{t('transfer.discard_text')}</p> : <Targets call={call.id} onChoose={transfer} />}
          <div className={overlay.actions}>
            <Button onPress={chosen ? () => setChosen(undefined) : onClose}>{t(chosen ? 'transfer.back' : 'transfer.close')}</Button>
            {chosen && (
              <Button look="danger" onPress={() => transfer(chosen)}>
                {t('transfer.discard_yes')}
              </Button>
            )}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Targets({ call, onChoose }: { call: string; onChoose: (target: TransferTarget) => void }) {
  const t = useT();
  const { data, isError } = useQuery({
    queryKey: ['transfer-targets', call],
    refetchInterval: LOOK_MS,
    queryFn: ({ signal }) => api<{ agents: TransferTarget[] }>('GET', `/calls/${call}/transfer-targets`, { signal }),
  });
  if (isError) return <Notice tone="bad">{t('transfer.unread')}</Notice>;
  return (
    <>
      <p className={css.help}>{t('transfer.help')}</p>
      <ul className={css.targets}>
        {data?.agents.map((agent) => (
          <li key={agent.user}>
            <Button isDisabled={!agent.free} onPress={() => onChoose(agent)}>
              <span className={css.name}>{agent.name}</span>
              <span className={css.free}>{t(agent.free ? 'transfer.free' : 'transfer.busy')}</span>
            </Button>
          </li>
        ))}
      </ul>
      {data?.agents.length === 0 && <p role="status">{t('transfer.none')}</p>}
    </>
  );
}
