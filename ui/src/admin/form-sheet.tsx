/** A form in a sheet: title, body, and a foot with Cancel and what sends it. */
import type { ReactNode } from 'react';
import { Form, FormContext } from 'react-aria-components';
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
      {/* A form hands its own onSubmit down to forms within it; this one may be opened from another, and is not sent with it. */}
      <FormContext value={null}>
        <Form
          className={css.sheetForm!}
          onSubmit={(event) => {
            event.preventDefault();
            // Nor does what it is told bubble to that one.
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
      </FormContext>
    </Sheet>
  );
}
