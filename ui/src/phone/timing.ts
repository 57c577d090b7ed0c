/** How long an answer takes: marks `phone-answer` (the click), `phone-answered` (the server has it), `phone-sound`, and the measure `phone-answer-to-sound` (User Timing). */
import type { Peer } from './peer';

const LOOK_MS = 10;
/** A customer who is silent for so long is not waited for. */
const LOOKS = 300;

/** From now until the first sound of the other side. */
export function timeAnswer(peer: Pick<Peer, 'newestSound'>): void {
  const { startTime } = performance.mark('phone-answer');
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    const sound = peer.newestSound;
    if (sound !== undefined && sound >= startTime) {
      performance.mark('phone-sound', { startTime: sound });
      performance.measure('phone-answer-to-sound', 'phone-answer', 'phone-sound');
    } else if (looks < LOOKS) return;
    clearInterval(timer);
  }, LOOK_MS);
}
