/**
 * Whether calls ring for this agent: ready, not ready with a reason, or at work after a call.
 * Never: decides; the server routes, and says how the agent stands.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { api, sentenceOf } from '../lib/api/client';
import { KEYS, useAvailability } from '../lib/api/queries';
import type { Availability, Wish } from '../lib/api/types';
import { Button, SelectInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { durationText } from '../lib/i18n/format';
import css from './agent.module.css';

const CHOICES = ['ready', 'break', 'meal', 'meeting', 'training', 'other'] as const;
type Choice = (typeof CHOICES)[number];

/** How the agent stands at a time: the work after a call ends by itself. */
export function availabilityAt(availability: Availability, now: number): Availability {
  return availability.state === 'after_call' && availability.until <= now ? { state: 'ready' } : availability;
}

/** How the agent stands now; nothing until the server has said it. */
export function useAvailabilityAt(now: number): Availability | undefined {
  const { data } = useAvailability();
  return data && availabilityAt(data, now);
}

type PresenceProps = { availability: Availability | undefined; now: number; disabled: boolean };

export function Presence({ availability, now, disabled }: PresenceProps) {
  const t = useT();
  const queries = useQueryClient();
  const place = useRef<HTMLDivElement>(null);
  const choose = useMutation({
    mutationFn: (wish: Wish) => api<Availability>('PUT', '/me/availability', { body: wish }),
    onSuccess: (chosen) => queries.setQueryData(KEYS.availability, chosen),
    onError: () => queries.invalidateQueries({ queryKey: KEYS.availability }),
  });
  if (!availability) return null;
  const works = availability.state === 'after_call' ? availability : undefined;
  const choices = CHOICES.map((id: Choice) => ({ id, label: t(`presence.choice.${id}`) }));
  // What is shown stays usable while the server is asked: a control that is disabled loses the keyboard.
  const pick = (id: Choice | 'after_call') => {
    if (id !== 'after_call' && !choose.isPending) choose.mutate(id === 'ready' ? { state: 'ready' } : { state: 'not_ready', reason: id });
  };
  return (
    <div className={css.presence} data-state={availability.state} ref={place}>
      <SelectInput
        label={t('presence.label')}
        spoken
        value={availability.state === 'not_ready' ? availability.reason : availability.state}
        choices={works ? [{ id: 'after_call', label: t('presence.after_call', { time: durationText(works.until - now) }) }, ...choices] : choices}
        onChange={pick}
        disabled={disabled}
      />
      {works && (
        <Button
          size="small"
          isDisabled={disabled}
          onPress={() => {
            // This button goes; the keyboard stays at what is left.
            place.current?.querySelector('button')?.focus();
            pick('ready');
          }}
        >
          {t('presence.be_ready')}
        </Button>
      )}
      {choose.isError && (
        <span className={css.reason} role="alert">
          {sentenceOf(choose.error)}
        </span>
      )}
    </div>
  );
}
