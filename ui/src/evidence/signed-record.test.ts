import { expect, test } from 'vitest';
import { evidenceFile } from './evidence-fixtures';
import { isComplete, keysHeard, readRecord, recorderAnswers } from './signed-record';

test('a record is read from the very file that is exported, whatever letters it has', () => {
  const record = readRecord(evidenceFile([{ action: 'capture_opened', detail: { widget: 'Zahlung „Ü“ 支払' } }]));
  expect([record.capture, record.exportedBy, record.keyId, record.algorithm]).toEqual(['0123456789abcdefghjkmnpqrs', 'j.roe', 'k'.repeat(43), 'EdDSA']);
  expect(record.entries.map(({ action, detail }) => [action, detail])).toEqual([['capture_opened', { widget: 'Zahlung „Ü“ 支払' }]]);
});

test('recorders answer by their own word, and a record without its end says so', () => {
  const opened = { action: 'capture_opened' as const };
  const armed = { action: 'capture_armed' as const };
  const refused = { action: 'recorder_refused' as const, detail: { recorder: 'Screen', medium: 'screen', asked: 'pause', reason: 'recorder_without_control', answered_ms: 3_000 } };
  const paused = { action: 'recorder_paused' as const, detail: { recorder: 'Tonewall', medium: 'call', answered_ms: 21 } };
  const ended = { action: 'capture_ended' as const, detail: { state: 'done', keys: 26 } };
  const released = { action: 'capture_released' as const };
  const running = readRecord(evidenceFile([opened, refused, paused, armed]));
  expect(recorderAnswers(running).map(({ recorder, did, answeredMs, reason }) => [recorder, did, answeredMs, reason])).toEqual([
    ['Screen', 'refused', 3_000, 'recorder_without_control'],
    ['Tonewall', 'paused', 21, ''],
  ]);
  expect([isComplete(running), keysHeard(running)]).toEqual([false, undefined]);
  const unreleased = readRecord(evidenceFile([opened, paused, armed, ended]));
  expect([isComplete(unreleased), keysHeard(unreleased)]).toEqual([false, 26]);
  expect(isComplete(readRecord(evidenceFile([opened, paused, armed, ended, released])))).toBe(true);
});

test('a file that is none is told', () => {
  expect(() => readRecord('{}')).toThrow();
  expect(() => readRecord('not JSON')).toThrow();
});
