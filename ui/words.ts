/**
 * Owns: which words the page begins with, and which come with the pages that say them.
 * Never: leaves a word out; `src/lib/i18n/parts.test.ts` sees to it that each page has what it says.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Words of pages that no agent opens, by the beginning of their ids. The editor of desktops has no room for them (budget.ts) and says none. */
const OFFICE = ['assign', 'audit', 'audit_action', 'cases', 'conflict', 'days', 'desk_import', 'diff', 'due', 'duplicate', 'export', 'followup', 'gallery', 'history', 'hosts', 'list', 'live', 'more', 'outcome_name', 'payments', 'preset', 'resolution', 'right', 'roles', 'routing', 'save', 'services', 'setup', 'spc', 'steps', 'timeline', 'token', 'trial', 'users'];

/** The pages that say them, by file; `withOffice` loads both. */
export const OFFICE_PAGES = ['audit-page', 'design-history', 'desktop-conflict', 'desktop-history', 'desktop-list', 'gallery-page', 'gateway-cases', 'gateway-file-sheet', 'gateway-more', 'gateway-presets', 'gateway-trial', 'live-page', 'payments-page', 'plan-panel', 'roles-page', 'save-summary', 'secure-payment-capture', 'services-page', 'set-up-page', 'token-helper', 'users-page'];

export const isOffice = (id: string): boolean => OFFICE.includes(id.split('.')[0] ?? '');

const MODULE = /^virtual:words\/([a-z]+)\/(desk|office)$/;

/** A catalogue in two parts: `virtual:words/en/desk` and `virtual:words/en/office`. */
export function words(): Plugin {
  return {
    name: 'tonewall-words',
    resolveId: (id) => (MODULE.test(id) ? `\0${id}` : null),
    async load(id) {
      const [, locale, part] = MODULE.exec(id.slice(1)) ?? [];
      if (!locale) return null;
      const file = join(import.meta.dirname, 'src', 'lib', 'i18n', `${locale}.json`);
      this.addWatchFile(file);
      const all = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
      const own = Object.entries(all).filter(([key]) => isOffice(key) === (part === 'office'));
      return `export default ${JSON.stringify(Object.fromEntries(own))}`;
    },
  };
}
