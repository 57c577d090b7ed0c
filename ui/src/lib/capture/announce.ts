/**
 * What a screen reader hears of a capture's changes.
 * Owns: which change is worth a sentence, and how urgent it is.
 */
import type { CaptureView, FieldView } from '../api/types';
import type { Translate } from '../i18n';
import { notSentText, refusedText } from './outcome-panel';
import { FIELD_NAMES, errorText } from './words';

export type Announcement = { polite?: string; assertive?: string };

/** Counts that are spoken; every key would talk over the agent. */
const SPOKEN_COUNTS = [4, 8, 12];

export function announcementOf(t: Translate, before: CaptureView, after: CaptureView): Announcement {
  const urgent = urgentText(t, before, after);
  if (urgent) return { assertive: urgent };
  const calm = calmText(t, before, after);
  return calm ? { polite: calm } : {};
}

function urgentText(t: Translate, before: CaptureView, after: CaptureView): string | undefined {
  if (after.state !== before.state) {
    if (after.state === 'lost') return t('capture.lost');
    if (after.state === 'protection_lost') return t('capture.protection_lost');
    if (after.state === 'blocked') return t('spoken.blocked');
    if (after.state === 'declined') return t('outcome.declined');
    if (after.state === 'unknown') return t('outcome.unknown');
    if (after.state === 'error') return t('outcome.not_charged', { why: refusedText(t, after.payment) });
    if (after.state === 'not_sent') return notSentText(t, after);
    if (after.state === 'review') return t('outcome.review');
  }
  const row = changed(before, after, (now, then) => now.state === 'invalid' && (then?.state !== 'invalid' || then.attempt !== now.attempt));
  if (row?.error) return `${t(FIELD_NAMES[row.field])}: ${errorText(t, row.error, row, after)}`;
  const locked = changed(before, after, (now, then) => now.state === 'locked' && then?.state !== 'locked');
  if (locked) return t('error.max_attempts', { n: locked.attempts_max });
  return after.stray_keys > before.stray_keys ? t('capture.stray_keys') : undefined;
}

function calmText(t: Translate, before: CaptureView, after: CaptureView): string | undefined {
  if (before.state === 'arming' && after.state === 'armed') return t('capture.line_protected');
  if (after.state === 'approved' && before.state !== 'approved') return t('outcome.approved');
  if (after.state === 'processing' && before.state !== 'processing') return t('spoken.processing');
  const obtained = changed(before, after, (now, then) => now.state === 'obtained' && then?.state !== 'obtained');
  if (obtained) return t('spoken.obtained', { field: t(FIELD_NAMES[obtained.field]) });
  const keyed = changed(
    before,
    after,
    (now, then) => now.state === 'keying' && SPOKEN_COUNTS.some((count) => (then?.count ?? 0) < count && now.count >= count),
  );
  return keyed ? t('row.keying', { n: keyed.count }) : undefined;
}

function changed(before: CaptureView, after: CaptureView, test: (now: FieldView, then: FieldView | undefined) => boolean): FieldView | undefined {
  return after.fields.find((now) => test(now, before.fields.find((then) => then.field === now.field)));
}
