/** A recording that leaves as a file, or that is deleted before its day: each with a reason. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, apiFile } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { RecordingFormat } from '../lib/api/types';
import { Button, Icon, RadioInput } from '../lib/controls';
import { keep } from '../lib/keep-file';
import { useT } from '../lib/i18n';
import { numberText } from '../lib/i18n/format';
import { WithReason } from './with-reason';

type Props = { id: string; lengthMs: number };

/** 16-bit stereo at 8 kHz. */
const WAV_BYTES_PER_MS = 32;
const MEGABYTE = 1_000_000;

export function Download({ id, lengthMs }: Props) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const [format, setFormat] = useState<RecordingFormat>('wav');
  const taken = useMutation({
    mutationFn: (reason: string) => apiFile(`/recordings/${encodeURIComponent(id)}/download`, { format, reason }),
    onSuccess: ({ name, blob }) => {
      keep(name, blob);
      setOpen(false);
    },
  });
  const wavMegabytes = numberText(Math.max(0.1, Math.round((lengthMs * WAV_BYTES_PER_MS) / MEGABYTE * 10) / 10));
  const formats = [
    { id: 'wav' as const, label: t('recordings.format.wav', { n: wavMegabytes }) },
    { id: 'opus' as const, label: t('recordings.format.opus') },
  ];
  return (
    <>
      <Button onPress={() => setOpen(true)}>
        <Icon name="in" />
        {t('recordings.download')}
      </Button>
      {open && (
        <WithReason title={t('recordings.download_title')} go={t('recordings.download_go')} step={taken} onClose={() => setOpen(false)}>
          <p>{t('recordings.download_hint')}</p>
          <RadioInput label={t('recordings.format')} value={format} choices={formats} onChange={setFormat} />
        </WithReason>
      )}
    </>
  );
}

export function Delete({ id, onGone }: { id: string; onGone: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const deleted = useMutation({
    mutationFn: (reason: string) => api('DELETE', `/recordings/${encodeURIComponent(id)}`, { body: { reason } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: KEYS.recordings });
      onGone();
    },
  });
  return (
    <>
      <Button look="danger" onPress={() => setOpen(true)}>
        <Icon name="remove" />
        {t('recordings.delete')}
      </Button>
      {open && (
        <WithReason title={t('recordings.delete_title')} go={t('recordings.delete_go')} look="danger" step={deleted} onClose={() => setOpen(false)}>
          <p>{t('recordings.delete_hint')}</p>
        </WithReason>
      )}
    </>
  );
}
