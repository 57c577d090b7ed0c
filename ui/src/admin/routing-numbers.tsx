/** Routing numbers: those that are refused, and the imported table of bank names. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FileTrigger } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, useRouting } from '../lib/api/queries';
import type { RoutingView } from '../lib/api/types';
import { Button, Notice, TextInput } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';

export function RoutingNumbers({ editable }: { editable: boolean }) {
  const t = useT();
  const { data, error } = useRouting();
  return (
    <section className={css.panel} aria-labelledby="routing-title">
      <h2 id="routing-title">{t('routing.title')}</h2>
      <p className={css.hint}>{t('routing.text')}</p>
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && <Refused key={data.revision} routing={data} editable={editable} />}
      {data && <Banks routing={data} editable={editable} />}
    </section>
  );
}

/** "021000021 Closed in May": what follows the number is the reason. */
export function refusedOf(text: string): { routing: string; reason: string }[] {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.map((line) => {
    const [, routing = '', reason = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    return { routing, reason };
  });
}

/** What the server says of each line, the first of each. */
export function problemsOf(t: Translate, error: unknown): string[] {
  const errors = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  return errors.flatMap(({ field, message }) => {
    const [, list, place] = /^(refused|lines)\[(\d+)\]/.exec(field) ?? [];
    if (!place) return [message];
    return [t('routing.line', { line: Number(place) + (list === 'refused' ? 1 : 0), message })];
  });
}

function Problems({ error }: { error: unknown }) {
  const t = useT();
  if (!error) return null;
  const problems = problemsOf(t, error);
  return (
    <Notice tone="bad" role="alert">
      {problems.length === 0 ? sentenceOf(error) : <ul>{problems.map((problem) => <li key={problem}>{problem}</li>)}</ul>}
    </Notice>
  );
}

function useSaved(send: (given: string) => Promise<RoutingView>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: send, onSuccess: (saved) => queries.setQueryData(KEYS.routing, saved) });
}

function Refused({ routing, editable }: { routing: RoutingView; editable: boolean }) {
  const t = useT();
  const stored = routing.refused.map((one) => `${one.routing} ${one.reason}`).join('\n');
  const [text, setText] = useState(stored);
  const save = useSaved((typed) => api<RoutingView>('PUT', '/routing/refused', { body: { refused: refusedOf(typed), revision: routing.revision } }));
  return (
    <div>
      <TextInput label={t('routing.refused')} value={text} onChange={setText} lines={4} hint={t('routing.refused_hint')} disabled={!editable} />
      <Problems error={save.error} />
      {editable && (
        <Button isDisabled={save.isPending || text === stored} onPress={() => save.mutate(text)}>
          {t('routing.save')}
        </Button>
      )}
    </div>
  );
}

function Banks({ routing, editable }: { routing: RoutingView; editable: boolean }) {
  const t = useT();
  const [file, setFile] = useState<File>();
  const replace = useSaved((csv) => api<RoutingView>('PUT', '/routing/banks', { csv }));
  const { imported_by: name, imported_at: at } = routing;
  return (
    <div>
      <p>
        {t('routing.banks', { n: routing.banks })} {name && at && t('routing.imported', { name, at: dateTimeText(at) })}
      </p>
      {editable && <p className={css.hint}>{t('routing.file_hint')}</p>}
      {editable && (
        <div className={css.tools}>
          <FileTrigger acceptedFileTypes={['.csv', 'text/csv']} onSelect={(files) => setFile(files?.[0])}>
            <Button>{t('routing.choose')}</Button>
          </FileTrigger>
          {file && (
            <Button look="primary" isDisabled={replace.isPending} onPress={() => void file.text().then((text) => replace.mutate(text))}>
              {t('routing.import', { name: file.name })}
            </Button>
          )}
        </div>
      )}
      <Problems error={replace.error} />
      {replace.isSuccess && <Notice tone="good" role="status">{t('routing.import_done')}</Notice>}
    </div>
  );
}
