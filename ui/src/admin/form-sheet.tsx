/** A form in a sheet: title, body, and a foot with Cancel and what sends it. */
import type { ReactNode } from 'react';
import { Form } from 'react-aria-components';
import { Button, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';

export type FormSheetProps = {
  title: string;
  onClose: () => void;
  /** Left out: there is nothing to send. */
  submit?: { label: string; ready: boolean; look?: 'primary' | 'danger'; run: () => void } | undefined;
  /** On Cancel, where that is not the word. */
  back?: string;
  /** Beside the buttons. */
  note?: ReactNode;
  children: ReactNode;
};

export function FormSheet({ title, onClose, submit, back, note, children }: FormSheetProps) {
  const t = useT();
  return (
    <Sheet label={title} open onClose={onClose}>
      <Form
        className={css.sheetForm!}
        onSubmit={(event) => {
          event.preventDefault();
          // A sheet that lies over another form is not sent with it.
          event.stopPropagation();
          if (submit?.ready) submit.run();
        }}
      >
        <header className={css.sheetHead}>
          <h2>{title}</h2>
        </header>
        <div className={css.sheetBody}>{children}</div>
        <footer className={css.sheetFoot}>
          {note && <span className={css.spacer}>{note}</span>}
          <Button onPress={onClose}>{back ?? t('widget.cancel')}</Button>
          {submit && (
            <Button look={submit.look ?? 'primary'} type="submit" isDisabled={!submit.ready}>
              {submit.label}
            </Button>
          )}
        </footer>
      </Form>
    </Sheet>
  );
}
