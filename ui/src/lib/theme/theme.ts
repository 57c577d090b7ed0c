/** Owns: which theme the page wears. */
import { keep, kept } from '../kept';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const listeners = new Set<() => void>();

export function themeFrom(text: string | null | undefined): Theme {
  return THEMES.find((theme) => theme === text) ?? 'auto';
}

export function currentTheme(): Theme {
  return themeFrom(document.documentElement.dataset.theme);
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  keep('theme', theme);
  for (const listener of listeners) listener();
}

export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** What this browser wore last. */
export function keptTheme(): Theme {
  return themeFrom(kept('theme'));
}
