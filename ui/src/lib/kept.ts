/** Owns: what this browser remembers for its next visit. Storage may be forbidden (third-party frames); a choice then lasts as long as the page. */
const PREFIX = 'tonewall.';

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It lasts as long as the page.
  }
}
