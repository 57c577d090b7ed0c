/**
 * What a file of signed evidence says, for people.
 * Owns: reading the file that is exported, as it is.
 * Never: proves it; `tonewall verify` does, on another machine.
 */
import type { AuditAction } from '../lib/api/types';

export type RecordEntry = { seq: number; chain: string; at: number; actor: string; address: string; action: AuditAction; detail: Record<string, unknown>; hash: string };

export type SignedRecord = { capture: string; exportedAt: number; exportedBy: string; entries: RecordEntry[]; keyId: string; algorithm: string; signature: string };

/** What a recorder answered when it was asked to pause or to go on. */
export type RecorderAnswer = { at: number; recorder: string; medium: string; did: 'paused' | 'resumed' | 'refused'; answeredMs: number | undefined; asked: string; reason: string };

type Flattened = { payload: string; protected: string; signature: string };
type Payload = { v: number; capture: string; exported_at: number; exported_by: string; entries: { seq: number; chain: string; document: string; hash: string }[] };
type Document = Pick<RecordEntry, 'at' | 'actor' | 'address' | 'action' | 'detail'>;

/** Base64url without padding, of UTF-8. */
function decoded(text: string): unknown {
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Throws if it is no such file. */
export function readRecord(file: string): SignedRecord {
  const flattened = JSON.parse(file) as Flattened;
  const header = decoded(flattened.protected) as { alg: string; kid: string };
  const payload = decoded(flattened.payload) as Payload;
  const entries = payload.entries.map(({ seq, chain, document, hash }) => {
    const { at, actor, address, action, detail } = JSON.parse(document) as Document;
    return { seq, chain, hash, at, actor, address, action, detail };
  });
  return { capture: payload.capture, exportedAt: payload.exported_at, exportedBy: payload.exported_by, entries, keyId: header.kid, algorithm: header.alg, signature: flattened.signature };
}

const count = (entries: readonly RecordEntry[], action: AuditAction) => entries.filter((entry) => entry.action === action).length;

/** The capture has ended, and all that was protected was let go. The server says so in the same way (`Evidence::is_complete`). */
export function isComplete({ entries }: SignedRecord): boolean {
  return count(entries, 'capture_ended') > 0 && count(entries, 'capture_released') >= count(entries, 'capture_armed');
}

const DID: Partial<Record<AuditAction, RecorderAnswer['did']>> = { recorder_paused: 'paused', recorder_resumed: 'resumed', recorder_refused: 'refused' };
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/** Recorders by their own word, in the order in which they answered. */
export function recorderAnswers({ entries }: SignedRecord): RecorderAnswer[] {
  return entries.flatMap(({ action, at, detail }) => {
    const did = DID[action];
    if (!did) return [];
    const answeredMs = typeof detail.answered_ms === 'number' ? detail.answered_ms : undefined;
    return [{ at, did, answeredMs, recorder: textOf(detail.recorder), medium: textOf(detail.medium), asked: textOf(detail.asked), reason: textOf(detail.reason) }];
  });
}

const numbersOf = <Name extends string>({ entries }: SignedRecord, action: AuditAction, names: readonly Name[]): Record<Name, number> | undefined => {
  const told = entries.filter((entry) => entry.action === action && names.every((name) => typeof entry.detail[name] === 'number'));
  if (told.length === 0) return undefined;
  const sum = (name: Name) => told.reduce((all, { detail }) => all + (detail[name] as number), 0);
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as Record<Name, number>;
};

/** What the last look behind the mask has seen over all protected spans; none: not told. The server sums in the same way (`Evidence::egress`). */
export const egressSeen = (record: SignedRecord) => numbersOf(record, 'capture_released', ['egress_checked_ms', 'egress_finds', 'egress_trips']);

/** What scans of the call's recordings have found; none: there was none, or not yet. */
export function scanFinds(record: SignedRecord) {
  // One of which a part was removed was scanned again: the last scan of each counts.
  const isLast = (entry: RecordEntry) => record.entries.findLast(({ action, detail }) => action === 'recording_scanned' && detail.recording === entry.detail.recording) === entry;
  const entries = record.entries.filter((entry) => entry.action !== 'recording_scanned' || isLast(entry));
  return numbersOf({ ...record, entries }, 'recording_scanned', ['masked_keys', 'paused_samples', 'unprotected_keys']);
}

/** Keys heard while the widget was open; none: the capture has not ended. */
export function keysHeard({ entries }: SignedRecord): number | undefined {
  const keys = entries.findLast(({ action }) => action === 'capture_ended')?.detail.keys;
  return typeof keys === 'number' ? keys : undefined;
}
