/**
 * Owns: which words the page begins with, and which come with the pages that say them.
 * Never: leaves a word out; `src/lib/i18n/parts.test.ts` sees to it that each page has what it says.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Words of pages that no agent opens, by the beginning of their ids. The editor of desktops has no room for them (budget.ts) and says none. */
const OFFICE = ['assign', 'audit', 'cases', 'conflict', 'days', 'desk_import', 'devices', 'diff', 'due', 'duplicate', 'export', 'factor', 'followup', 'gallery', 'history', 'hosts', 'list', 'live', 'more', 'outcome_name', 'payments', 'preset', 'resolution', 'right', 'roles', 'routing', 'save', 'screen', 'services', 'setup', 'shortcuts', 'spc', 'steps', 'timeline', 'token', 'trial', 'users'];

/** Refusals that only those pages meet. */
const OFFICE_REFUSALS = ['not_on_demand', 'too_many_tests'];

/** Words of pages about what was recorded and done, beside those of the office: desktops are configured without them. */
const RECORDS = ['audit_action', 'evidence', 'recordings'];
const RECORDS_REFUSALS = ['bad_range', 'recording_key_missing', 'recording_quarantined', 'recording_runs', 'recording_unavailable', 'recording_unreadable'];

/** Words of the phone of the page, and of listening with it: an agent has some other telephone where the server has no browser phones. */
const PHONE = ['listen', 'phone'];
const PHONE_REFUSALS = ['call_protected', 'listeners_full', 'listens_already', 'own_call', 'phone_description', 'phone_elsewhere', 'phone_unavailable'];

/** Words about whose call is whose, of calls out, of a service's hours, of groups of agents, and of callers who wait: none of these is everywhere. */
const PAIRING = ['dial', 'groups', 'hours', 'pairing', 'queue'];
const PAIRING_REFUSALS = ['agent_no_phone', 'calls_out_off', 'number_is_card', 'number_malformed', 'number_not_allowed', 'numbers_reserved'];

/** The pages that say words of the office, by file; `withOffice` loads both. */
export const OFFICE_PAGES = ['design-history', 'desktop-conflict', 'desktop-history', 'desktop-list', 'device-check', 'gallery-page', 'gateway-cases', 'gateway-file-sheet', 'gateway-more', 'gateway-presets', 'gateway-trial', 'live-page', 'payments-page', 'plan-panel', 'roles-page', 'save-summary', 'screen-share', 'second-factor-page', 'secure-payment-capture', 'services-page', 'set-up-page', 'shortcuts-sheet', 'token-helper', 'users-page'];

/** The pages that say words of records as well; `withRecords` loads all three. */
export const RECORDS_PAGES = ['audit-page', 'evidence-page', 'recording-page', 'recordings-page'];

/** What `withPhone` loads with the words of the phone. */
export const PHONE_PAGES = ['phone-bar', 'phone-sheet', 'running-calls'];

/** What `withPairing` loads with the words about whose call is whose. */
export const PAIRING_PAGES = ['asked-call', 'connect-door', 'dial-door', 'group-choice', 'groups-input', 'hours-inputs', 'outbound-inputs', 'pairing-inputs', 'pool-inputs', 'queue-inputs', 'queue-line', 'service-calls-page', 'waiting-calls'];

export type Part = 'desk' | 'office' | 'pairing' | 'phone' | 'records';

/** Where a word belongs. */
export function partOf(id: string): Part {
  const [first = '', second = ''] = id.split('.');
  const isIn = (words: string[], refusals: string[]) => words.includes(first) || (first === 'problem' && refusals.includes(second));
  if (isIn(PHONE, PHONE_REFUSALS)) return 'phone';
  if (isIn(PAIRING, PAIRING_REFUSALS)) return 'pairing';
  if (isIn(RECORDS, RECORDS_REFUSALS)) return 'records';
  return isIn(OFFICE, OFFICE_REFUSALS) ? 'office' : 'desk';
}

const MODULE = /^virtual:words\/([a-z]+)\/(desk|office|pairing|phone|records)$/;

/** A catalogue in its parts, such as `virtual:words/en/office`. */
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
      const own = Object.entries(all).filter(([key]) => partOf(key) === part);
      return `export default ${JSON.stringify(Object.fromEntries(own))}`;
    },
  };
}
