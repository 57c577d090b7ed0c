/** A file of signed evidence in its form, with a signature that nobody made: for tests and looks. */
import { NOW } from '../lib/capture/fixtures';
import type { RecordEntry } from './signed-record';

type Said = Partial<RecordEntry> & Pick<RecordEntry, 'action'>;

const CAPTURE = '0123456789abcdefghjkmnpqrs';
const STEP_MS = 4_000;

function encoded(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function evidenceFile(said: readonly Said[]): string {
  const entries = said.map(({ action, at, actor = 'system', address = '-', detail = {} }, place) => ({
    position: place + 1, seq: place + 1, chain: 'node-a/7', previous: '0'.repeat(64), hash: String(place % 10).repeat(64),
    document: JSON.stringify({ chain: 'node-a/7', seq: place + 1, at: at ?? NOW + place * STEP_MS, actor, address, action, object: `capture ${CAPTURE}`, detail }),
  }));
  const payload = { v: 1, capture: CAPTURE, exported_at: NOW + 3_600_000, exported_by: 'j.roe', entries };
  return JSON.stringify({ payload: encoded(payload), protected: encoded({ alg: 'EdDSA', kid: 'k'.repeat(43), typ: 'tonewall-evidence+json' }), signature: 's'.repeat(86) });
}
