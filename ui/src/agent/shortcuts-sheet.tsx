/** The keys of the agent's page. */
import { Button, Sheet } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import css from './shortcuts.module.css';

/** By where they work; the same keys as `useShortcuts` is given there. */
const KEYS: readonly { place: MessageId; keys: readonly (readonly [keys: string, does: MessageId])[] }[] = [
  {
    place: 'shortcuts.call',
    keys: [
      ['Ctrl+Shift+F', 'call.connect'],
      ['Ctrl+Shift+D', 'shortcuts.dial'],
      ['Ctrl+Shift+L', 'shortcuts.answer'],
      ['Ctrl+Shift+U', 'shortcuts.decline'],
      ['Ctrl+Shift+M', 'call.mute'],
      ['Ctrl+Shift+H', 'call.hold'],
      ['Ctrl+Shift+S', 'call.record'],
      ['Ctrl+Shift+K', 'call.keypad'],
      ['Ctrl+Shift+X', 'call.transfer'],
      ['Ctrl+Shift+E', 'call.end'],
    ],
  },
  {
    place: 'shortcuts.widgets',
    keys: [
      ['Alt+1', 'buttons.card'],
      ['Alt+2', 'buttons.check'],
    ],
  },
  {
    place: 'shortcuts.capture',
    keys: [
      ['Alt+N', 'walk.next'],
      ['Alt+B', 'walk.back'],
      ['Alt+R', 'row.again'],
      ['Ctrl+Enter', 'process.button'],
      ['Esc', 'capture.cancel'],
    ],
  },
];

export default function ShortcutsSheet({ onClose }: { onClose: () => void }) {
  const t = useT();
  return (
    <Sheet label={t('keys.title')} open onClose={onClose}>
      <div className={css.shortcuts}>
        <header>
          <h2>{t('keys.title')}</h2>
          <Button size="small" onPress={onClose}>
            {t('app.close')}
          </Button>
        </header>
        {/* Longer than a narrow window, so that it is scrolled by keys, too. */}
        <div className={css.list} role="group" aria-label={t('keys.title')} tabIndex={0}>
          {KEYS.map(({ place, keys }) => (
            <section key={place}>
              <h3>{t(place)}</h3>
              <dl>
                {keys.map(([key, does]) => (
                  <div key={key}>
                    <dt>
                      <kbd>{key}</kbd>
                    </dt>
                    <dd>{t(does)}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
          <p>{t('shortcuts.hint')}</p>
        </div>
      </div>
    </Sheet>
  );
}
