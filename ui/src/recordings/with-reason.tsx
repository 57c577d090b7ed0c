/** A question about a recording that is answered with a reason. */
import type { ReactNode } from 'react';
import { useState } from 'react';
import { ApiError, sentenceOf } from '../lib/api/client';
import { looksLikeCard } from '../lib/capture/payment-form';
import { Button, Notice, Question, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { REASON_CHARS, isReason } from '../lib/reason';
import css from './recordings.module.css';

type Step = { mutate: (reason: string) => void; isPending: boolean; error: Error | null };
type Asked = {
  title: string;
  go: string;
  look?: 'primary' | 'danger';
  /** Something else is wrong. */
  isWrong?: boolean;
  step: Step;
  onClose: () => void;
  children: ReactNode;
};

/** What the server says of a field that it refused. */
export const wrongOf = (error: Error | null, name: string) => (error instanceof ApiError ? error.problem.errors?.find(({ field }) => field === name)?.message : undefined);

/** Nothing is sent without a reason, and none with a card number in it. */
export function WithReason({ title, go, look = 'primary', isWrong = false, step, onClose, children }: Asked) {
  const t = useT();
  const [reason, setReason] = useState('');
  const isCard = looksLikeCard(reason);
  const wrong = wrongOf(step.error, 'reason');
  const actions = (
    <>
      <Button onPress={onClose}>{t('widget.cancel')}</Button>
      <Button look={look} isDisabled={!isReason(reason) || isCard || isWrong || step.isPending} onPress={() => step.mutate(reason.trim())}>
        {step.isPending ? t('recordings.pending') : go}
      </Button>
    </>
  );
  return (
    <Question title={title} open onClose={onClose} actions={actions}>
      <div className={css.question}>
        {children}
        <TextInput label={t('recordings.reason')} value={reason} onChange={setReason} lines={2} maxLength={REASON_CHARS.max} required error={isCard ? t('form.card_typed') : wrong} />
        {step.error && !wrong && <Notice tone="bad" role="alert">{sentenceOf(step.error)}</Notice>}
      </div>
    </Question>
  );
}
