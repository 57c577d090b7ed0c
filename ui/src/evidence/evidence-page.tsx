/** The signed evidence of a capture, to be read and printed: the same file that leaves, and nothing from elsewhere. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useMemo } from 'react';
import { Link } from 'wouter';
import { apiFile, sentenceOf } from '../lib/api/client';
import { may } from '../lib/api/queries';
import type { Login } from '../lib/api/types';
import { Button, Chip, Notice } from '../lib/controls';
import { keep } from '../lib/keep-file';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { clockText, dateTimeText, durationText, numberText } from '../lib/i18n/format';
import { ACTION_NAMES, isRefusal } from './audit-words';
import { EntryFacts } from './entry-facts';
import lists from './evidence.module.css';
import css from './record.module.css';
import type { RecordEntry, RecorderAnswer, SignedRecord } from './signed-record';
import { egressSeen, isComplete, keysHeard, readRecord, recorderAnswers, scanFinds } from './signed-record';

export default function EvidencePage({ capture, login }: { capture: string; login: Login }) {
  const t = useT();
  // Each making is an entry of the trail, so it is made once.
  const { data, error, isPending } = useQuery({
    queryKey: ['evidence', capture],
    queryFn: async () => {
      const { name, blob } = await apiFile(`/captures/${encodeURIComponent(capture)}/evidence`);
      return { name, text: await blob.text() };
    },
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnReconnect: false,
  });
  return (
    <main className={`${lists.page} ${css.sheet}`} id="content">
      <div className={lists.head}>
        <h1>{t('evidence.title')}</h1>
        {data && (
          <div className={`${lists.chips} ${css.screenOnly}`}>
            <Button look="primary" onPress={() => window.print()}>{t('evidence.print')}</Button>
            <Button onPress={() => keep(data.name, new Blob([data.text], { type: 'application/jose+json' }))}>{t('evidence.keep')}</Button>
            <a href="/api/v1/evidence/keys" download="evidence-keys.json">{t('audit.evidence_keys')}</a>
          </div>
        )}
      </div>
      {isPending && <p role="status">{t('app.loading')}</p>}
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <SignedFile file={data.text} mayHear={may(login, 'recording.listen')} />}
    </main>
  );
}

function SignedFile({ file, mayHear }: { file: string; mayHear: boolean }) {
  const t = useT();
  const record = useMemo(() => readRecord(file), [file]);
  return (
    <>
      {!isComplete(record) && <Notice tone="warn">{t('evidence.part')}</Notice>}
      <Summary record={record} />
      <Recorders answers={recorderAnswers(record)} />
      <Entries entries={record.entries} mayHear={mayHear} />
      <Proof record={record} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Summary({ record }: { record: SignedRecord }) {
  const t = useT();
  const opened = record.entries.find(({ action }) => action === 'capture_opened');
  const at = (action: RecordEntry['action']) => record.entries.find((entry) => entry.action === action)?.at;
  const time = (ms: number | undefined) => (ms === undefined ? t('evidence.never') : clockText(ms));
  const keys = keysHeard(record);
  const egress = egressSeen(record);
  const isSilent = egress?.egress_finds === 0 && egress.egress_trips === 0;
  const finds = scanFinds(record);
  const isClean = finds && Object.values(finds).every((n) => n === 0);
  return (
    <dl className={lists.facts}>
      <Fact name={t('evidence.capture')}><code>{record.capture}</code></Fact>
      {opened && <Fact name={t('evidence.opened')}>{t('evidence.by', { time: dateTimeText(opened.at), name: opened.actor })}</Fact>}
      <Fact name={t('evidence.protected')}>{time(at('capture_armed'))}</Fact>
      <Fact name={t('evidence.released')}>{time(at('capture_released'))}</Fact>
      <Fact name={t('evidence.keys')}>{keys === undefined ? t('evidence.not_ended') : numberText(keys)}</Fact>
      <Fact name={t('evidence.egress')}>
        {egress ? (
          <Chip tone={isSilent ? 'good' : 'bad'} icon={isSilent ? 'check' : 'cross'}>
            {t('evidence.egress_seen', { seconds: numberText(egress.egress_checked_ms / 1_000), n: egress.egress_finds, trips: egress.egress_trips })}
          </Chip>
        ) : (
          t('evidence.not_told')
        )}
      </Fact>
      <Fact name={t('evidence.scan')}>
        {finds ? <Chip tone={isClean ? 'good' : 'bad'} icon={isClean ? 'check' : 'cross'}>{t(isClean ? 'evidence.scan_clean' : 'evidence.scan_found')}</Chip> : t('evidence.not_told')}
      </Fact>
      <Fact name={t('evidence.made')}>{t('evidence.by', { time: dateTimeText(record.exportedAt), name: record.exportedBy })}</Fact>
      <Fact name={t('evidence.zone')}>{new Intl.DateTimeFormat().resolvedOptions().timeZone}</Fact>
    </dl>
  );
}

const DID = {
  paused: 'evidence.did.paused',
  resumed: 'evidence.did.resumed',
  refused: 'evidence.did.refused',
} satisfies Record<RecorderAnswer['did'], MessageId>;

function Recorders({ answers }: { answers: readonly RecorderAnswer[] }) {
  const t = useT();
  return (
    <section className={css.part} aria-label={t('evidence.recorders')}>
      <h2>{t('evidence.recorders')}</h2>
      {answers.length === 0 && <p className={lists.hint}>{t('evidence.no_recorders')}</p>}
      <ul className={css.rows}>
        {answers.map(({ at, recorder, medium, did, answeredMs, asked, reason }, place) => (
          <li key={place}>
            <time dateTime={new Date(at).toISOString()}>{clockText(at)}</time>
            <span>
              <strong>{recorder}</strong> <span className={lists.hint}>{medium}</span>
            </span>
            <span>
              <Chip tone={did === 'refused' ? 'bad' : 'good'} icon={did === 'refused' ? 'cross' : 'check'}>{t(DID[did])}</Chip>
            </span>
            <span className={lists.hint}>
              {[answeredMs !== undefined && t('evidence.answered', { n: answeredMs }), did === 'refused' && `${asked}: ${reason}`].filter(Boolean).join('; ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Entries({ entries, mayHear }: { entries: readonly RecordEntry[]; mayHear: boolean }) {
  const t = useT();
  return (
    <section className={css.part} aria-label={t('evidence.entries')}>
      <h2>{t('evidence.entries')}</h2>
      <ol className={css.rows}>
        {entries.map(({ chain, seq, at, actor, address, action, detail }) => (
          <li key={`${chain} ${seq}`}>
            <time dateTime={new Date(at).toISOString()}>{clockText(at)}</time>
            <span>
              {isRefusal(action) ? <strong>{t(ACTION_NAMES[action])}</strong> : t(ACTION_NAMES[action])}
              <EntryFacts detail={detail} />
              {mayHear && <Place detail={detail} />}
            </span>
            <span>{address === '-' ? actor : t('evidence.from', { name: actor, address })}</span>
            <span className={lists.hint}>{t('evidence.number', { chain, seq })}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where it is in the call's recording, for whoever may listen: the player begins there. */
function Place({ detail: { recording, recording_ms: at } }: Pick<RecordEntry, 'detail'>) {
  const t = useT();
  if (typeof recording !== 'string' || typeof at !== 'number') return null;
  return (
    <Link className={css.screenOnly!} href={`/recordings/${encodeURIComponent(recording)}?at=${at}`}>
      {t('evidence.place', { time: durationText(at) })}
    </Link>
  );
}

function Proof({ record }: { record: SignedRecord }) {
  const t = useT();
  return (
    <section className={css.part} aria-label={t('evidence.proof')}>
      <h2>{t('evidence.proof')}</h2>
      <dl className={css.proof}>
        <Fact name={t('evidence.key_id')}><code>{record.keyId}</code></Fact>
        <Fact name={t('evidence.signature', { algorithm: record.algorithm })}><code>{record.signature}</code></Fact>
        <Fact name={t('evidence.last_hash')}><code>{record.entries.at(-1)?.hash}</code></Fact>
      </dl>
      <p>{t('evidence.verify')}</p>
      <pre className={css.command}>{`tonewall verify evidence-${record.capture}.json --keys evidence-keys.json`}</pre>
      <p className={lists.hint}>{t('evidence.paper')}</p>
    </section>
  );
}
