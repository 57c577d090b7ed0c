/** What this browser remembers of its phone. Owns: devices, the ring's volume, whether it was on. Never: a device that is not there. */
import { keep, kept } from '../lib/kept';

/** Device ids; empty: the system's own. `volume`: 0 to 1. */
export type Choices = { microphone: string; speaker: string; bell: string; volume: number; notifies: boolean };
export type DeviceKind = 'microphone' | 'speaker' | 'bell';
export type Devices = Record<'microphone' | 'speaker', readonly { id: string; name: string }[]>;

const VOLUME = 0.6;

export function readChoices(): Choices {
  const volume = Number(kept('phone.volume') ?? VOLUME);
  return {
    microphone: kept('phone.microphone') ?? '',
    speaker: kept('phone.speaker') ?? '',
    bell: kept('phone.bell') ?? '',
    volume: volume >= 0 && volume <= 1 ? volume : VOLUME,
    notifies: kept('phone.notifies') === 'yes',
  };
}

export function keepChoices(choices: Choices): void {
  for (const kind of ['microphone', 'speaker', 'bell'] as const) keep(`phone.${kind}`, choices[kind]);
  keep('phone.volume', String(choices.volume));
  keep('phone.notifies', choices.notifies ? 'yes' : 'no');
}

export const wasOn = (): boolean => kept('phone.on') === 'yes';
export const keepOn = (on: boolean): void => keep('phone.on', on ? 'yes' : 'no');

/** What can be chosen. Browsers name devices only to pages that had a microphone. */
export async function listDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const of = (kind: MediaDeviceKind) => all.filter((one) => one.kind === kind && one.label && !SYSTEM.includes(one.deviceId)).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
  return { microphone: of('audioinput'), speaker: of('audiooutput') };
}

/** Chromium's own names for what the system has chosen. */
const SYSTEM = ['', 'default', 'communications'];

/** The chosen microphone if it is there, else the system's. */
export function openMicrophone(device: string): Promise<MediaStream> {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return navigator.mediaDevices.getUserMedia({ audio: device ? { ...audio, deviceId: { ideal: device } } : audio });
}

/** Whether the browser would ask before it hands out the microphone; it counts as asking where it does not say. */
export async function asksForMicrophone(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state !== 'granted';
  } catch {
    return true;
  }
}

const INSTANCE = 'tonewall.phone.instance';

/**
 * The name of this tab, the same after it was loaded anew. It lies in the session's storage only while no page is there, so that a tab that is
 * duplicated gets its own.
 */
export function instanceOfTab(): string {
  const instance = takeInstance() ?? crypto.randomUUID();
  window.addEventListener('pageshow', takeInstance);
  window.addEventListener('pagehide', () => {
    try {
      sessionStorage.setItem(INSTANCE, instance);
    } catch {
      // The tab gets another name, and takes its phone over from itself.
    }
  });
  return instance;
}

function takeInstance(): string | null {
  try {
    const kept = sessionStorage.getItem(INSTANCE);
    sessionStorage.removeItem(INSTANCE);
    return kept;
  } catch {
    return null;
  }
}
