import type { Ref } from 'react';
import { useCallback } from 'react';
import type { ButtonProps as AriaButtonProps } from 'react-aria-components';
import { Button as AriaButton } from 'react-aria-components';
import css from './controls.module.css';

export type ButtonLook = 'plain' | 'primary' | 'danger' | 'quiet';
export type ButtonProps = Omit<AriaButtonProps, 'className' | 'style'> & { look?: ButtonLook; size?: 'normal' | 'small' | 'icon' };

type Extra = { 'aria-keyshortcuts'?: string; ref?: Ref<HTMLButtonElement> };

/** A button. One primary per view. */
export function Button({ look = 'plain', size = 'normal', 'aria-keyshortcuts': keys, ref, ...props }: ButtonProps & Extra) {
  const classes = [css.button, look === 'plain' ? '' : css[look], size === 'normal' ? '' : css[size]];
  return <AriaButton {...props} ref={useKeys(keys, ref)} className={classes.filter(Boolean).join(' ')} />;
}

/** Keys that press it, for assistive technology: React Aria hands on no such attribute. */
function useKeys(keys: string | undefined, ref: Ref<HTMLButtonElement> | undefined) {
  return useCallback(
    (element: HTMLButtonElement | null) => {
      if (keys) element?.setAttribute('aria-keyshortcuts', keys);
      if (typeof ref === 'function') ref(element);
      else if (ref) ref.current = element;
    },
    [keys, ref],
  );
}
