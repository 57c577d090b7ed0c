/** Says outside the page that a call rings. Owns: the title while it rings, the system's notification. Never: says who calls. */
import { say } from '../lib/i18n/say';

const FLASH_MS = 1_000;

/** Whether the system may say it; `unable` where this browser, or the page around this one, has no notifications. */
export function notifyPermission(): NotificationPermission | 'unable' {
  return 'Notification' in window && window.isSecureContext ? Notification.permission : 'unable';
}

/** To be called from a click. */
export const askToNotify = (): Promise<NotificationPermission> => Notification.requestPermission();

export class Caller {
  #title: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #notification: Notification | undefined;

  begin(notifies: boolean): void {
    if (this.#title !== undefined) return;
    this.#title = document.title;
    document.title = say('phone.rings');
    this.#timer = setInterval(() => {
      document.title = document.title === this.#title ? say('phone.rings') : (this.#title ?? '');
    }, FLASH_MS);
    if (notifies && document.hidden && notifyPermission() === 'granted') this.#notify();
  }

  end(): void {
    if (this.#title === undefined) return;
    clearInterval(this.#timer);
    document.title = this.#title;
    this.#title = undefined;
    this.#notification?.close();
    this.#notification = undefined;
  }

  #notify(): void {
    try {
      const notification = new Notification(say('phone.rings'), { body: say('phone.rings_where'), tag: 'tonewall-call', requireInteraction: true });
      notification.addEventListener('click', () => {
        window.focus();
        notification.close();
      });
      this.#notification = notification;
    } catch {
      // Where only a service worker may, the title and the sound are what there is.
    }
  }
}
