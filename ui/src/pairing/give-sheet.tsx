/** To whom a call is given; from whom it is taken is said before. */
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { ServiceCall } from '../lib/api/types';
import { Button, Notice, Sheet, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './pairing.module.css';

const REFUSALS: Record<string, MessageId> = {
  not_found: 'pairing.give.gone',
  agent_has_call: 'pairing.give.agent_has_call',
  not_paired: 'pairing.give.not_paired',
};

export function GiveSheet({ call, onClose }: { call: ServiceCall; onClose: () => void }) {
  const t = useT();
  const id = useId();
  const [agent, setAgent] = useState('');
  const give = useMutation({
    mutationFn: () => api('POST', `/calls/${encodeURIComponent(call.id)}/pick`, { body: { agent: agent.trim(), take_away: Boolean(call.agent) } }),
    onSuccess: onClose,
  });
  const { error } = give;
  const problem = error instanceof ApiError ? error.problem : undefined;
  const wrong = problem?.errors?.find(({ field }) => field === 'agent')?.message;
  const own = REFUSALS[problem?.code ?? ''];
  const title = t('pairing.give.title', { caller: call.caller || t('pairing.calls.hidden') });
  return (
    <Sheet label={title} open onClose={onClose}>
      <Form
        className={css.sheet!}
        aria-labelledby={id}
        onSubmit={(event) => {
          event.preventDefault();
          if (!give.isPending) give.mutate();
        }}
      >
        <header>
          <h2 id={id}>{title}</h2>
        </header>
        <div className={css.body}>
          {call.agent && <Notice tone="warn">{t('pairing.give.away', { name: call.agent_name ?? '' })}</Notice>}
          <TextInput label={t('pairing.give.agent')} value={agent} onChange={setAgent} required autoFocus maxLength={64} hint={t('pairing.give.hint')} error={wrong} />
          {error && !wrong && (
            <Notice tone="bad" role="alert">
              {own ? t(own) : sentenceOf(error)}
            </Notice>
          )}
        </div>
        <footer>
          <Button onPress={onClose}>{t('app.close')}</Button>
          <Button look="primary" type="submit" isDisabled={give.isPending || agent.trim() === ''}>
            {t(call.agent ? 'pairing.give.take_away' : 'pairing.give.give')}
          </Button>
        </footer>
      </Form>
    </Sheet>
  );
}
