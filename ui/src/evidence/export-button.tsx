/** Fetches a file that the server makes, and hands it to the browser to keep. */
import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { apiFile, sentenceOf } from '../lib/api/client';
import { Button, Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import { keep } from '../lib/keep-file';
import css from './evidence.module.css';

/** `disabled` says why not. */
export function ExportButton({ label, path, disabled }: { label: string; path: () => string; disabled?: string | undefined }) {
  const t = useT();
  const why = useId();
  const fetched = useMutation({ mutationFn: () => apiFile(path()), onSuccess: ({ name, blob }) => keep(name, blob) });
  return (
    <>
      <Button isDisabled={disabled !== undefined || fetched.isPending} aria-describedby={why} onPress={() => fetched.mutate()}>
        {fetched.isPending ? t('export.pending') : label}
      </Button>
      <span id={why} className={css.hint}>
        {disabled}
      </span>
      {fetched.isError && <Notice tone="bad" role="alert">{sentenceOf(fetched.error)}</Notice>}
    </>
  );
}
