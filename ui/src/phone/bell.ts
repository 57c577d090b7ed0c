/** The ring. Owns: its sound, made here, and the audio context it needs. Never: rings by itself. */
import { sendTo } from './peer';

/** Two tones, twice, then a pause: heard above an office, and like no key of a telephone. */
const TONES_HZ = [440, 520] as const;
const BURSTS_S = [0, 0.6] as const;
const BURST_S = 0.4;
const EDGE_S = 0.02;
const ROUND_S = 3;
/** Longer than a call rings. All rounds are laid out at once: timers of a page that nobody sees are late. */
const ROUNDS = 60;

export class Bell {
  #context: AudioContext | undefined;
  #rings: (() => void) | undefined;

  /** To be called from a click: browsers let no page sound before one. */
  wake(): AudioContext {
    this.#context ??= new AudioContext();
    // It is answered at the next click at the latest.
    if (this.#context.state === 'suspended') void this.#context.resume();
    return this.#context;
  }

  /** Whether it can be heard; not before a click. */
  get isAwake(): boolean {
    return this.#context?.state === 'running';
  }

  /** Rings at this device until `stop`. `volume`: 0 to 1. */
  ring(device: string, volume: number): void {
    if (!this.#rings) this.#sound(device, volume, ROUNDS);
  }

  /** One round, for choosing device and volume. */
  once(device: string, volume: number): void {
    this.stop();
    this.#sound(device, volume, 1);
  }

  stop(): void {
    this.#rings?.();
    this.#rings = undefined;
  }

  close(): void {
    this.stop();
    void this.#context?.close();
    this.#context = undefined;
  }

  #sound(device: string, volume: number, rounds: number): void {
    const context = this.wake();
    void sendTo(context, device);
    const gain = context.createGain();
    gain.gain.value = 0;
    gain.connect(context.destination);
    const begin = context.currentTime + EDGE_S;
    const loud = volume / TONES_HZ.length;
    for (let round = 0; round < rounds; round += 1) {
      for (const burst of BURSTS_S) {
        const at = begin + round * ROUND_S + burst;
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(loud, at + EDGE_S);
        gain.gain.setValueAtTime(loud, at + BURST_S - EDGE_S);
        gain.gain.linearRampToValueAtTime(0, at + BURST_S);
      }
    }
    const tones = TONES_HZ.map((hertz) => {
      const tone = context.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(gain);
      tone.start(begin);
      tone.stop(begin + rounds * ROUND_S);
      return tone;
    });
    const silence = () => {
      for (const tone of tones) tone.stop();
      gain.disconnect();
    };
    this.#rings = silence;
    tones[0]?.addEventListener('ended', () => {
      gain.disconnect();
      if (this.#rings === silence) this.#rings = undefined;
    });
  }
}
