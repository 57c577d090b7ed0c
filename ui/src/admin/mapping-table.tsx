/** Rows of name and value, with Add and Delete. */
import { useId, useRef, useState } from 'react';
import type { Mapping } from '../lib/api/types';
import { Button, CheckInput, Icon, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors, WidgetDraft } from './desktop-form';
import type { TemplateInputProps } from './template-input';
import { TemplateInput } from './template-input';
import type { Above, TokenPlace } from './tokens';

export type MappingTableProps = {
  title: string;
  nameLabel: string;
  rows: readonly Mapping[];
  onChange: (rows: Mapping[]) => void;
  errors: Errors;
  path: string;
  hint: string;
  disabled: boolean;
  /** Values may hold tokens: of what widget, and where they stand. */
  tokens?: { draft: WidgetDraft; place: TokenPlace; above?: Above };
  valueLabel?: string;
};

export function MappingTable({ title, nameLabel, rows, onChange, errors, path, hint, disabled, tokens, valueLabel }: MappingTableProps) {
  const t = useT();
  const titleId = useId();
  const root = useRef<HTMLFieldSetElement>(null);
  const [marked, setMarked] = useState<ReadonlySet<number>>(new Set());
  const setRow = (place: number, next: Partial<Mapping>) => onChange(rows.map((row, other) => (other === place ? { ...row, ...next } : row)));
  const mark = (place: number, on: boolean) => {
    const next = new Set(marked);
    if (on) next.add(place);
    else next.delete(place);
    setMarked(next);
  };
  const add = () => {
    onChange([...rows, { name: '', value: '' }]);
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>('li:last-of-type input[type="text"], li:last-of-type input:not([type="checkbox"])')?.focus());
  };
  return (
    <fieldset className={css.set} ref={root} aria-labelledby={titleId}>
      <div className={css.mappingHead}>
        <h3 id={titleId}>{title}</h3>
        <Button size="small" isDisabled={disabled} onPress={add} aria-label={`${t('mapping.add')}: ${title}`}>
          <Icon name="add" />
          {t('mapping.add')}
        </Button>
        <Button
          size="small"
          isDisabled={disabled || marked.size === 0}
          aria-label={`${t('mapping.delete')}: ${title}`}
          onPress={() => {
            onChange(rows.filter((_, place) => !marked.has(place)));
            setMarked(new Set());
          }}
        >
          <Icon name="remove" />
          {t('mapping.delete')}
        </Button>
      </div>
      {rows.length === 0 && <p className={css.hint}>{t('mapping.empty')}</p>}
      <ul className={css.mapping}>
        {rows.map((row, place) => (
          <li key={place}>
            <CheckInput label="" accessibleName={t('mapping.select', { n: place + 1 })} value={marked.has(place)} onChange={(on) => mark(place, on)} disabled={disabled} />
            <TextInput
              label={nameLabel}
              value={row.name}
              onChange={(name) => setRow(place, { name })}
              error={errors[`${path}.${place}.name`] ?? errors[`${path}.${place}`]}
              disabled={disabled}
            />
            <ValueInput
              label={valueLabel ?? t('mapping.value')}
              listLabel={row.name || t('mapping.row_value', { n: place + 1 })}
              value={row.value}
              onChange={(value) => setRow(place, { value })}
              error={errors[`${path}.${place}.value`]}
              disabled={disabled}
              tokens={tokens}
            />
          </li>
        ))}
      </ul>
      <p className={css.hint}>{hint}</p>
    </fieldset>
  );
}

type ValueInputProps = Pick<TemplateInputProps, 'label' | 'value' | 'onChange' | 'disabled'> & { listLabel: string; error: string | undefined; tokens: MappingTableProps['tokens'] };

function ValueInput({ tokens, listLabel, ...input }: ValueInputProps) {
  return tokens ? <TemplateInput {...input} {...tokens} listLabel={listLabel} /> : <TextInput {...input} />;
}
