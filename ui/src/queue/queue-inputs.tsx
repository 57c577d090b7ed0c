/** How the callers of a service wait. Owns: its inputs, and the site's sounds. Never: plays one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FileTrigger } from 'react-aria-components';
import css from '../dial/dial.module.css';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { Sound, SoundList } from '../lib/api/types';
import { Button, CheckInput, Notice, RadioInput, SelectInput, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import type { Overflow, QueueDraft } from './queue-form';
import own from './queue.module.css';

const OVERFLOWS = { busy: 'queue.overflow.busy', uri: 'queue.overflow.uri', trunk: 'queue.overflow.trunk' } satisfies Record<Overflow, MessageId>;
const SOUNDS = ['sounds'];

/** `trunks`: those that can be chosen, the stored one among them. */
type Props = { value: QueueDraft; trunks: readonly string[]; onChange: (value: QueueDraft) => void; problem: (field: string) => string | undefined };

export default function QueueInputs({ value, trunks, onChange, problem }: Props) {
  const t = useT();
  const set = <K extends keyof QueueDraft>(name: K) => (next: QueueDraft[K]) => onChange({ ...value, [name]: next });
  const goals = (['busy', 'uri', 'trunk'] as const).filter((to) => to !== 'trunk' || trunks.length > 0);
  return (
    <fieldset className={css.out}>
      <legend>{t('queue.title')}</legend>
      <CheckInput label={t('queue.on')} value={value.on} onChange={set('on')} hint={t('queue.on_hint')} />
      {value.on && (
        <>
          <TextInput label={t('queue.waiting_max')} value={value.waiting} onChange={set('waiting')} inputMode="numeric" maxLength={4} hint={t('queue.waiting_max_hint')} error={problem('queue.waiting_max')} />
          <TextInput label={t('queue.wait')} value={value.wait} onChange={set('wait')} inputMode="numeric" maxLength={4} hint={t('queue.wait_hint')} error={problem('queue.wait_s_max')} />
          <SoundInputs value={value} onChange={onChange} problem={problem} />
          <RadioInput label={t('queue.overflow')} value={value.to} onChange={set('to')} choices={goals.map((id) => ({ id, label: t(OVERFLOWS[id]) }))} hint={t('queue.overflow_hint')} />
          {value.to === 'uri' && (
            <>
              <TextInput label={t('queue.uri')} value={value.uri} onChange={set('uri')} required hint={t('queue.uri_hint')} error={problem('queue.overflow.uri')} />
              <TextInput label={t('queue.address')} value={value.address} onChange={set('address')} required hint={t('queue.address_hint')} error={problem('queue.overflow.address')} />
            </>
          )}
          {value.to === 'trunk' && (
            <>
              <SelectInput label={t('queue.trunk')} value={value.trunk} onChange={set('trunk')} choices={trunks.map((name) => ({ id: name, label: name }))} error={problem('queue.overflow.trunk')} />
              <TextInput label={t('queue.number')} value={value.number} onChange={set('number')} maxLength={40} hint={t('queue.number_hint')} error={problem('queue.overflow.number')} />
            </>
          )}
        </>
      )}
    </fieldset>
  );
}

/** Which of the site's sounds are heard; a file can be added to them, and one that nobody names be taken away. */
function SoundInputs({ value, onChange, problem }: Pick<Props, 'value' | 'onChange' | 'problem'>) {
  const t = useT();
  const queries = useQueryClient();
  const { data, error } = useQuery({ queryKey: SOUNDS, queryFn: ({ signal }) => api<SoundList>('GET', '/sounds', { signal }) });
  const settled = () => queries.invalidateQueries({ queryKey: SOUNDS });
  const add = useMutation({ mutationFn: (file: File) => api<Sound>('POST', `/sounds?${new URLSearchParams({ name: nameOf(file) })}`, { bytes: file }), onSettled: settled });
  const remove = useMutation({ mutationFn: (id: string) => api('DELETE', `/sounds/${encodeURIComponent(id)}`), onSettled: settled });
  const sounds = data?.sounds ?? [];
  const known = sounds.map(({ id, name, seconds }) => ({ id, label: t('queue.sound', { name, time: durationText(seconds * 1_000) }) }));
  const set = (name: 'music' | 'announcement' | 'every') => (next: string) => onChange({ ...value, [name]: next === NONE ? '' : next });
  const unnamed = sounds.filter(({ id }) => id !== value.music && id !== value.announcement);
  const failed = error ?? add.error ?? remove.error;
  return (
    <>
      <SelectInput label={t('queue.music')} value={value.music || NONE} onChange={set('music')} choices={[{ id: NONE, label: t('queue.music_own') }, ...known]} error={problem('queue.music')} />
      <SelectInput label={t('queue.announcement')} value={value.announcement || NONE} onChange={set('announcement')} choices={[{ id: NONE, label: t('queue.announcement_none') }, ...known]} error={problem('queue.announcement')} />
      {value.announcement && <TextInput label={t('queue.every')} value={value.every} onChange={set('every')} inputMode="numeric" maxLength={3} hint={t('queue.every_hint')} error={problem('queue.announce_every_s')} />}
      <div className={own.sounds}>
        <FileTrigger acceptedFileTypes={['.wav', 'audio/wav']} onSelect={(files) => files?.[0] && add.mutate(files[0])}>
          <Button size="small" isDisabled={add.isPending}>
            {t('queue.add')}
          </Button>
        </FileTrigger>
        {unnamed.map(({ id, name }) => (
          <Button key={id} size="small" isDisabled={remove.isPending} onPress={() => remove.mutate(id)}>
            {t('queue.remove', { name })}
          </Button>
        ))}
        <p>{t('queue.add_hint')}</p>
      </div>
      <div role="status">{add.data && t('queue.added', { name: add.data.name })}</div>
      {failed && (
        <Notice tone="bad" role="alert">
          {reasonOf(failed)}
        </Notice>
      )}
    </>
  );
}

/** A choice of a list has an id that is not empty. */
const NONE = '-';

/** The file's name without its ending, as much as a sound's may have. */
export const nameOf = ({ name }: File) => name.replace(/\.[^.]*$/, '').trim().slice(0, 60) || '-';

/** What is wrong with the file, if the server says it. */
function reasonOf(error: unknown): string {
  const said = error instanceof ApiError ? error.problem.errors?.[0]?.message : undefined;
  return said ?? sentenceOf(error);
}
