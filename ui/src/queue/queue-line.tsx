/** How many callers wait for this agent. Never: says who; supervisors see that. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { QueueView } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';

export default function QueueLine({ now }: { now: number }) {
  const t = useT();
  const { data } = useQuery({ queryKey: KEYS.queue, queryFn: ({ signal }) => api<QueueView>('GET', '/queue', { signal }) });
  if (!data) return null;
  const { waiting, since } = data;
  return (
    <Chip tone={waiting > 0 ? 'warn' : 'plain'} icon="clock">
      {waiting > 0 && since ? t('queue.waiting', { n: waiting, time: durationText(now - since) }) : t('queue.nobody')}
    </Chip>
  );
}
