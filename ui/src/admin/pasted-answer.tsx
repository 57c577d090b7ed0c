/** An answer that somebody has, judged as one that came. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { Judgement as JudgementView } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetDraft } from './desktop-form';
import { pastedForm } from './trial-form';
import { Judgement } from './trial-verdict';

export function PastedAnswer({ draft }: { draft: WidgetDraft }) {
  const t = useT();
  const [pasted, setPasted] = useState({ status: '200', content_type: '', body: '' });
  const judge = useMutation({ mutationFn: () => api<JudgementView>('POST', '/gateway/verdict', { body: pastedForm(draft, pasted) }) });
  const wrong = judge.error instanceof ApiError ? (judge.error.problem.errors ?? []) : [];
  const errorOf = (name: string) => wrong.find(({ field }) => field === name)?.message;
  const set = (next: Partial<typeof pasted>) => setPasted({ ...pasted, ...next });
  const elsewhere = wrong.filter(({ field }) => !(field in pasted));
  return (
    <fieldset className={css.set}>
      <legend>{t('trial.paste')}</legend>
      <p className={css.hint}>{t('trial.paste_hint')}</p>
      <div className={css.pairs}>
        <TextInput label={t('trial.status')} value={pasted.status} onChange={(status) => set({ status })} error={errorOf('status')} inputMode="numeric" />
        <TextInput label={t('trial.content_type')} value={pasted.content_type} onChange={(content_type) => set({ content_type })} error={errorOf('content_type')} />
      </div>
      <TextInput label={t('trial.body')} value={pasted.body} onChange={(body) => set({ body })} error={errorOf('body')} lines={5} />
      <div className={css.tools}>
        <Button isDisabled={judge.isPending} onPress={() => judge.mutate()}>
          {t('trial.judge')}
        </Button>
      </div>
      <div role="status">{judge.data && !judge.isPending && <Judgement judgement={judge.data} draft={draft} />}</div>
      {judge.error && (wrong.length === 0 || elsewhere.length > 0) && (
        <Notice tone="bad" role="alert">
          {elsewhere.length > 0 ? elsewhere.map(({ field, message }) => <p key={field}>{message}</p>) : sentenceOf(judge.error)}
        </Notice>
      )}
    </fieldset>
  );
}
