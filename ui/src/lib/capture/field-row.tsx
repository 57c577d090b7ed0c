/** One field that the consumer keys: dots, state, what can be done. */
import { useId, useRef } from 'react';
import type { CaptureView, Field, FieldView } from '../api/types';
import { Button, Chip, Icon } from '../controls';
import type { IconName } from '../controls';
import { T, useT } from '../i18n';
import css from './capture.module.css';
import { grouped, groupsOf } from './grouping';
import { BRAND_NAMES, FIELD_NAMES, stateText } from './words';

const ICONS: Record<FieldView['state'], IconName | undefined> = {
  idle: undefined,
  waiting: 'right',
  keying: 'right',
  slow: 'clock',
  invalid: 'warning',
  obtained: 'check',
  not_available: 'cross',
  locked: 'lock',
};

export type FieldRowProps = {
  row: FieldView;
  view: CaptureView;
  held: boolean;
  /** Keys can be asked for now. */
  live: boolean;
  value: string | undefined;
  onListen: (field: Field) => void;
  onRecapture: (field: Field) => void;
  onNotAvailable: (field: Field) => void;
  onReveal: (field: Field) => void;
  onConceal: (field: Field) => void;
};

export function FieldRow(props: FieldRowProps) {
  const { row, view, held, value } = props;
  const t = useT();
  const nameId = useId();
  const icon = ICONS[row.state];
  const listens = view.listening === row.field;
  return (
    <div className={css.row} data-state={row.state} data-listening={listens || undefined} role="group" aria-labelledby={nameId} aria-current={listens || undefined}>
      <span className={css.mark}>{icon && <Icon name={icon} />}</span>
      <span className={css.name} id={nameId}>
        <T id={FIELD_NAMES[row.field]} />
      </span>
      <div className={css.middle}>
        <Dots row={row} />
        {value !== undefined && (
          <output className={css.value} data-captured>
            {grouped(row.field, value)}
          </output>
        )}
        <span className={css.said}>{stateText(t, row, view, held)}</span>
        <RowFacts row={row} view={view} shown={value !== undefined} />
      </div>
      <RowActions {...props} />
    </div>
  );
}

/** Decoration: the text beside it says the same. */
function Dots({ row }: { row: FieldView }) {
  const digits = row.expected ?? 0;
  if (digits === 0 || !['waiting', 'keying', 'slow'].includes(row.state)) return null;
  let place = 0;
  return (
    <span className={css.dots} aria-hidden="true">
      {groupsOf(row.field, digits).map((size, group) => (
        <span key={group} className={css.dotGroup}>
          {Array.from({ length: size }, () => {
            place += 1;
            return <i key={place} data-filled={place <= row.count || undefined} />;
          })}
        </span>
      ))}
    </span>
  );
}

function RowFacts({ row, view, shown }: { row: FieldView; view: CaptureView; shown: boolean }) {
  const t = useT();
  const wrong = row.state === 'invalid' || row.state === 'locked';
  const verdict = row.field === 'routing_number' && shown && (
    <Chip tone={wrong ? 'bad' : 'good'} icon={wrong ? 'cross' : 'check'}>
      {t(wrong ? 'row.not_valid' : 'row.valid')}
    </Chip>
  );
  if (wrong) {
    return (
      <>
        {verdict}
        {row.state === 'invalid' && <span className={css.attempt}>{t('row.attempt', { attempt: row.attempt, max: row.attempts_max })}</span>}
      </>
    );
  }
  if (row.state !== 'obtained') return null;
  return (
    <>
      {verdict}
      {row.bank_name && <Chip>{t('row.bank', { name: row.bank_name })}</Chip>}
      {row.brand && <Chip icon="card">{t(BRAND_NAMES[row.brand])}</Chip>}
      {row.last_four && <span data-captured>{t('row.last_four', { digits: row.last_four })}</span>}
      {shown && row.field !== 'security_code' && (
        <span className={css.attempt}>{t('row.hidden_after', { n: view.widget.hide_after_s })}</span>
      )}
    </>
  );
}

function RowActions({ row, view, live, value, onListen, onRecapture, onNotAvailable, onReveal, onConceal }: FieldRowProps) {
  const t = useT();
  const name = t(FIELD_NAMES[row.field]);
  const optional = row.field === 'security_code' && view.widget.security_code_optional;
  const open = row.state === 'idle' || row.state === 'waiting';
  const keyed = row.state === 'keying' || row.state === 'slow';
  const again = row.state === 'invalid' || row.state === 'obtained' || row.state === 'not_available';
  return (
    <div className={css.rowActions}>
      {row.revealable && (row.field === 'security_code' ? (
        <HoldToShow onReveal={() => onReveal(row.field)} onConceal={() => onConceal(row.field)} />
      ) : value === undefined ? (
        <Button size="small" onPress={() => onReveal(row.field)} aria-label={t('row.show_name', { field: name })}>
          {t('row.show')}
        </Button>
      ) : (
        <Button size="small" onPress={() => onConceal(row.field)} aria-label={t('row.hide_name', { field: name })}>
          {t('row.hide')}
        </Button>
      ))}
      {live && optional && open && (
        <Button size="small" onPress={() => onNotAvailable(row.field)}>
          {t('row.make_not_available')}
        </Button>
      )}
      {live && row.state === 'idle' && (
        <Button size="small" onPress={() => onListen(row.field)} aria-label={t('row.ask_name', { field: name })}>
          {t('row.ask')}
        </Button>
      )}
      {live && keyed && (
        <Button size="small" onPress={() => onRecapture(row.field)} aria-label={t('row.clear_name', { field: name })}>
          {t('row.clear')}
        </Button>
      )}
      {live && again && (
        <Button size="small" look={row.state === 'invalid' ? 'primary' : 'plain'} onPress={() => onRecapture(row.field)} aria-label={t('row.again_name', { field: name })}>
          {t('row.again')}
        </Button>
      )}
    </div>
  );
}

/** Shown only while the button is held; gone when the page loses focus. */
function HoldToShow({ onReveal, onConceal }: { onReveal: () => void; onConceal: () => void }) {
  // Not a state: a press by assistive technology begins and ends within one turn.
  const held = useRef(false);
  const release = () => {
    if (held.current) onConceal();
    held.current = false;
  };
  return (
    <Button
      size="small"
      onPressStart={() => {
        held.current = true;
        onReveal();
      }}
      onPressEnd={release}
      onBlur={release}
    >
      <T id="row.hold_to_show" />
    </Button>
  );
}
