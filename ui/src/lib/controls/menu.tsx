import type { ReactNode } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Button } from './button';
import css from './controls.module.css';
import type { IconName } from './icon';
import { Icon } from './icon';

export type MenuEntry<K extends string> = {
  id: K;
  label: string;
  icon?: IconName;
  danger?: boolean;
  disabled?: boolean;
  /** Saved under this address instead of an action. */
  download?: string;
};

/** What can be done with a thing, behind one button. `label` names the thing. */
export function ActionMenu<K extends string>({ label, entries, onAction, children }: { label: string; entries: readonly MenuEntry<K>[]; onAction: (id: K) => void; children?: ReactNode }) {
  return (
    <MenuTrigger>
      <Button size={children ? 'small' : 'icon'} look="quiet" aria-label={label}>
        {children ?? <Icon name="more" />}
      </Button>
      <Popover className={css.popover!} offset={4}>
        <Menu
          aria-label={label}
          onAction={(key) => {
            if (!entries.find((entry) => entry.id === key)?.download) onAction(key as K);
          }}
          disabledKeys={entries.filter((entry) => entry.disabled).map((entry) => entry.id)}
        >
          {entries.map((entry) => (
            <MenuItem
              key={entry.id}
              id={entry.id}
              className={entry.danger ? `${css.option} ${css.dangerOption}` : css.option!}
              textValue={entry.label}
              {...(entry.download ? { href: entry.download, download: '' } : {})}
            >
              {entry.icon && <Icon name={entry.icon} />}
              {entry.label}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
