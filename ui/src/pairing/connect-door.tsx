/** "Connect to my call", for an agent whose telephone is not of this server. Owns: the button, and the code that is out. Never: shown beside a call; it goes with the sheet when one comes. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { PairingCode } from '../lib/api/types';
import { useShortcuts } from '../lib/capture/shortcuts';
import { Button } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { MessageId } from '../lib/i18n';
import { CodeSheet } from './code-sheet';

const REFUSALS: Record<string, MessageId> = {
  agent_has_call: 'pairing.refused.agent_has_call',
  not_paired: 'pairing.refused.not_paired',
  busy: 'pairing.refused.busy',
};

/** What was refused, and what the agent can do. */
function refusalOf(error: unknown, t: ReturnType<typeof useT>): string {
  const own = error instanceof ApiError ? REFUSALS[error.problem.code ?? ''] : undefined;
  return own ? t(own) : sentenceOf(error);
}

/** `online`: the server is reached; a code that is out stays on screen without it. */
export default function ConnectDoor({ locked, online }: { locked: boolean; online: boolean }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const disabled = locked || !online;
  const ask = useMutation({
    mutationFn: async (instead: PairingCode | undefined) => {
      if (instead) await api('DELETE', '/pairing-code');
      return api<PairingCode>('POST', '/pairing-code');
    },
  });
  // Whoever closes the sheet keys nothing any more. A code that cannot be given back is over in a minute.
  const giveBack = useMutation({ mutationFn: () => api('DELETE', '/pairing-code') });
  const begin = () => {
    setOpen(true);
    ask.mutate(undefined);
  };
  const close = () => {
    setOpen(false);
    if (ask.data) giveBack.mutate();
    ask.reset();
  };
  useShortcuts({ 'Ctrl+Shift+F': begin }, !disabled && !open);
  return (
    <>
      <Button size="small" isDisabled={disabled} aria-keyshortcuts="Control+Shift+F" onPress={begin}>
        {t('call.connect')}
      </Button>
      {open && !locked && <CodeSheet code={ask.data} refusal={ask.isError ? refusalOf(ask.error, t) : undefined} pending={ask.isPending} onAnew={() => ask.mutate(ask.data)} onClose={close} />}
    </>
  );
}
