/** Sharing the screen while the call's service wants it recorded: the button, what is recorded now, and why not. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { troubleBefore, troubleOf } from '../../devices/trouble';
import type { Trouble } from '../../devices/trouble';
import { TROUBLES } from '../../devices/words';
import { api } from '../../lib/api/client';
import type { ScreenView } from '../../lib/api/types';
import { Button, Chip, Notice } from '../../lib/controls';
import type { IconName, Tone } from '../../lib/controls';
import type { MessageId } from '../../lib/i18n';
import { useT } from '../../lib/i18n';
import { CONSTRAINTS, ScreenRecorder } from './recorder';
import type { Refusal, Sharing, Wire } from './recorder';
import css from './screen-share.module.css';

const at = (call: string, rest = '') => `/calls/${encodeURIComponent(call)}/screen${rest}`;

const WIRE: Wire = {
  share: (call, body) => api<ScreenView>('POST', at(call), { body }),
  chunk: (call, { bytes, ...place }) => api('POST', at(call, `/chunks?${new URLSearchParams(Object.entries(place).map(([name, value]) => [name, String(value)]))}`), { bytes }),
  acknowledge: (call, body) => api<ScreenView>('POST', at(call, '/acknowledgement'), { body }),
  end: (call, why) => api<ScreenView>('POST', at(call, '/end'), { body: { why } }),
};

const CHIPS: Record<Sharing, { tone: Tone; icon: IconName; state: MessageId }> = {
  on: { tone: 'plain', icon: 'record', state: 'screen.on' },
  paused: { tone: 'warn', icon: 'lock', state: 'screen.paused' },
  off: { tone: 'plain', icon: 'warning', state: 'screen.off' },
};

const REFUSALS = { surface: 'screen.entire', failed: 'screen.failed' } satisfies Record<NonNullable<Refusal>, MessageId>;

/** `view`: the screen of the call on this page, while that lasts. The share is kept when it ends, for the next one. */
export default function ScreenShare({ view }: { view: ScreenView | undefined }) {
  const t = useT();
  const [recorder] = useState(() => new ScreenRecorder(WIRE));
  const { sharing, refusal } = useSyncExternalStore(recorder.subscribe, recorder.snapshot);
  const [trouble, setTrouble] = useState<Trouble>();
  useEffect(() => void recorder.follow(view), [recorder, view]);
  useEffect(() => () => recorder.stop(), [recorder]);
  const start = async () => {
    const before = troubleBefore('display-capture');
    setTrouble(before);
    if (before) return;
    try {
      await recorder.take(await navigator.mediaDevices.getDisplayMedia(CONSTRAINTS));
    } catch (error) {
      setTrouble(troubleOf(error, 'display-capture'));
    }
  };
  const chip = CHIPS[sharing];
  const wrong = trouble ? TROUBLES[trouble] : refusal && REFUSALS[refusal];
  if (!view && sharing === 'off') return null;
  return (
    <section className={css.share} aria-label={t('screen.title')}>
      <span role="status">
        <Chip tone={chip.tone} icon={chip.icon}>
          {t('screen.state', { state: t(chip.state) })}
        </Chip>
      </span>
      {sharing === 'off' ? (
        <>
          <span>{t(view?.ended ? 'screen.ended' : 'screen.wanted')}</span>
          {view?.surfaces === 'entire_screen' && <span>{t('screen.entire')}</span>}
          {view?.required && <span>{t('screen.required')}</span>}
          <Button size="small" onPress={() => void start()}>
            {t('screen.start')}
          </Button>
        </>
      ) : (
        <Button size="small" onPress={() => recorder.stop()}>
          {t('screen.stop')}
        </Button>
      )}
      {sharing === 'off' && wrong && (
        <Notice tone="bad" role="alert">
          {t(wrong, { feature: 'display-capture' })}
        </Notice>
      )}
    </section>
  );
}
