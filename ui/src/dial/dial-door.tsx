/**
 * "Dial": calls a number out for this agent.
 * Owns: the field and its refusals, the question before a number that the address names is called, and why the last one was not reached.
 * Never: keeps a number once it is called, or one that may be a card's.
 */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Form, Input, TextField } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { CallView, DialFailure } from '../lib/api/types';
import { useShortcuts } from '../lib/capture/shortcuts';
import { Button, Icon, Notice } from '../lib/controls';
import controls from '../lib/controls/controls.module.css';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { AskedNumber } from './asked-number';
import css from './dial.module.css';
import { askedNumber, forgetNumber, readNumber } from './number';

const REFUSALS: Record<string, MessageId> = {
  agent_has_call: 'dial.refused.agent_has_call',
  agent_no_phone: 'dial.refused.agent_no_phone',
  number_not_allowed: 'dial.refused.number_not_allowed',
  number_is_card: 'dial.problem.card',
  number_malformed: 'dial.problem.malformed',
  busy: 'dial.refused.busy',
};

const FAILURES = {
  agent_phone: 'dial.failed.agent_phone',
  busy: 'dial.failed.busy',
  no_answer: 'dial.failed.no_answer',
  declined: 'dial.failed.declined',
  wrong_number: 'dial.failed.wrong_number',
  unreachable: 'dial.failed.unreachable',
} satisfies Record<DialFailure, MessageId>;

type Props = {
  /** The agent has a call: nothing is dialled beside it. */
  call: CallView | undefined;
  /** The last call out that came to nothing. */
  failed: DialFailure | undefined;
  disabled: boolean;
  /** The agent has read why, or dials anew. */
  onForget: () => void;
};

export default function DialDoor({ call, failed, disabled, onForget }: Props) {
  const t = useT();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<'card' | 'malformed'>();
  const [asked, setAsked] = useState(() => askedNumber(window.location.search));
  const dial = useMutation({
    mutationFn: (number: string) => api('POST', '/calls', { body: { number } }),
    onSuccess: () => setTyped(''),
  });
  // The address shows in the browser's history: the number goes from it at once.
  useEffect(() => {
    if (asked) forgetNumber();
  }, [asked]);
  const change = (text: string) => {
    const read = readNumber(text);
    const isCard = 'problem' in read && read.problem === 'card';
    dial.reset();
    setProblem(isCard ? 'card' : undefined);
    setTyped(isCard ? '' : text);
  };
  const begin = (text: string) => {
    const read = readNumber(text);
    onForget();
    if ('number' in read) {
      setProblem(undefined);
      return dial.mutate(read.number);
    }
    setProblem(read.problem);
    if (read.problem === 'card') setTyped('');
    field.current?.focus();
  };
  useShortcuts({ 'Ctrl+Shift+D': () => field.current?.focus() }, !disabled && !call);
  const own = dial.error instanceof ApiError ? REFUSALS[dial.error.problem.code ?? ''] : undefined;
  const refusal = problem ? t(`dial.problem.${problem}`) : dial.isError ? (own ? t(own) : sentenceOf(dial.error)) : undefined;
  return (
    <>
      {!call && (
        <Form
          className={css.dial!}
          onSubmit={(event) => {
            event.preventDefault();
            if (!disabled && !dial.isPending) begin(typed);
          }}
        >
          <TextField aria-label={t('dial.number')} value={typed} onChange={change} isDisabled={disabled} isInvalid={Boolean(refusal)}>
            <Input ref={field} className={`${controls.input} ${css.number}`} inputMode="tel" autoComplete="off" spellCheck="false" maxLength={60} placeholder={t('dial.number')} aria-keyshortcuts="Control+Shift+D" />
          </TextField>
          <Button size="small" type="submit" isDisabled={disabled || dial.isPending || typed.trim() === ''}>
            <Icon name="phone" />
            {t('dial.dial')}
          </Button>
        </Form>
      )}
      {!call && (refusal ?? failed) && (
        <div className={css.says}>
          <Notice tone={refusal ? 'bad' : 'warn'} role="alert">
            <span>{refusal ?? (failed && t(FAILURES[failed]))}</span>
            <Button
              size="small"
              onPress={() => {
                setProblem(undefined);
                dial.reset();
                onForget();
                field.current?.focus();
              }}
            >
              {t('app.close')}
            </Button>
          </Notice>
        </div>
      )}
      {asked !== undefined && !disabled && (
        <AskedNumber
          text={asked}
          onCall={!!call}
          onDial={(number) => {
            setAsked(undefined);
            begin(number);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
