/**
 * Owns: the audio that plays, where it stands, that protected parts are skipped, that a locked page is silent.
 * Never: asks for audio before somebody presses Play, since each playing stands in the trail.
 */
import type { RefObject } from 'react';
import { useEffect, useEffectEvent, useState } from 'react';
import type { RecordingSpan } from '../lib/api/types';
import { behindProtected } from './spans';

/** How often the position is looked at: what is skipped is heard no longer than that. */
const LOOK_MS = 40;

type Source = {
  url: string;
  lengthMs: number;
  spans: readonly RecordingSpan[];
  /** Nobody is at the page: nobody listens. */
  locked: boolean;
  /** Where it stands, in milliseconds; begins where another player of the same recording was. */
  place: RefObject<number>;
};

export type Playback = ReturnType<typeof usePlayback>;

export function usePlayback({ url, lengthMs, spans, locked, place }: Source) {
  const [audio] = useState(() => new Audio());
  const [playing, setPlaying] = useState(false);
  const [failed, setFailed] = useState(false);
  const [positionMs, setPositionMs] = useState(() => Math.min(place.current, lengthMs));
  const [rate, setRate] = useState(1);
  const [skips, setSkips] = useState(true);

  const seek = (ms: number) => {
    const next = Math.min(Math.max(0, ms), lengthMs);
    place.current = next;
    setPositionMs(next);
    // Before anything is loaded this is where playing will begin.
    audio.currentTime = next / 1_000;
  };
  const look = useEffectEvent(() => {
    if (audio.seeking) return;
    const now = audio.currentTime * 1_000;
    const wanted = skips ? behindProtected(spans, now) : now;
    if (wanted > now) return seek(wanted);
    place.current = now;
    setPositionMs(now);
  });

  useEffect(() => {
    audio.preload = 'none';
    audio.src = url;
    audio.currentTime = place.current / 1_000;
    const gone = new AbortController();
    const on = (event: string, then: () => void) => audio.addEventListener(event, then, { signal: gone.signal });
    on('play', () => setPlaying(true));
    on('pause', () => setPlaying(false));
    on('ended', () => setPlaying(false));
    on('error', () => {
      setFailed(true);
      setPlaying(false);
    });
    return () => {
      gone.abort();
      audio.pause();
      audio.removeAttribute('src');
      audio.load();
    };
  }, [audio, url, place]);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [playing]);
  useEffect(() => {
    audio.playbackRate = rate;
    audio.defaultPlaybackRate = rate;
  }, [audio, rate]);
  useEffect(() => {
    if (locked) audio.pause();
  }, [audio, locked]);

  const play = () => {
    if (failed) audio.load();
    setFailed(false);
    const wanted = skips ? behindProtected(spans, place.current) : place.current;
    seek(audio.ended || wanted >= lengthMs ? 0 : wanted);
    audio.play().catch((error: unknown) => {
      // Pressed again before it began.
      if (!(error instanceof DOMException && error.name === 'AbortError')) setFailed(true);
    });
  };
  const by = (ms: number) => seek(place.current + ms);
  return { playing, failed, positionMs, lengthMs, rate, skips, play, rest: () => audio.pause(), seek, by, setRate, setSkips };
}
