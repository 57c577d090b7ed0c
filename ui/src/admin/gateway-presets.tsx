/** "Start from a preset" of the tab Payment Gateway Config: the way to the list, what is still missing after one was taken, and the way back. */
import { useState } from 'react';
import { Button, Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Errors, WidgetDraft } from './desktop-form';
import GatewayPresetSheet from './gateway-preset-sheet';
import type { Begun } from './preset-form';
import { missingIn } from './preset-form';

export type PresetsProps = {
  draft: WidgetDraft;
  errors: Errors;
  onChange: (next: WidgetDraft) => void;
  onErrors: (errors: Errors) => void;
};

type State = { at: 'rest' } | { at: 'begun'; begun: Begun; before: WidgetDraft; errors: Errors } | { at: 'undone' };

export default function GatewayPresets({ draft, errors, onChange, onErrors }: PresetsProps) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const [state, setState] = useState<State>({ at: 'rest' });
  const take = (begun: Begun) => {
    setState({ at: 'begun', begun, before: draft, errors });
    onChange(begun.draft);
    const asked = begun.missing.map(({ path, what }) => [path, t(`preset.missing.${what}`)]);
    onErrors(Object.fromEntries(asked));
  };
  const undo = () => {
    if (state.at !== 'begun') return;
    const { gateway, numbers } = state.before;
    onChange({ ...draft, gateway, numbers: { ...draft.numbers, ...timesOf(numbers) } });
    onErrors(state.errors);
    setState({ at: 'undone' });
  };
  return (
    <>
      <div className={css.tools}>
        <Button onPress={() => setOpen(true)}>{t('preset.start')}</Button>
        {state.at === 'begun' && <Button onPress={undo}>{t('preset.undo')}</Button>}
      </div>
      <div role="status">
        {state.at === 'begun' && (
          <Notice tone="info">
            <p>{t('preset.begun', { title: state.begun.title, n: missingIn(state.begun, draft).length })}</p>
          </Notice>
        )}
        {state.at === 'undone' && <p className={css.hint}>{t('preset.undone')}</p>}
      </div>
      {open && <GatewayPresetSheet draft={draft} onTake={take} onClose={() => setOpen(false)} />}
    </>
  );
}

/** The numbers of a form that belong to its gateway. */
function timesOf({ connection_timeout_ms, read_timeout_ms }: WidgetDraft['numbers']): WidgetDraft['numbers'] {
  return { ...(connection_timeout_ms === undefined ? {} : { connection_timeout_ms }), ...(read_timeout_ms === undefined ? {} : { read_timeout_ms }) };
}
