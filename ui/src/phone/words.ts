/** Words for what the phone can be at. */
import type { Trouble } from '../devices/trouble';
import type { IconName, Tone } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import type { Failure } from './machine';
import type { Changed } from './phone';
import type { Grade } from './quality';
import type { Part, Verdict } from './trial';

export const TROUBLES = {
  insecure: 'phone.trouble.insecure',
  not_allowed_here: 'phone.trouble.not_allowed_here',
  refused: 'phone.trouble.refused',
  no_device: 'phone.trouble.no_device',
  busy: 'phone.trouble.busy',
  failed: 'phone.trouble.failed',
} satisfies Record<Trouble, MessageId>;

export const GRADES = {
  good: { tone: 'plain', icon: 'check', word: 'phone.grade.good' },
  weak: { tone: 'warn', icon: 'warning', word: 'phone.grade.weak' },
  bad: { tone: 'bad', icon: 'warning', word: 'phone.grade.bad' },
} as const satisfies Record<Grade, { tone: Tone; icon: IconName; word: MessageId }>;

export const CHANGES = { microphone: 'phone.changed.microphone', speaker: 'phone.changed.speaker' } satisfies Record<Changed['kind'], MessageId>;

export const PARTS = {
  connecting: 'phone.try.connecting',
  tone: 'phone.try.tone',
  speak: 'phone.try.speak',
  listen: 'phone.try.listen',
} satisfies Record<Part, MessageId>;

export const VERDICTS = {
  heard: { tone: 'good', word: 'phone.verdict.heard' },
  not_spoken: { tone: 'bad', word: 'phone.verdict.not_spoken' },
  not_back: { tone: 'bad', word: 'phone.verdict.not_back' },
  no_path: { tone: 'bad', word: 'phone.verdict.no_path' },
  stopped: { tone: 'info', word: 'phone.verdict.stopped' },
} as const satisfies Record<Verdict, { tone: Tone; word: MessageId }>;

/** Why the phone is off, or a call did not come about. */
export const failureText = (failure: Failure, t: (id: MessageId) => string): string => (failure.what === 'server' ? failure.sentence : t(TROUBLES[failure.trouble]));
