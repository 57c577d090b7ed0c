import type { ButtonProps as AriaButtonProps } from 'react-aria-components';
import { Button as AriaButton } from 'react-aria-components';
import css from './controls.module.css';

export type ButtonLook = 'plain' | 'primary' | 'danger' | 'quiet';
export type ButtonProps = Omit<AriaButtonProps, 'className' | 'style'> & { look?: ButtonLook; size?: 'normal' | 'small' | 'icon' };

/** A button. One primary per view. */
export function Button({ look = 'plain', size = 'normal', ...props }: ButtonProps) {
  const classes = [css.button, look === 'plain' ? '' : css[look], size === 'normal' ? '' : css[size]];
  return <AriaButton {...props} className={classes.filter(Boolean).join(' ')} />;
}
