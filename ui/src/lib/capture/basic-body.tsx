/** Basic: validated values are reflected to the agent; there is no gateway. */
import { useState } from 'react';
import { Button, Notice } from '../controls';
import { useT } from '../i18n';
import css from './capture.module.css';
import type { WidgetProps } from './props';
import { Accepted, CancelQuestion, GoneQuestion, LineNotices, Prompt, Rows, isLive, promptedRow, useCancel } from './shared-body';
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
    possible: isLive(view) && view.fields.some((row) => row.state === 'obtained'),
    press: () => (view.missing.length > 0 && !asking ? setAsking(true) : send()),
    yes: send,
    no: () => setAsking(false),
  };
}

/** Wiped: what follows is the agent's word, then "Captured". */
function Gone(props: WidgetProps) {
  const { view, commands, busy } = props;
  const t = useT();
  if (view.confirm_gone) return <GoneQuestion {...props} />;
  return (
    <>
      <Notice tone="good" role="status">
        <strong>{t('done.captured')}</strong>
      </Notice>
      {view.widget.authorisation_text && (
        <section className={css.question} aria-label={t('consent.title')}>
          <p>{t('consent.read')}</p>
          <q>{view.widget.authorisation_text}</q>
        </section>
      )}
      <footer className={css.footer}>
        <Button look="primary" isDisabled={busy} onPress={() => commands.act({ do: 'close' })}>
          {t('capture.close')}
        </Button>
      </footer>
    </>
  );
}
