/** One button per kind of payment; a menu when several widgets are of one kind. */
import { useId, useState } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import type { ButtonView } from '../lib/api/types';
import { DISABLED_REASONS, isCheck } from '../lib/capture/words';
import { useShortcuts } from '../lib/capture/shortcuts';
import { Button, Icon } from '../lib/controls';
import controls from '../lib/controls/controls.module.css';
import { useT, useWritten } from '../lib/i18n';
import css from './agent.module.css';

export type ControlButtonsProps = {
  buttons: readonly ButtonView[];
  online: boolean;
  /** There is no call. */
  waiting: boolean;
  keyboard: boolean;
  onOpen: (widget: string) => void;
};

export function ControlButtons(props: ControlButtonsProps) {
  const t = useT();
  const cards = props.buttons.filter((button) => !isCheck(button.kind));
  const checks = props.buttons.filter((button) => isCheck(button.kind));
  return (
    <div className={css.controls} role="group" aria-label={t('buttons.title')}>
      {cards.length > 0 && <ControlButton {...props} label={t('buttons.card')} icon="card" shortcut="Alt+1" buttons={cards} />}
      {checks.length > 0 && <ControlButton {...props} label={t('buttons.check')} icon="bank" shortcut="Alt+2" buttons={checks} />}
    </div>
  );
}

/** Why a widget cannot be opened now. */
export function useReason(waiting: boolean, online: boolean) {
  const t = useT();
  return (button: ButtonView): string | undefined =>
    waiting ? t('disabled.no_call') : !online ? t('disabled.reconnecting') : button.disabled ? t(DISABLED_REASONS[button.disabled]) : undefined;
}

function ControlButton({
  label,
  icon,
  shortcut,
  buttons,
  online,
  waiting,
  keyboard,
  onOpen,
}: ControlButtonsProps & { label: string; icon: 'card' | 'bank'; shortcut: string }) {
  const written = useWritten();
  const reasonId = useId();
  const [menuOpen, setMenuOpen] = useState(false);
  const why = useReason(waiting, online);
  const usable = buttons.filter((button) => !why(button));
  const reason = usable.length === 0 && buttons[0] ? why(buttons[0]) : undefined;
  const single = buttons.length === 1 ? buttons[0] : undefined;
  const press = () => {
    if (single) onOpen(single.widget);
    else setMenuOpen(true);
  };
  useShortcuts({ [shortcut]: press }, keyboard && !reason);
  const button = (
    <Button
      isDisabled={Boolean(reason)}
      aria-keyshortcuts={shortcut}
      {...(reason ? { 'aria-describedby': reasonId } : {})}
      {...(single ? { onPress: press } : {})}
    >
      <Icon name={icon} />
      {label}
      {single ? null : <Icon name="chevron" />}
      <kbd className={css.kbd} aria-hidden="true">
        {shortcut}
      </kbd>
    </Button>
  );
  return (
    <div className={css.control}>
      {single ? (
        button
      ) : (
        <MenuTrigger isOpen={menuOpen} onOpenChange={setMenuOpen}>
          {button}
          <Popover className={controls.popover!}>
            <Menu aria-label={label} onAction={(key) => onOpen(String(key))} disabledKeys={buttons.filter(why).map((item) => item.widget)}>
              {buttons.map((item) => (
                <MenuItem key={item.widget} id={item.widget} className={controls.option!} textValue={written(item.title, item.titles)}>
                  {written(item.title, item.titles)}
                </MenuItem>
              ))}
            </Menu>
          </Popover>
        </MenuTrigger>
      )}
      {reason && (
        <span className={css.reason} id={reasonId}>
          {reason}
        </span>
      )}
    </div>
  );
}
