/** Owns: keyboard shortcuts. Never: a single letter without a modifier. */
import { useEffect, useRef } from 'react';

/** "Alt+N", "Ctrl+Enter", "Escape". */
export type Shortcuts = Record<string, () => void>;

export function nameOf(event: Pick<KeyboardEvent, 'altKey' | 'ctrlKey' | 'shiftKey' | 'key' | 'code'>): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1] ?? /^Digit(\d)$/.exec(event.code)?.[1];
  const modifiers = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift'].filter(Boolean);
  return [...modifiers, letter ?? event.key].join('+');
}

export function useShortcuts(shortcuts: Shortcuts, active: boolean): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    if (!active) return undefined;
    const onKey = (event: KeyboardEvent) => {
      const action = current.current[nameOf(event)];
      if (!action || event.defaultPrevented || event.repeat) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [active]);
}
