/** Owns: what the scan after a call found, in words. */
import type { RecordingFinds, RecordingRow } from '../lib/api/types';
import type { MessageId, Translate } from '../lib/i18n';

const FOUND = {
  masked_keys: 'recordings.found.masked_keys',
  paused_samples: 'recordings.found.paused_samples',
  unprotected_keys: 'recordings.found.unprotected_keys',
} satisfies Record<keyof RecordingFinds, MessageId>;

/** Nobody listens to it: something was found. */
export const isQuarantined = ({ scan }: RecordingRow) => Object.values(scan?.finds ?? {}).some((found) => found > 0);

/** A sentence for each kind of find. */
export function findWords({ scan }: RecordingRow, t: Translate): string[] {
  const finds = Object.entries(scan?.finds ?? {}) as [keyof RecordingFinds, number][];
  return finds.filter(([, n]) => n > 0).map(([kind, n]) => t(FOUND[kind], { n }));
}
