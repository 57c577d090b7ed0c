/** How the page is shown: its language and its theme, chosen where one signs in and in the header. */
import { useState, useSyncExternalStore } from 'react';
import { Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import css from './app.module.css';
import { Button, Icon, Notice, SelectInput } from './lib/controls';
import controls from './lib/controls/controls.module.css';
import type { MessageId } from './lib/i18n';
import { useCatalogue, useT } from './lib/i18n';
import { chooseLanguage } from './lib/i18n/catalogue';
import type { Language } from './lib/i18n/locales';
import { LANGUAGES, LANGUAGE_NAMES } from './lib/i18n/locales';
import { markChosen, savePreferences } from './lib/preferences';
import type { Theme } from './lib/theme/theme';
import { THEMES, applyTheme, currentTheme, onTheme } from './lib/theme/theme';

const THEME_NAMES = { auto: 'app.theme.auto', light: 'app.theme.light', dark: 'app.theme.dark' } satisfies Record<Theme, MessageId>;

/** `kept`: says so to the server; before a login there is nobody to keep it for. */
function useDisplay(kept: () => Promise<void> | void) {
  const t = useT();
  const { language } = useCatalogue();
  const theme = useSyncExternalStore(onTheme, currentTheme);
  const [failure, setFailure] = useState<MessageId>();
  const choose = async (apply: () => Promise<void> | void) => {
    setFailure(undefined);
    try {
      await apply();
    } catch {
      return setFailure('app.language.failed');
    }
    await Promise.resolve(kept()).catch(() => setFailure('app.display.not_kept'));
  };
  return {
    language,
    theme,
    failure,
    setLanguage: (chosen: Language) => void choose(() => chooseLanguage(chosen)),
    setTheme: (chosen: Theme) => void choose(() => applyTheme(chosen)),
    languages: LANGUAGES.map((id) => ({ id, label: id === 'auto' ? t('app.language.auto') : LANGUAGE_NAMES[id] })),
    themes: THEMES.map((id) => ({ id, label: t(THEME_NAMES[id]) })),
  };
}

/** Beside the form that signs in. */
export function DisplayInputs() {
  const t = useT();
  const display = useDisplay(markChosen);
  return (
    <div className={css.display}>
      <SelectInput label={t('app.language')} value={display.language} choices={display.languages} onChange={display.setLanguage} />
      <SelectInput label={t('app.theme')} value={display.theme} choices={display.themes} onChange={display.setTheme} />
      <Failure id={display.failure} />
    </div>
  );
}

/** In the header. */
export function DisplayMenu() {
  const t = useT();
  const display = useDisplay(savePreferences);
  return (
    <>
      <MenuTrigger>
        <Button look="quiet" size="small">
          <Icon name="globe" />
          {t('app.display')}
          <Icon name="chevron" />
        </Button>
        <Popover className={controls.popover!}>
          <Menu aria-label={t('app.display')}>
            <ChoiceSection name="language" title={t('app.language')} choices={display.languages} value={display.language} onChange={display.setLanguage} />
            <ChoiceSection name="theme" title={t('app.theme')} choices={display.themes} value={display.theme} onChange={display.setTheme} />
          </Menu>
        </Popover>
      </MenuTrigger>
      <Failure id={display.failure} />
    </>
  );
}

type SectionProps<K extends string> = { name: string; title: string; choices: readonly { id: K; label: string }[]; value: K; onChange: (chosen: K) => void };

/** Keys are unique in a menu, and "auto" is in both sections. */
function ChoiceSection<K extends string>({ name, title, choices, value, onChange }: SectionProps<K>) {
  const keyOf = (id: K) => `${name}.${id}`;
  return (
    <MenuSection selectionMode="single" disallowEmptySelection selectedKeys={[keyOf(value)]}>
      <Header className={controls.section!}>{title}</Header>
      {choices.map(({ id, label }) => (
        <MenuItem key={id} id={keyOf(id)} className={controls.option!} onAction={() => onChange(id)}>
          {label}
        </MenuItem>
      ))}
    </MenuSection>
  );
}

function Failure({ id }: { id: MessageId | undefined }) {
  const t = useT();
  return (
    id && (
      <Notice tone="bad" role="alert">
        {t(id)}
      </Notice>
    )
  );
}
