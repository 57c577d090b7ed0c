/** The call that the address asks for (`?call=`), as a CTI opens the page. Owns: that it is bound to this agent, or why not. */
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { Button, Notice } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './pairing.module.css';

const REFUSALS: Record<string, MessageId> = {
  not_found: 'pairing.asked.gone',
  invalid_form: 'pairing.asked.no_call',
  call_taken: 'pairing.asked.taken',
  agent_has_call: 'pairing.asked.agent_has_call',
  not_paired: 'pairing.asked.not_paired',
};

type Props = {
  /** What `X-Tonewall-Call` says of it. */
  call: string;
  /** It is bound, or the agent has read why it is not. */
  onDone: () => void;
};

export default function AskedCall({ call, onDone }: Props) {
  const t = useT();
  const { mutate, isError, isPending, error } = useMutation({
    mutationFn: () => api('POST', '/calls/bind', { body: { call: { by: 'tonewall_call', name: call } } }),
    onSuccess: onDone,
  });
  useEffect(() => mutate(), [mutate]);
  const own = error instanceof ApiError ? REFUSALS[error.problem.code ?? ''] : undefined;
  return (
    <div className={css.asked}>
      <span role="status">{isPending && t('pairing.asked.binding')}</span>
      {isError && (
        <Notice tone="warn" role="alert">
          <p>{own ? t(own) : sentenceOf(error)}</p>
          <span className={css.acts}>
            <Button size="small" onPress={() => mutate()}>
              {t('app.retry')}
            </Button>
            <Button size="small" onPress={onDone}>
              {t('app.close')}
            </Button>
          </span>
        </Notice>
      )}
    </div>
  );
}
