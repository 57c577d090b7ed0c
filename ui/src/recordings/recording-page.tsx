/** One recording: whose call it is, how it ended, its player, and what may be done with its file. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode, RefObject } from 'react';
import { useRef } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import evidence from '../evidence/evidence.module.css';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, may } from '../lib/api/queries';
import type { Login, RecordingDetail, RecordingFileView, RecordingRow } from '../lib/api/types';
import { Button, Notice } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { dateTimeText, durationText } from '../lib/i18n/format';
import { Companions } from './companions';
import { EndChip } from './end-chip';
import { findWords, isQuarantined } from './finds';
import { Player } from './player';
import css from './recordings.module.css';
import { RemovePart } from './remove-part';
import { ScreenParts } from './screen-parts';
import { SpanList } from './span-list';
import { MEDIUM_NAMES } from './spans';
import { Delete, Download } from './take-out';

export default function RecordingPage({ id, login, locked }: { id: string; login: Login; locked: boolean }) {
  const t = useT();
  const [, go] = useLocation();
  const place = useRef(startOf(useSearch()));
  const { data, error, isPending, isFetching, refetch } = useQuery({
    queryKey: [...KEYS.recordings, 'one', id],
    queryFn: ({ signal }) => api<RecordingDetail>('GET', `/recordings/${encodeURIComponent(id)}`, { signal }),
  });
  return (
    <main className={evidence.page} id="content">
      <Link href="/recordings">{t('recordings.all')}</Link>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && (
        <>
          <h1>{t('recordings.title')}</h1>
          <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>
        </>
      )}
      {data && (
        <>
          <div className={evidence.head}>
            <h1>{t('recordings.one', { time: dateTimeText(data.row.began) })}</h1>
            <div className={evidence.chips}>
              <EndChip row={data.row} />
              {data.file && data.row.medium === 'call' && may(login, 'recording.download') && <Download id={id} lengthMs={data.file.length_ms} />}
              {data.file && isRemovable(data.row, data.file) && may(login, 'recording.redact') && <RemovePart row={data.row} file={data.file} place={place} />}
              {data.row.end && may(login, 'recording.delete') && <Delete id={id} onGone={() => go('/recordings')} />}
            </div>
          </div>
          <Facts row={data.row} />
          <Companions row={data.row} />
          {!data.row.end && (
            <div className={evidence.chips}>
              <Notice tone="info" role="status">{t('recordings.runs')}</Notice>
              <Button isDisabled={isFetching} onPress={() => void refetch()}>{t('recordings.look_again')}</Button>
            </div>
          )}
          {data.unreadable && (
            <Notice tone="bad" role="alert">
              {data.missing_key ? t('recordings.key_missing', { key: data.missing_key }) : t('recordings.unreadable', { reason: data.unreadable })}
            </Notice>
          )}
          <Quarantine row={data.row} />
          {data.file && <Condition file={data.file} />}
          {data.file && <Content detail={data} file={data.file} mayListen={may(login, 'recording.listen')} locked={locked} place={place} />}
          {data.file && !may(login, 'recording.listen') && <p className={css.hint}>{t('recordings.unheard')}</p>}
        </>
      )}
    </main>
  );
}

/** There is something of which a part could be removed. */
const isRemovable = ({ medium }: RecordingRow, { length_ms, parts }: RecordingFileView) => (medium === 'screen' ? parts.length > 0 : length_ms > 0);

type ContentProps = { detail: RecordingDetail; file: RecordingFileView; mayListen: boolean; locked: boolean; place: RefObject<number> };

function Content({ detail: { row }, file, mayListen, locked, place }: ContentProps) {
  if (!mayListen || isQuarantined(row)) return <SpanList id={row.id} file={file} />;
  if (row.medium === 'screen') return <ScreenParts id={row.id} file={file} locked={locked} />;
  // Once a part was removed its audio is another: none of what was loaded before plays on.
  const removed = file.spans.filter(({ kind }) => kind === 'removed').length;
  return <Player key={removed} row={row} file={file} locked={locked} place={place} />;
}

/** `?at=`: where a place of the evidence leads to, in milliseconds. Anything else is the beginning. */
function startOf(search: string): number {
  const at = new URLSearchParams(search).get('at') ?? '';
  return /^\d{1,9}$/.test(at) ? Number(at) : 0;
}

function Facts({ row }: { row: RecordingRow }) {
  const t = useT();
  const fact = (name: string, value: ReactNode) => (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <dl className={evidence.facts}>
      {fact(t('recordings.agent'), row.agent_name || t('recordings.nobody'))}
      {fact(t('recordings.service'), row.service_name || t('recordings.service_gone'))}
      {row.end && fact(t('recordings.length'), durationText(row.end.length_ms))}
      {row.end && row.medium === 'call' && fact(t('recordings.scanned'), scannedText(row, t))}
      {fact(t('recordings.keep_until'), dateTimeText(row.keep_until))}
      {fact(t('recordings.medium'), t(MEDIUM_NAMES[row.medium]))}
      {fact(t('recordings.call'), <code>{row.call}</code>)}
      {fact(t('recordings.node'), row.node)}
    </dl>
  );
}

function scannedText(row: RecordingRow, t: Translate): string {
  if (!row.scan) return t('recordings.not_scanned');
  const time = dateTimeText(row.scan.at);
  return isQuarantined(row) ? time : t('recordings.scanned_clean', { time });
}

/** What was found in it, and what to do. */
function Quarantine({ row }: { row: RecordingRow }) {
  const t = useT();
  if (!isQuarantined(row)) return null;
  return (
    <Notice tone="bad" role="alert">
      <p>{t('recordings.quarantined_hint')}</p>
      <ul>
        {findWords(row, t).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </Notice>
  );
}

/** What is missing, in words. */
function Condition({ file: { ending, spans } }: { file: RecordingFileView }) {
  const t = useT();
  const gaps = spans.filter(({ kind }) => kind === 'gap').length;
  return (
    <>
      {ending.is === 'cut' && <Notice tone="warn">{t('recordings.cut_hint')}</Notice>}
      {ending.is === 'damaged' && <Notice tone="bad" role="alert">{t('recordings.damaged', { why: ending.why })}</Notice>}
      {gaps > 0 && <Notice tone="warn">{t('recordings.gaps', { n: gaps })}</Notice>}
    </>
  );
}
