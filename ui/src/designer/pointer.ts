/** Owns: following a pointer from where it went down. Never: knows what is dragged. */
import type { PointerEvent as ReactPointerEvent } from 'react';

/** Steps of the hand that are no drag yet, in CSS pixels. */
const SLACK_PX = 4;

export type Follower = {
  /** The way from where it went down, and where in the window it is. */
  onMove: (moved: { x: number; y: number; clientX: number; clientY: number }) => void;
  /** Let go, or taken away by the browser or by Esc. Not called for a press without a drag. */
  onEnd: (dropped: boolean) => void;
};

export function follow(down: ReactPointerEvent<HTMLElement>, { onMove, onEnd }: Follower): void {
  if (down.button !== 0) return;
  const { clientX: startX, clientY: startY, pointerId } = down;
  let dragged = false;
  const over = new AbortController();
  const { signal } = over;
  const end = (dropped: boolean) => {
    over.abort();
    if (dragged) onEnd(dropped);
  };
  const on = (name: 'pointermove' | 'pointerup' | 'pointercancel', act: (event: PointerEvent) => void) =>
    window.addEventListener(name, (event) => event.pointerId === pointerId && act(event), { signal });
  on('pointermove', ({ clientX, clientY }) => {
    const [x, y] = [clientX - startX, clientY - startY];
    dragged ||= Math.hypot(x, y) > SLACK_PX;
    if (dragged) onMove({ x, y, clientX, clientY });
  });
  on('pointerup', () => end(true));
  on('pointercancel', () => end(false));
  window.addEventListener('keydown', ({ key }) => key === 'Escape' && end(false), { signal, capture: true });
}
