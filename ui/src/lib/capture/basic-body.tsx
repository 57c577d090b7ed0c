/** Basic: validated values are reflected to the agent; there is no gateway. */
import { useState } from 'react';
import { Button, Notice } from '../controls';
import { useT } from '../i18n';
import css from './capture.module.css';
import type { WidgetProps } from './props';
import { Accepted, CancelQuestion, LineNotices, Prompt, Rows, isLive, promptedRow, useCancel } from './shared-body';
import { useShortcuts } from './shortcuts';

export function BasicBody(props: WidgetProps) {
  const { view, commands, busy, keyboard } = props;
  const t = useT();
  const cancel = useCancel(props);
  const done = useDone(props);
  useShortcuts(
    {
      Escape: cancel.ask,
      'Alt+R': () => {
        const row = promptedRow(view);
        if (row) commands.act({ do: 'recapture', field: row.field });
      },
    },
    keyboard && isLive(view) && !busy,
  );
  if (view.state === 'done') return <Gone {...props} />;
  return (
    <>
      <LineNotices {...props} />
      <Prompt view={view} />
      <Rows {...props} onListen={(field) => commands.act({ do: 'listen', field })} />
      <Accepted view={view} />
      {cancel.asking && <CancelQuestion onYes={cancel.yes} onNo={cancel.no} />}
      {done.asking && (
        <div className={css.question} role="group" aria-label={t('done.incomplete')}>
          <p>{t('done.incomplete')}</p>
          <Button onPress={done.yes}>{t('done.yes')}</Button>
          <Button autoFocus onPress={done.no}>
            {t('done.no')}
          </Button>
        </div>
      )}
      <footer className={css.footer}>
        <Button isDisabled={busy} onPress={cancel.press}>
          {t('capture.cancel')}
        </Button>
        <Button look="primary" isDisabled={busy || !done.possible} onPress={done.press}>
          {t('done.button')}
        </Button>
      </footer>
    </>
  );
}

/** Done works from the first obtained field; with rows missing it asks once. */
function useDone({ view, commands }: WidgetProps) {
  const [asking, setAsking] = useState(false);
  const send = () => {
    setAsking(false);
    commands.act({ do: 'done' });
  };
  return {
    asking,
    possible: view.fields.some((row) => row.state === 'obtained'),
    press: () => (view.missing.length > 0 && !asking ? setAsking(true) : send()),
    yes: send,
    no: () => setAsking(false),
  };
}

/** Values are wiped here; the recorders stay paused until the agent says that no other window shows them. */
function Gone({ view, commands, busy }: WidgetProps) {
  const t = useT();
  const paused = view.protection.some((part) => part.confirmed);
  return (
    <>
      {paused ? (
        <div className={css.question} role="group" aria-label={t('done.gone_question')}>
          <p>
            <strong>{t('done.gone_question')}</strong>
            <br />
            {t('done.still_paused')}
          </p>
          <Button look="primary" isDisabled={busy} onPress={() => commands.act({ do: 'confirm_gone' })}>
            {t('done.gone_yes')}
          </Button>
        </div>
      ) : (
        <>
          <Notice tone="good" role="status">
            <strong>{t('done.captured')}</strong>
          </Notice>
          <footer className={css.footer}>
            <Button look="primary" isDisabled={busy} onPress={() => commands.act({ do: 'close' })}>
              {t('capture.close')}
            </Button>
          </footer>
        </>
      )}
    </>
  );
}
