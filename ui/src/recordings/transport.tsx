/** Play and pause, ten seconds on or back, how fast, and the slider that says and sets the position. */
import { Button, CheckInput, Icon, SelectInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText, numberText } from '../lib/i18n/format';
import type { RecordingSpan } from '../lib/api/types';
import type { Playback } from './playback';
import css from './recordings.module.css';
import { SPAN_NAMES, isProtected, spanAt } from './spans';

const SECOND_MS = 1_000;
const STEP_MS = 10 * SECOND_MS;
const RATES = [0.75, 1, 1.25, 1.5, 2];

export function Transport({ playback, spans }: { playback: Playback; spans: readonly RecordingSpan[] }) {
  const t = useT();
  const { playing, rate, skips } = playback;
  const rates = RATES.map((rate) => ({ id: String(rate), label: t('recordings.times', { n: numberText(rate) }) }));
  return (
    <div className={css.transport}>
      <div className={css.keys}>
        <Button aria-label={t('recordings.back', { n: STEP_MS / SECOND_MS })} onPress={() => playback.by(-STEP_MS)}>
          {t('recordings.back_short', { n: STEP_MS / SECOND_MS })}
        </Button>
        <Button look="primary" onPress={playing ? playback.rest : playback.play}>
          {playing ? <Icon name="hold" /> : <PlayMark />}
          {t(playing ? 'recordings.rest' : 'recordings.play')}
        </Button>
        <Button aria-label={t('recordings.on', { n: STEP_MS / SECOND_MS })} onPress={() => playback.by(STEP_MS)}>
          {t('recordings.on_short', { n: STEP_MS / SECOND_MS })}
        </Button>
        <span className={css.clock}>
          <strong>{durationText(playback.positionMs)}</strong> / {durationText(playback.lengthMs)}
        </span>
      </div>
      <div className={css.choices}>
        {spans.some(isProtected) && <CheckInput label={t('recordings.skip')} value={skips} onChange={playback.setSkips} />}
        <div className={css.rate}>
          <SelectInput label={t('recordings.rate')} value={String(rate)} choices={rates} onChange={(rate) => playback.setRate(Number(rate))} spoken />
        </div>
      </div>
    </div>
  );
}

function PlayMark() {
  return (
    <svg aria-hidden="true" focusable="false" width="16" height="16" viewBox="0 0 16 16" fill="currentColor">
      <path d="M4.5 2.5v11l9-5.5z" />
    </svg>
  );
}

/** Keys of the slider, and where they lead: a step of its own would be too small for a person, or too large for a drag. */
const ARROWS: Record<string, number> = { ArrowLeft: -SECOND_MS, ArrowDown: -SECOND_MS, ArrowRight: SECOND_MS, ArrowUp: SECOND_MS };

/** Where it stands, to the millisecond; what is there is said with the time. */
export function Position({ playback, spans }: { playback: Playback; spans: readonly RecordingSpan[] }) {
  const t = useT();
  const { positionMs, lengthMs } = playback;
  const within = spanAt(spans, positionMs);
  const time = t('recordings.position', { time: durationText(positionMs), length: durationText(lengthMs) });
  return (
    <input
      type="range"
      className={css.position}
      aria-label={t('recordings.position_label')}
      aria-valuetext={within ? `${time}, ${t(SPAN_NAMES[within.kind])}` : time}
      min={0}
      max={lengthMs / SECOND_MS}
      step="any"
      value={positionMs / SECOND_MS}
      onChange={(event) => playback.seek(event.currentTarget.valueAsNumber * SECOND_MS)}
      onKeyDown={(event) => {
        const by = ARROWS[event.key];
        if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        playback.by(by);
      }}
    />
  );
}
