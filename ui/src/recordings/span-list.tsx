/** Parts that are not plain audio, in words: the equal of their drawing. */
import { sentenceOf } from '../lib/api/client';
import type { RecordedCapture, RecordingFileView, RecordingSpan, SpokenMark } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, Chip, Notice } from '../lib/controls';
import type { IconName, Tone } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import css from './recordings.module.css';
import { answersOf, capturesOf, spokenIn, useCaptures } from './span-words';
import { MEDIUM_NAMES, SPAN_HINTS, SPAN_NAMES, TRACK_NAMES } from './spans';

const LOOKS = {
  paused: { tone: 'good', icon: 'lock' },
  masked: { tone: 'good', icon: 'lock' },
  gap: { tone: 'warn', icon: 'warning' },
  removed: { tone: 'info', icon: 'remove' },
} satisfies Record<RecordingSpan['kind'], { tone: Tone; icon: IconName }>;

const SPOKEN_LOOK = { tone: 'warn', icon: 'warning' } as const;

/** Somebody wants to hear how it came to that part. */
const LEAD_MS = 2_000;

type Props = {
  id: string;
  file: RecordingFileView;
  /** None: nobody listens. */
  onGo?: (ms: number) => void;
};

export function SpanList({ id, file, onGo }: Props) {
  const t = useT();
  const { spans, ending } = file;
  const { captures, error } = useCaptures(id);
  const spoken = spokenIn(captures, file);
  const itemOfMark = (mark: SpokenMark) => ({ ...mark, key: `spoken ${mark.until_ms}`, look: SPOKEN_LOOK, name: t('recordings.spoken'), hint: t('recordings.spoken_hint'), goMs: mark.from_ms, words: [] });
  const itemOfSpan = ({ kind, tracks, from_ms, until_ms }: RecordingSpan) => ({
    from_ms,
    until_ms,
    key: `${kind} ${tracks} ${from_ms}`,
    look: LOOKS[kind],
    name: t(SPAN_NAMES[kind]),
    hint: t('recordings.span_of', { hint: t(SPAN_HINTS[kind]), track: t(TRACK_NAMES[tracks]) }),
    goMs: from_ms - LEAD_MS,
    words: capturesOf({ kind, tracks, from_ms, until_ms }, captures),
  });
  return (
    <section className={css.parts} aria-label={t('recordings.parts')}>
      <h2>{t('recordings.parts')}</h2>
      {error && <Notice tone="warn" role="status">{t('recordings.said.unknown', { reason: sentenceOf(error) })}</Notice>}
      {spans.length + spoken.length === 0 && <p className={css.hint}>{t(ending.is === 'whole' ? 'recordings.no_parts' : 'recordings.no_parts_left')}</p>}
      <ol className={css.partList}>
        {[...spoken.map(itemOfMark), ...spans.map(itemOfSpan)]
          .sort((one, other) => one.from_ms - other.from_ms)
          .map(({ key, from_ms, until_ms, look, name, hint, goMs, words }) => {
            const time = timeOf({ from_ms, until_ms }, t);
            return (
              <li key={key}>
                <span className={css.clock}>{time}</span>
                <Chip tone={look.tone} icon={look.icon}>{name}</Chip>
                <span className={css.hint}>{hint}</span>
                {onGo && (
                  <Button size="small" aria-label={t('recordings.go_to', { part: `${name} ${time}` })} onPress={() => onGo(goMs)}>
                    {t('recordings.go')}
                  </Button>
                )}
                <Words captures={words} />
              </li>
            );
          })}
      </ol>
    </section>
  );
}

/** By whose word it was paused, and who did not confirm it. */
function Words({ captures }: { captures: readonly RecordedCapture[] }) {
  const t = useT();
  if (captures.length === 0) return null;
  return (
    <ul className={css.words}>
      {captures.map(({ object, kind, said }) => (
        <li key={object}>
          {kind && <span className={css.hint}>{t(KIND_NAMES[kind])}</span>}
          {answersOf(said).map(({ recorder, medium, did, answered_ms, asked, reason, at_ms }) =>
            did === 'refused' ? (
              <Chip key={`${recorder} ${at_ms}`} tone="bad" icon="warning">{t('recordings.said.refused', { recorder, medium: t(MEDIUM_NAMES[medium]), why: `${asked ?? ''}: ${reason ?? ''}` })}</Chip>
            ) : (
              <Chip key={`${recorder} ${at_ms}`} tone="good" icon="check">{t('recordings.said.paused', { recorder, medium: t(MEDIUM_NAMES[medium]), n: answered_ms })}</Chip>
            ),
          )}
        </li>
      ))}
    </ul>
  );
}

/** "02:14 – 02:51"; one time where it lasts less than a second. */
function timeOf({ from_ms, until_ms }: SpokenMark, t: Translate): string {
  const [from, until] = [durationText(from_ms), durationText(until_ms)];
  return from === until ? from : t('recordings.from_to', { from, until });
}
