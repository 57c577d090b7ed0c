/** A text that may hold tokens: as it is written, in equal letters, with the list of tokens beside it. Tab leaves it, Enter breaks a line where it has some. */
import { Suspense, lazy, useRef } from 'react';
import { TextInput } from '../lib/controls';
import type { TextInputProps } from '../lib/controls';
import { withOffice } from '../lib/i18n/catalogue';
import type { WidgetDraft } from './desktop-form';
import look from './template-input.module.css';
import type { Above, TokenPlace } from './tokens';

const TokenHelper = lazy(withOffice(() => import('./token-helper')));

export type TemplateInputProps = Pick<TextInputProps, 'label' | 'value' | 'onChange' | 'hint' | 'error' | 'required' | 'lines' | 'inputMode'> & {
  /** Where the list is for other fields, too: what this one is called there. */
  listLabel?: string;
  draft: WidgetDraft;
  place: TokenPlace;
  /** What it may name of its own list or of steps. */
  above?: Above;
  disabled: boolean;
};

export function TemplateInput({ draft, place, above, listLabel, ...input }: TemplateInputProps) {
  const root = useRef<HTMLDivElement>(null);
  const { label, value, onChange, disabled } = input;
  return (
    <div className={look.template} ref={root}>
      <TextInput {...input} spellCheck="false" />
      <Suspense fallback={<span />}>
        <TokenHelper label={listLabel ?? label} value={value} onChange={onChange} draft={draft} place={place} above={above} root={root} disabled={disabled} />
      </Suspense>
    </div>
  );
}
