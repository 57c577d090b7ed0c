/**
 * One call's connection.
 * Owns: the RTCPeerConnection, the element that plays the customer, the track that is sent.
 * Never: decides; it says how the path stands and does what it is told.
 */
import type { Totals } from './quality';
import { totalsOf } from './quality';

export type PeerHooks = { open: () => void; lost: () => void };

export class Peer {
  readonly #connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
  readonly #player = new Audio();
  #track: MediaStreamTrack | undefined;
  #muted = false;

  constructor(hooks: PeerHooks) {
    const connection = this.#connection;
    connection.addEventListener('track', ({ track }) => {
      this.#player.srcObject = new MediaStream([track]);
    });
    connection.addEventListener('iceconnectionstatechange', () => {
      const state = connection.iceConnectionState;
      if (state === 'connected' || state === 'completed') hooks.open();
      if (state === 'disconnected' || state === 'failed') hooks.lost();
    });
  }

  /** Takes the server's offer without a microphone. The server finds this side by the first packet, so no candidate is waited for. */
  async take(offer: string): Promise<string> {
    const connection = this.#connection;
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    for (const transceiver of connection.getTransceivers()) transceiver.direction = 'sendrecv';
    await connection.setLocalDescription();
    return connection.localDescription?.sdp ?? '';
  }

  /** Another way for the same sound: an offer that begins one. */
  async beginRestart(): Promise<string> {
    this.#connection.restartIce();
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    return this.#connection.localDescription?.sdp ?? '';
  }

  async endRestart(answer: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  /** What the customer hears from now on; nothing: silence. */
  async speak(track: MediaStreamTrack | undefined): Promise<void> {
    this.#track = track;
    if (track) track.enabled = !this.#muted;
    for (const sender of this.#connection.getSenders()) await sender.replaceTrack(track ?? null);
  }

  mute(on: boolean): void {
    this.#muted = on;
    if (this.#track) this.#track.enabled = !on;
  }

  /** Plays at this device; false where the browser wants a click first. */
  async play(device: string): Promise<boolean> {
    await sendTo(this.#player, device);
    return this.#player.play().then(
      () => true,
      () => false,
    );
  }

  /** What is heard of the other side. */
  get heard(): MediaStream | undefined {
    const stream = this.#player.srcObject;
    return stream instanceof MediaStream ? stream : undefined;
  }

  /** When the newest packet of the other side was played, by the page's clock. */
  get newestSound(): number | undefined {
    const [source] = this.#connection.getReceivers().flatMap((receiver) => receiver.getSynchronizationSources());
    return source && source.timestamp - performance.timeOrigin;
  }

  async totals(): Promise<Totals | undefined> {
    return totalsOf((await this.#connection.getStats()).values() as Iterable<Parameters<typeof totalsOf>[0] extends Iterable<infer One> ? One : never>);
  }

  close(): void {
    this.#connection.close();
    this.#player.srcObject = null;
  }
}

type Sinkable = { setSinkId?: (device: string) => Promise<void> };

/** A device that is gone, or a browser that cannot choose, leaves the system's own. */
export async function sendTo(sink: object, device: string): Promise<void> {
  const { setSinkId } = sink as Sinkable;
  await setSinkId?.call(sink, device).catch(() => setSinkId.call(sink, '').catch(() => undefined));
}

/** Whether sound can be sent to a device of choice here. */
export const choosesOutput = (): boolean => 'setSinkId' in HTMLMediaElement.prototype;
