/** What the agent reads out, in the widget's own words and in each language. */
import { useState } from 'react';
import type { Field } from '../lib/api/types';
import { SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { Locale } from '../lib/i18n/locales';
import { LANGUAGE_NAMES, LOCALES } from '../lib/i18n/locales';
import css from './admin.module.css';
import { fieldsOf } from './desktop-form';
import type { Texts } from './translation-form';
import { writtenIn } from './translation-form';
import type { InputsProps } from './widget-sheet';

const PROMPT_NAMES = {
  card_number: 'widget.prompt.card_number',
  expiry: 'widget.prompt.expiry',
  security_code: 'widget.prompt.security_code',
  routing_number: 'widget.prompt.routing_number',
  account_number: 'widget.prompt.account_number',
} satisfies Record<Field, MessageId>;

type Language = Locale | 'base';

export function PromptInputs(props: InputsProps) {
  const { draft, errors } = props;
  const t = useT();
  const fields = fieldsOf(draft.kind);
  const [language, setLanguage] = useState<Language>(() => LOCALES.find((locale) => hasErrors(errors, locale)) ?? 'base');
  const choice = (locale: Locale) => {
    const counts = { language: LANGUAGE_NAMES[locale], n: writtenIn(draft.translations[locale], fields), total: fields.length + 1 };
    return { id: locale, label: t(hasErrors(errors, locale) ? 'widget.language_wrong' : 'widget.language_written', counts) };
  };
  return (
    <div className={css.inputs}>
      <SelectInput<Language>
        label={t('widget.language')}
        hint={t('widget.language_hint')}
        value={language}
        choices={[{ id: 'base', label: t('widget.language_base') }, ...LOCALES.map(choice)]}
        onChange={setLanguage}
      />
      {language === 'base' ? <BaseInputs {...props} /> : <TranslatedInputs key={language} locale={language} {...props} />}
    </div>
  );
}

function hasErrors(errors: InputsProps['errors'], locale: Locale): boolean {
  return Object.keys(errors).some((path) => path.startsWith(`translations.${locale}.`));
}

function BaseInputs({ draft, errors, onChange, may }: InputsProps) {
  const t = useT();
  return fieldsOf(draft.kind).map((field) => (
    <TextInput
      key={field}
      label={t(PROMPT_NAMES[field])}
      value={draft.prompts[field] ?? ''}
      onChange={(text) => onChange({ prompts: { ...draft.prompts, [field]: text } })}
      error={errors[`prompts.${field}`]}
      disabled={!may.messages}
      maxLength={500}
      lines={2}
      required
    />
  ));
}

/** An empty text is no error: agents of that language read the widget's own, which stands below. */
function TranslatedInputs({ draft, errors, onChange, may, locale }: InputsProps & { locale: Locale }) {
  const t = useT();
  const texts = draft.translations[locale];
  const change = (next: Partial<Texts>) => onChange({ translations: { ...draft.translations, [locale]: { ...texts, ...next } } });
  const missing = (text: string | undefined, own: string | undefined) => (text?.trim() ? undefined : t('widget.language_missing', { text: own ?? '' }));
  return (
    <div className={css.inputs}>
      <TextInput
        label={t('widget.title_in', { language: LANGUAGE_NAMES[locale] })}
        value={texts.title}
        onChange={(title) => change({ title })}
        hint={missing(texts.title, draft.title)}
        error={errors[`translations.${locale}.title`]}
        disabled={!may.messages}
        maxLength={60}
      />
      {fieldsOf(draft.kind).map((field) => (
        <TextInput
          key={field}
          label={t('widget.prompt_in', { prompt: t(PROMPT_NAMES[field]), language: LANGUAGE_NAMES[locale] })}
          value={texts.prompts[field] ?? ''}
          onChange={(text) => change({ prompts: { ...texts.prompts, [field]: text } })}
          hint={missing(texts.prompts[field], draft.prompts[field])}
          error={errors[`translations.${locale}.prompts.${field}`]}
          disabled={!may.messages}
          maxLength={500}
          lines={2}
        />
      ))}
    </div>
  );
}
