/** Parts that are not plain audio, in words: the equal of their drawing. */
import type { RecordedCapture, RecordingFileView, RecordingSpan, SpokenMark } from '../lib/api/types';
import { KIND_NAMES } from '../lib/capture/words';
import { Button, Chip } from '../lib/controls';
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

/** Somebody wants to hear how it came to that part. */
const LEAD_MS = 2_000;

type Props = {
  id: string;
  file: RecordingFileView;
  /** None: nobody listens. */
  onGo?: (ms: number) => void;
};

export function SpanList({ id, file: { length_ms: lengthMs, spans, ending }, onGo }: Props) {
  const t = useT();
  const captures = useCaptures(id);
  return (
    <section className={css.parts} aria-label={t('recordings.parts')}>
      <h2>{t('recordings.parts')}</h2>
      {spans.length === 0 && <p className={css.hint}>{t(ending.is === 'whole' ? 'recordings.no_parts' : 'recordings.no_parts_left')}</p>}
      <ol className={css.partList}>
        {spokenIn(captures, lengthMs).map((mark) => (
          <li key={`spoken ${mark.until_ms}`}>
            <span className={css.clock}>{timeOf(mark, t)}</span>
            <Chip tone="warn" icon="warning">{t('recordings.spoken')}</Chip>
            <span className={css.hint}>{t('recordings.spoken_hint')}</span>
            {onGo && (
              <Button size="small" aria-label={t('recordings.go_to', { part: `${t('recordings.spoken')} ${timeOf(mark, t)}` })} onPress={() => onGo(mark.from_ms)}>
                {t('recordings.go')}
              </Button>
            )}
          </li>
        ))}
        {spans.map((span) => {
          const look = LOOKS[span.kind];
          const time = timeOf(span, t);
          return (
            <li key={`${span.kind} ${span.tracks} ${span.from_ms}`}>
              <span className={css.clock}>{time}</span>
              <Chip tone={look.tone} icon={look.icon}>{t(SPAN_NAMES[span.kind])}</Chip>
              <span className={css.hint}>{t('recordings.span_of', { hint: t(SPAN_HINTS[span.kind]), track: t(TRACK_NAMES[span.tracks]) })}</span>
              {onGo && (
                <Button size="small" aria-label={t('recordings.go_to', { part: `${t(SPAN_NAMES[span.kind])} ${time}` })} onPress={() => onGo(span.from_ms - LEAD_MS)}>
                  {t('recordings.go')}
                </Button>
              )}
              <Words captures={capturesOf(span, captures)} />
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
