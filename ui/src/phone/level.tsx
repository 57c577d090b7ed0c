/** How loud a stream is, as a bar. */
import { useEffect, useRef } from 'react';
import { measure } from '../devices/meter';
import css from './phone.module.css';

export function Level({ label, stream }: { label: string; stream: MediaStream | undefined }) {
  const bar = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    if (!stream) return undefined;
    const element = bar.current;
    const stop = measure(stream, (level) => {
      if (element) element.value = level;
    });
    return () => {
      stop();
      if (element) element.value = 0;
    };
  }, [stream]);
  return (
    <label className={css.level}>
      <span>{label}</span>
      <meter ref={bar} min={0} max={1} />
    </label>
  );
}
