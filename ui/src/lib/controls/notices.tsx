import type { ReactNode } from 'react';
import type { IconName } from './icon';
import { Icon } from './icon';
import css from './controls.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'plain';

const ICONS: Record<Exclude<Tone, 'plain'>, IconName> = { good: 'check', warn: 'warning', bad: 'warning', info: 'question' };

/** A box with an icon and a text. `role="alert"` only for what has to interrupt. */
export function Notice({ tone, role, children }: { tone: Exclude<Tone, 'plain'>; role?: 'alert' | 'status'; children: ReactNode }) {
  return (
    <div role={role} className={`${css.alert} ${css[tone]}`}>
      <Icon name={ICONS[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** A small state: icon and text. */
export function Chip({ tone = 'plain', icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={tone === 'plain' ? css.chip : `${css.chip} ${css[tone]}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </span>
  );
}
