/** A gateway's configuration as a text: taken out without credentials, or taken in once it is seen what it changes. */
import { useState } from 'react';
import { FileTrigger } from 'react-aria-components';
import { Button, Icon, RadioInput, TextInput } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetDraft } from './desktop-form';
import { FormSheet } from './form-sheet';
import type { Format, ReadFailure } from './gateway-file';
import { TEXT_CHARS_MAX, readText, textOf, withGateway } from './gateway-file';
import look from './gateway-more.module.css';
import { WidgetChanges, changesOf } from './widget-changes';

type Way = 'out' | 'in';

export default function GatewayFileSheet({ draft, onTake, onClose }: { draft: WidgetDraft; onTake: (next: WidgetDraft) => void; onClose: () => void }) {
  const t = useT();
  const [way, setWay] = useState<Way>('out');
  const [text, setText] = useState('');
  const read = way === 'in' && text.trim() !== '' ? readText(text) : undefined;
  const next = read && 'gateway' in read ? withGateway(draft, read.gateway) : undefined;
  const rows = next ? changesOf(t, draft, next) : [];
  const take = () => {
    if (!next) return;
    onTake(next);
    onClose();
  };
  return (
    <FormSheet title={t('more.file')} onClose={onClose} submit={way === 'in' ? { label: t('more.file_take'), ready: rows.length > 0, run: take } : undefined}>
      <div className={css.radios}>
        <RadioInput label={t('more.file_way')} value={way} onChange={setWay} choices={(['out', 'in'] as const).map((id) => ({ id, label: t(`more.file_way.${id}`) }))} />
      </div>
      {way === 'out' ? <Out draft={draft} /> : <In text={text} onText={setText} failure={read && 'failure' in read ? read.failure : undefined} />}
      {next && <WidgetChanges rows={rows} />}
    </FormSheet>
  );
}

function Out({ draft }: { draft: WidgetDraft }) {
  const t = useT();
  const [format, setFormat] = useState<Format>('toml');
  const [copied, setCopied] = useState(false);
  const text = textOf(draft, format);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <>
      <p className={css.hint}>{t('more.file_out_hint')}</p>
      <div className={css.radios}>
        <RadioInput
          label={t('more.file_format')}
          value={format}
          onChange={(chosen) => {
            setFormat(chosen);
            setCopied(false);
          }}
          choices={(['toml', 'json'] as const).map((id) => ({ id, label: id.toUpperCase() }))}
        />
      </div>
      <div className={look.code}>
        <TextInput label={t('more.file_text')} value={text} onChange={() => undefined} lines={14} spellCheck="false" readOnly />
      </div>
      <div className={css.tools}>
        <Button onPress={() => void copy()}>
          <Icon name="copy" />
          {t('more.file_copy')}
        </Button>
        <span role="status" className={css.hint}>
          {copied && t('trial.copied')}
        </span>
      </div>
    </>
  );
}

function In({ text, onText, failure }: { text: string; onText: (text: string) => void; failure: ReadFailure | undefined }) {
  const t = useT();
  const choose = async (files: FileList | null) => {
    const file = files?.[0];
    // A larger one is no configuration; its beginning says so as well as all of it.
    if (file) onText(await file.slice(0, TEXT_CHARS_MAX + 1).text());
  };
  return (
    <>
      <p className={css.hint}>{t('more.file_in_hint')}</p>
      <div className={look.code}>
        <TextInput label={t('more.file_text')} value={text} onChange={onText} error={failure && failureText(t, failure)} lines={10} spellCheck="false" autoFocus />
      </div>
      <div className={css.tools}>
        <FileTrigger acceptedFileTypes={['.toml', '.json', 'application/json', 'application/toml']} onSelect={(files) => void choose(files)}>
          <Button>
            <Icon name="in" />
            {t('more.file_choose')}
          </Button>
        </FileTrigger>
      </div>
    </>
  );
}

function failureText(t: Translate, failure: ReadFailure): string {
  switch (failure.why) {
    case 'syntax':
      return t('more.file_wrong.syntax', { n: failure.line });
    case 'unknown':
    case 'shape':
      return t(`more.file_wrong.${failure.why}`, { name: failure.name });
    case 'no_gateway':
    case 'too_long':
      return t(`more.file_wrong.${failure.why}`);
    default:
      return failure satisfies never;
  }
}
