/** Owns: labelled inputs with their hint and error. Never: validates; the error comes from outside. */
import type { ReactNode, Ref } from 'react';
import { useId } from 'react';
import type { Key } from 'react-aria-components';
import {
  Button as AriaButton,
  Checkbox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Radio,
  RadioGroup,
  Select,
  SelectValue,
  Switch,
  Text,
  TextArea,
  TextField,
} from 'react-aria-components';
import css from './controls.module.css';
import { Icon } from './icon';

type Common = {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  required?: boolean;
  disabled?: boolean;
};

function Caption({ label, required, spoken }: { label: string; required?: boolean | undefined; spoken?: boolean | undefined }) {
  return (
    <Label className={spoken ? 'visually-hidden' : css.label!}>
      {label}
      {required && (
        <span aria-hidden="true" className={css.star}>
          {' *'}
        </span>
      )}
    </Label>
  );
}

function Notes({ hint, error }: { hint?: ReactNode; error?: string | undefined }) {
  return (
    <>
      {hint && (
        <Text slot="description" className={css.hint}>
          {hint}
        </Text>
      )}
      {error && <FieldError className={css.error}>{error}</FieldError>}
    </>
  );
}

export type TextInputProps = Common & {
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  type?: 'text' | 'password' | 'email' | 'tel' | 'url' | 'date';
  name?: string;
  inputMode?: 'text' | 'decimal' | 'numeric' | 'url';
  autoComplete?: string;
  autoFocus?: boolean;
  maxLength?: number;
  lines?: number;
  spellCheck?: 'false';
  readOnly?: boolean;
  inputRef?: Ref<HTMLInputElement>;
};

export function TextInput({ label, hint, error, required, disabled, readOnly, lines, inputRef, ...input }: TextInputProps) {
  const { autoComplete = 'off', maxLength, inputMode, ...rest } = input;
  const extras = {
    autoComplete,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(inputMode === undefined ? {} : { inputMode }),
  };
  return (
    <TextField
      {...rest}
      {...extras}
      className={css.field!}
      isRequired={required ?? false}
      isDisabled={disabled ?? false}
      isReadOnly={readOnly ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
    >
      <Caption label={label} required={required} />
      {lines ? <TextArea rows={lines} className={css.input!} /> : <Input className={css.input!} ref={inputRef ?? null} />}
      <Notes hint={hint} error={error} />
    </TextField>
  );
}

export type Choice<K extends string> = { id: K; label: string };

export function SelectInput<K extends string>({
  label,
  hint,
  error,
  required,
  disabled,
  value,
  choices,
  onChange,
  spoken,
}: Common & { value: K; choices: readonly Choice<K>[]; onChange: (value: K) => void; /** The label is not shown: the value says what it is of. */ spoken?: boolean }) {
  return (
    <Select
      className={css.field!}
      value={value}
      onChange={(key: Key | null) => key !== null && onChange(key as K)}
      isRequired={required ?? false}
      isDisabled={disabled ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
    >
      <Caption label={label} required={required} spoken={spoken} />
      <AriaButton className={`${css.button} ${css.select}`}>
        <SelectValue />
        <Icon name="chevron" />
      </AriaButton>
      <Notes hint={hint} error={error} />
      <Popover className={css.popover!} offset={4}>
        <ListBox items={choices}>
          {(choice) => (
            <ListBoxItem className={css.option!} id={choice.id} textValue={choice.label}>
              {choice.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

export function CheckInput({
  label,
  accessibleName,
  value,
  onChange,
  disabled,
  hint,
}: {
  label: string;
  /** Where the label is not on screen. */
  accessibleName?: string;
  value: boolean;
  onChange: (value: boolean) => void;
  disabled?: boolean;
  hint?: string;
}) {
  const hintId = useId();
  return (
    <>
      <Checkbox
        className={css.check!}
        {...(accessibleName ? { 'aria-label': accessibleName } : {})}
        {...(hint ? { 'aria-describedby': hintId } : {})}
        isSelected={value}
        onChange={onChange}
        isDisabled={disabled ?? false}
      >
        <span className={css.box} aria-hidden="true">
          <Icon name="check" />
        </span>
        {label}
      </Checkbox>
      {hint && (
        <p id={hintId} className={css.hint}>
          {hint}
        </p>
      )}
    </>
  );
}

export function SwitchInput({
  label,
  value,
  onChange,
  disabled,
}: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <Switch className={css.switch!} isSelected={value} onChange={onChange} isDisabled={disabled ?? false}>
      <span className={css.track} aria-hidden="true">
        <span className={css.thumb} />
      </span>
      {label}
    </Switch>
  );
}

export function RadioInput<K extends string>({
  label,
  value,
  choices,
  onChange,
  disabled,
  hint,
}: {
  label: string;
  value: K;
  choices: readonly (Choice<K> & { disabled?: boolean; why?: string })[];
  onChange: (value: K) => void;
  disabled?: boolean;
  hint?: ReactNode;
}) {
  return (
    <RadioGroup className={css.field!} value={value} onChange={(next) => onChange(next as K)} isDisabled={disabled ?? false}>
      <Label className={css.label}>{label}</Label>
      {choices.map((choice) => (
        <div key={choice.id}>
          <Radio className={css.radio!} value={choice.id} isDisabled={choice.disabled ?? false}>
            <span className={css.dot} aria-hidden="true" />
            {choice.label}
          </Radio>
          {choice.why && <p className={css.hint}>{choice.why}</p>}
        </div>
      ))}
      {hint && (
        <Text slot="description" className={css.hint}>
          {hint}
        </Text>
      )}
    </RadioGroup>
  );
}
