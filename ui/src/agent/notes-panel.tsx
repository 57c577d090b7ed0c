/** What the agent notes during a call. It stays in this page and goes with the call: nothing typed here is sent or stored. */
import { TextInput } from '../lib/controls';
import { looksLikeCard } from '../lib/capture/payment-form';
import { useT } from '../lib/i18n';
import css from './agent.module.css';

export function NotesPanel({ text, onText }: { text: string; onText: (text: string) => void }) {
  const t = useT();
  return (
    <section className={css.customer} aria-labelledby="notes-title">
      <h2 id="notes-title">{t('designer.tile.notes')}</h2>
      <TextInput label={t('notes.label')} value={text} onChange={onText} lines={6} maxLength={2_000} error={looksLikeCard(text) ? t('form.card_typed') : undefined} hint={t('notes.hint')} />
    </section>
  );
}
