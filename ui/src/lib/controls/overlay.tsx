import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import css from './controls.module.css';

/** A question in the middle of the page. It traps focus and gives it back. */
export function Question({
  title,
  open,
  onClose,
  children,
  actions,
}: {
  title: string;
  open: boolean;
  onClose: () => void;
  children?: ReactNode;
  actions: ReactNode;
}) {
  return (
    <ModalOverlay className={`${css.overlay} ${css.centred}`} isOpen={open} onOpenChange={(next) => !next && onClose()}>
      <Modal className={css.dialog!}>
        <Dialog role="alertdialog">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
          <div className={css.actions}>{actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A form at the side; the whole screen on narrow ones. Closing by Esc asks its owner. */
export function Sheet({ label, open, onClose, children }: { label: string; open: boolean; onClose: () => void; children: ReactNode }) {
  return (
    <ModalOverlay className={css.overlay!} isOpen={open} onOpenChange={(next) => !next && onClose()}>
      <Modal className={css.sheet!}>
        <Dialog aria-label={label}>{children}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}
