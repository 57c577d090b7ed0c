/**
 * Owns: the idempotency key of the attempt that the next press of Process Payment makes.
 * The same attempt keeps its key however often it is pressed or its answer is lost; a refusal or a finished attempt ends it.
 */
import type { CaptureView } from '../api/types';

export class AttemptKeys {
  #attempt = '';
  #key = '';

  /** The key for a press in this view. */
  keyFor(view: CaptureView): string {
    const attempt = [view.id, view.process_left, view.payment?.attempt ?? ''].join('|');
    if (attempt !== this.#attempt || this.#key === '') {
      this.#attempt = attempt;
      this.#key = randomKey();
    }
    return this.#key;
  }

  /** The server refused the press, so nothing was attempted: the next one is a new attempt. */
  refused(): void {
    this.#key = '';
  }
}

/** 128 random bits in hex. `randomUUID` exists in secure contexts only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
