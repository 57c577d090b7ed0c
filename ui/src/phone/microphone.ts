/**
 * The microphone while calls want it.
 * Owns: the stream, and which microphone takes the place of one that is gone. Never: stays open without a call.
 */
import type { Trouble } from '../devices/trouble';
import { troubleOf } from '../devices/trouble';
import { openMicrophone } from './choices';

export type MicrophoneHooks = {
  /** This is heard from now on; nothing: there is none, and why. */
  track: (track: MediaStreamTrack | undefined, trouble: Trouble | undefined) => void;
  /** The one in use is gone, and this one has taken its place. */
  replaced: (name: string) => void;
};

export class Microphone {
  readonly #hooks: MicrophoneHooks;
  #stream: MediaStream | undefined;
  /** Counts what was asked for, so that an answer to something older is let go. */
  #turn = 0;
  #isWanted = false;

  constructor(hooks: MicrophoneHooks) {
    this.#hooks = hooks;
  }

  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#stream?.getAudioTracks()[0];
  }

  /** A call rings or is up. */
  want(device: string): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    void this.#open(device);
  }

  /** Another one was chosen, or the one in use is gone. */
  async change(device: string): Promise<void> {
    if (this.#isWanted) await this.#open(device);
  }

  release(): void {
    this.#isWanted = false;
    this.#turn += 1;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
  }

  async #open(device: string): Promise<void> {
    const turn = (this.#turn += 1);
    const [stream, trouble] = await openMicrophone(device).then(
      (stream) => [stream, undefined] as const,
      (error: unknown) => [undefined, troubleOf(error, 'microphone')] as const,
    );
    if (turn !== this.#turn) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      return;
    }
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = stream;
    // Only a device that goes says so; a track that is stopped here does not.
    this.track?.addEventListener('ended', () => void this.#replace(turn));
    this.#hooks.track(this.track, trouble);
  }

  async #replace(turn: number): Promise<void> {
    if (turn !== this.#turn) return;
    await this.#open('');
    if (this.track) this.#hooks.replaced(this.track.label);
  }
}
