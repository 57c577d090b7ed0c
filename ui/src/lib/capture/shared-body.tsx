/** What Basic and Advanced have in common once the line is protected. */
import { useEffect, useState } from 'react';
import type { CaptureView, Field, FieldView } from '../api/types';
import { Button, Icon, Notice } from '../controls';
import { T, useT, useWritten } from '../i18n';
import css from './capture.module.css';
import { FieldRow } from './field-row';
import type { WidgetProps } from './props';
import { BRAND_NAMES } from './words';

/** Keys can be asked for. */
export function isLive(view: CaptureView): boolean {
  return view.state === 'armed' || view.state === 'collecting' || view.state === 'invalid' || view.state === 'ready';
}

/** The field whose prompt is on screen: the one that listens, else the one chosen, else the next that is missing. */
export function promptedRow(view: CaptureView, chosen?: Field): FieldView | undefined {
  const byName = (field: Field | null | undefined) => view.fields.find((row) => row.field === field);
  const open = view.fields.find((row) => row.state !== 'obtained' && row.state !== 'not_available');
  return byName(view.listening) ?? byName(chosen) ?? open;
}

/** What the agent says. Only for the row that listens: keys that come sooner are not taken. */
export function Prompt({ view }: { view: CaptureView }) {
  const written = useWritten();
  const row = view.fields.find(({ field }) => field === view.listening);
  const asked = row && row.state !== 'obtained' && row.state !== 'not_available';
  if (!isLive(view) || !asked || !row.prompt) return null;
  return (
    <p className={css.prompt}>
      <span className={css.say}>
        <T id="capture.say" />
      </span>
      <q>{written(row.prompt, row.prompts)}</q>
    </p>
  );
}

export function Rows({ view, held, busy, values, commands, onListen }: WidgetProps & { onListen: (field: Field) => void }) {
  const t = useT();
  return (
    <div className={css.rows} role="group" aria-label={t('capture.fields')}>
      {view.fields.map((row) => (
        <FieldRow
          key={row.field}
          row={row}
          view={view}
          held={held}
          live={isLive(view) && !busy && !held}
          value={row.revealable ? values[row.field] : undefined}
          onListen={onListen}
          onRecapture={(field) => commands.act({ do: 'recapture', field })}
          onNotAvailable={(field) => commands.act({ do: 'not_available', field })}
          onReveal={commands.reveal}
          onConceal={commands.conceal}
        />
      ))}
    </div>
  );
}

export function LineNotices({ view, lineSilent, held }: WidgetProps) {
  const t = useT();
  const [seen, setSeen] = useState(view.stray_keys);
  const [listening, setListening] = useState(view.listening);
  if (listening !== view.listening) {
    // A field was asked for since: earlier stray keys are history.
    setListening(view.listening);
    setSeen(view.stray_keys);
  }
  return (
    <>
      {view.state === 'armed' && view.fields.every((row) => row.count === 0) && (
        <p className={css.armed}>
          <Icon name="check" /> <T id="capture.line_protected" />
        </p>
      )}
      {view.reason === 'call_ended' && <Notice tone="warn">{t('capture.call_ended_process')}</Notice>}
      {view.speaking && (
        <Notice tone="warn" role="status">
          {t('speaking.on')}
        </Notice>
      )}
      {held && <Notice tone="warn">{t('row.held')}</Notice>}
      {lineSilent && <Notice tone="warn">{t('capture.line_silent')}</Notice>}
      {view.stray_keys > seen && <Notice tone="warn">{t('capture.stray_keys')}</Notice>}
    </>
  );
}

export function Accepted({ view }: { view: CaptureView }) {
  const t = useT();
  if (view.widget.card_types.length === 0) return null;
  return (
    <p className={css.accepted}>
      {t('capture.accepted')} {view.widget.card_types.map((brand) => t(BRAND_NAMES[brand])).join(' · ')}
    </p>
  );
}

/** "Cancel this capture?" Asked only when something would be lost. */
export function CancelQuestion({ onYes, onNo }: { onYes: () => void; onNo: () => void }) {
  const t = useT();
  return (
    <div className={css.question} role="group" aria-label={t('cancel.question')}>
      <p>{t('cancel.question')}</p>
      <Button look="danger" onPress={onYes}>
        {t('cancel.yes')}
      </Button>
      <Button autoFocus onPress={onNo}>
        {t('cancel.no')}
      </Button>
    </div>
  );
}

/** Cancelling: asked first if anything was keyed. */
export function useCancel({ view, commands }: WidgetProps) {
  const [asking, setAsking] = useState(false);
  const keyed = view.fields.some((row) => row.state === 'obtained' || row.count > 0);
  useEffect(() => {
    if (!isLive(view)) setAsking(false);
  }, [view]);
  return {
    asking,
    ask: () => setAsking(true),
    press: () => (keyed ? setAsking(true) : commands.act({ do: 'cancel' })),
    yes: () => {
      setAsking(false);
      commands.act({ do: 'cancel' });
    },
    no: () => setAsking(false),
  };
}

/** Recorders stay paused until the agent says that no other window shows the value. */
export function GoneQuestion({ commands, busy }: WidgetProps) {
  const t = useT();
  return (
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
  );
}

/** Another person may be on the line. It takes no focus: a key that was meant for a form answers nothing. */
export function PartyQuestion({ commands, busy }: WidgetProps) {
  const t = useT();
  return (
    <div className={css.question} role="group" aria-label={t('party.question')}>
      <p role="alert">
        <strong>{t('party.question')}</strong>
        <br />
        {t('party.why')}
      </p>
      <Button look="primary" isDisabled={busy} onPress={() => commands.act({ do: 'same_person' })}>
        {t('party.same')}
      </Button>
      <Button look="danger" isDisabled={busy} onPress={() => commands.act({ do: 'other_person' })}>
        {t('party.other')}
      </Button>
    </div>
  );
}
