/** A part of a recording that is removed for good, with a reason: of a call as silence, of a screen whole videos. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { RefObject } from 'react';
import { useState } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordingFileView, RecordingRow } from '../lib/api/types';
import { Button, Icon, Notice, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { durationText, numberText } from '../lib/i18n/format';
import type { PartFault, PartTimes } from './part-times';
import { partOffered, partTyped, placeFound, timeTyped, videosIn } from './part-times';
import css from './recordings.module.css';
import { spokenIn, useCaptures } from './span-words';
import { WithReason, wrongOf } from './with-reason';

type Props = {
  row: RecordingRow;
  file: RecordingFileView;
  /** Where the player stands. */
  place: RefObject<number>;
};

const FAULTS = {
  time: 'recordings.redact_fault.time',
  order: 'recordings.redact_fault.order',
  beyond: 'recordings.redact_fault.beyond',
  nothing: 'recordings.redact_fault.nothing',
} satisfies Record<PartFault['why'], MessageId>;

export function RemovePart({ row, file, place }: Props) {
  const t = useT();
  const [offered, setOffered] = useState<PartTimes>();
  const [done, setDone] = useState('');
  const [failed, setFailed] = useState('');
  const spoken = spokenIn(useCaptures(row.id).captures, file);
  const ask = () => {
    const [video] = file.parts;
    const found = place.current || (placeFound(row, file.spans) ?? spoken[0]?.from_ms ?? 0);
    setDone('');
    setFailed('');
    setOffered(video ? { from_ms: video.begin_ms, until_ms: video.begin_ms + video.length_ms } : partOffered(file.spans, found, file.length_ms, spoken));
  };
  return (
    <>
      <Button onPress={ask}>
        <Icon name="remove" />
        {t('recordings.redact')}
      </Button>
      <span role="status" className="visually-hidden">{done && t('recordings.redact_done', { part: done })}</span>
      {failed && !offered && <Notice tone="bad" role="alert">{t('recordings.redact_failed', { reason: failed })}</Notice>}
      {offered && <Asked row={row} file={file} offered={offered} onClose={() => setOffered(undefined)} onDone={setDone} onFailed={setFailed} />}
    </>
  );
}

type AskedProps = { row: RecordingRow; file: RecordingFileView; offered: PartTimes; onClose: () => void; onDone: (part: string) => void; onFailed: (why: string) => void };

function Asked({ row: { id, medium }, file: { length_ms: lengthMs, parts }, offered, onClose, onDone, onFailed }: AskedProps) {
  const t = useT();
  const queries = useQueryClient();
  const videos = medium === 'screen' ? parts : undefined;
  // Of a screen a tenth that the video does not fill could touch the one beside it, which would go too.
  const [from, setFrom] = useState(() => timeTyped(offered.from_ms, videos ? 'up' : 'down'));
  const [until, setUntil] = useState(() => timeTyped(offered.until_ms, videos ? 'down' : 'up'));
  const typed = partTyped(from, until, lengthMs, videos);
  const fault = 'why' in typed ? typed : undefined;
  const part = 'why' in typed ? undefined : typed;
  const said = part && t('recordings.from_to', { from: timeTyped(part.from_ms, 'down'), until: timeTyped(part.until_ms, 'up') });
  const removed = useMutation({
    mutationFn: (reason: string) => api('POST', `/recordings/${encodeURIComponent(id)}/redactions`, { body: { ...part, reason } }),
    onSuccess: () => {
      onDone(said ?? '');
      onClose();
    },
    // Whoever has closed the question meanwhile is told on the page.
    onError: (error) => onFailed(sentenceOf(error)),
    // Also after a failure: what the server could not finish it finishes by itself.
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.recordings }),
  });
  const wrong = (of: PartFault['of']) => (fault?.of === of ? t(FAULTS[fault.why], { time: timeTyped(lengthMs, 'down') }) : wrongOf(removed.error, `${of}_ms`));
  const whole = (videos && part ? videosIn(videos, part) : []).map(({ begin_ms, length_ms }) => t('recordings.from_to', { from: durationText(begin_ms), until: durationText(begin_ms + length_ms) }));
  const says = (part: PartTimes) => (videos ? t('recordings.redact_says_screen', { n: whole.length, parts: whole.join(', ') }) : t('recordings.redact_says', { part: said ?? '', n: numberText((part.until_ms - part.from_ms) / 1_000) }));
  const time = { inputMode: 'text', disabled: removed.isPending, required: true } as const;
  return (
    <WithReason title={t('recordings.redact_title')} go={t('recordings.redact_go')} look="danger" isWrong={!part} step={removed} onClose={onClose}>
      <p>{t(videos ? 'recordings.redact_hint_screen' : 'recordings.redact_hint')}</p>
      <div className={css.times}>
        <TextInput label={t('recordings.redact_from')} value={from} onChange={setFrom} error={wrong('from')} autoFocus {...time} />
        <TextInput label={t('recordings.redact_until')} value={until} onChange={setUntil} error={wrong('until')} {...time} />
      </div>
      <p className={css.hint}>{part ? says(part) : t('recordings.redact_times')}</p>
      {removed.isPending && <Notice tone="info" role="status">{t('recordings.redact_runs')}</Notice>}
    </WithReason>
  );
}
