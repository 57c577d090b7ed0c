/** An answer that somebody has, judged as one that came. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { Judgement as JudgementView, OperationKind, SavedCase } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetDraft } from './desktop-form';
import type { Pasted } from './trial-form';
import { caseOf, pastedForm } from './trial-form';
import { Judgement } from './trial-verdict';

export function PastedAnswer({ draft, operation, onCase }: { draft: WidgetDraft; /** What was asked; else the payment. */ operation: OperationKind | undefined; onCase: (kept: SavedCase) => void }) {
  const t = useT();
  const [pasted, setPasted] = useState<Pasted>({ status: '200', content_type: '', body: '' });
  const judge = useMutation({ mutationFn: (answer: Pasted) => api<JudgementView>('POST', '/gateway/verdict', { body: pastedForm(draft, answer, operation) }) });
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
        <Button isDisabled={judge.isPending} onPress={() => judge.mutate(pasted)}>
          {t('trial.judge')}
        </Button>
      </div>
      <div role="status">{judge.data && !judge.isPending && <Judgement judgement={judge.data} draft={draft} operation={operation} />}</div>
      {judge.data && judge.variables === pasted && !judge.isPending && <Keep draft={draft} onKeep={(name) => onCase(caseOf(name, pasted, judge.data, operation))} />}
      {judge.error && (wrong.length === 0 || elsewhere.length > 0) && (
        <Notice tone="bad" role="alert">
          {elsewhere.length > 0 ? elsewhere.map(({ field, message }) => <p key={field}>{message}</p>) : sentenceOf(judge.error)}
        </Notice>
      )}
    </fieldset>
  );
}

/** Keeps the answer with what it came to, under a name that is not there yet. */
function Keep({ draft, onKeep }: { draft: WidgetDraft; onKeep: (name: string) => void }) {
  const t = useT();
  const [name, setName] = useState('');
  const [kept, setKept] = useState('');
  const taken = (draft.gateway?.more.cases ?? []).some((one) => one.name === name.trim());
  const keep = () => {
    onKeep(name.trim());
    setKept(name.trim());
    setName('');
  };
  return (
    <>
      <div className={css.tools}>
        <TextInput label={t('cases.name')} value={name} onChange={setName} error={taken ? t('cases.taken') : undefined} maxLength={60} />
        <Button isDisabled={name.trim() === '' || taken} onPress={keep}>
          {t('cases.keep')}
        </Button>
      </div>
      <p role="status" className={css.hint}>
        {kept && t('cases.kept', { name: kept })}
      </p>
    </>
  );
}
