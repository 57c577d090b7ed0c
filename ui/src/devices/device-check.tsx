/** Whether microphone and screen can be used here, and what to do where not. Nothing is recorded, and nothing leaves the browser. */
import { useEffect, useRef, useState } from 'react';
import { Button, Notice, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import { measure } from './meter';
import type { Feature, Trouble } from './trouble';
import { troubleBefore, troubleOf } from './trouble';
import { TROUBLES } from './words';
import css from './devices.module.css';

/** Louder than a quiet room. */
const VOICE_MIN = 0.05;

type Found = { trouble: Trouble } | { name: string } | undefined;

export default function DeviceCheck({ onClose }: { onClose: () => void }) {
  const t = useT();
  const microphone = useDevice('microphone', () => navigator.mediaDevices.getUserMedia({ audio: true }));
  const screen = useDevice('display-capture', () => navigator.mediaDevices.getDisplayMedia({ video: true }));
  return (
    <Sheet label={t('devices.title')} open onClose={onClose}>
      <div className={css.check}>
        <h2>{t('devices.title')}</h2>
        <p>{t('devices.hint')}</p>
        <Button onPress={microphone.ask}>{t('devices.microphone')}</Button>
        <Verdict found={microphone.found} feature="microphone" works={(name) => t('devices.microphone_works', { name })} />
        {microphone.stream && <Level stream={microphone.stream} />}
        <Button onPress={screen.ask}>{t('devices.screen')}</Button>
        <Verdict found={screen.found} feature="display-capture" works={() => t('devices.screen_works')} />
        <Button look="primary" onPress={onClose}>
          {t('devices.close')}
        </Button>
      </div>
    </Sheet>
  );
}

/** Asks for a device, and lets it go with the page or when it is asked for again. */
function useDevice(feature: Feature, open: () => Promise<MediaStream>) {
  const [found, setFound] = useState<Found>();
  const [stream, setStream] = useState<MediaStream>();
  useEffect(() => () => stream?.getTracks().forEach((track) => track.stop()), [stream]);
  const ask = async () => {
    setStream(undefined);
    const before = troubleBefore(feature);
    if (before) return setFound({ trouble: before });
    setFound(undefined);
    try {
      const opened = await open();
      setStream(opened);
      setFound({ name: opened.getTracks()[0]?.label ?? '' });
    } catch (error) {
      setFound({ trouble: troubleOf(error, feature) });
    }
  };
  return { found, stream, ask: () => void ask() };
}

function Verdict({ found, feature, works }: { found: Found; feature: Feature; works: (name: string) => string }) {
  const t = useT();
  if (!found) return null;
  if ('name' in found) {
    return (
      <Notice tone="good" role="status">
        {works(found.name)}
      </Notice>
    );
  }
  return (
    <Notice tone="bad" role="alert">
      {t(TROUBLES[found.trouble], { feature })}
    </Notice>
  );
}

function Level({ stream }: { stream: MediaStream }) {
  const t = useT();
  const bar = useRef<HTMLMeterElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(
    () =>
      measure(stream, (level) => {
        if (bar.current) bar.current.value = level;
        if (level > VOICE_MIN) setHeard(true);
      }),
    [stream],
  );
  return (
    <>
      <meter ref={bar} className={css.level} min={0} max={1} aria-label={t('devices.level')} />
      <p role="status">{t(heard ? 'devices.heard' : 'devices.speak')}</p>
    </>
  );
}
