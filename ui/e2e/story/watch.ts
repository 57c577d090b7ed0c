/**
 * Everything that reaches a page: frames, answers, document, storage, console.
 * Owns: what was seen, and whether a run of keyed digits is in it.
 * Never: prints such a run; it says where one was.
 */
import type { Page, Response } from '@playwright/test';
import { runsOf } from './cards';

type Seen = { place: string; text: string };

declare global {
  interface Window {
    seenInDocument?: string[];
  }
}

/** Headers that hold a length or a date, and no content. */
const PLAIN_HEADERS = ['content-length', 'date', 'etag', 'last-modified'];
/** What `kept` calls the document's past. */
const BEFORE = 'earlier document';
/** A time in milliseconds within an hour of now is a time. */
const HOUR_MS = 3_600_000;

/** Runs in the page before its own scripts: writes down every text and attribute that ever is in the document. */
function watchDocument(): void {
  const seen: string[] = [];
  window.seenInDocument = seen;
  const note = (node: Node) => {
    if (node instanceof Element) seen.push(node.outerHTML);
    else if (node.nodeValue) seen.push(node.nodeValue);
  };
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === 'childList') record.addedNodes.forEach(note);
      else if (record.type === 'characterData') note(record.target);
      else if (record.target instanceof Element && record.attributeName) seen.push(record.target.getAttribute(record.attributeName) ?? '');
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  window.addEventListener('securitypolicyviolation', (event) => {
    (window as unknown as { policyViolated: (what: string) => void }).policyViolated(`${event.violatedDirective}: ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
  });
}

/** Runs in the page: what it keeps. */
async function kept(): Promise<[string, string][]> {
  const inputs = [...document.querySelectorAll('input, textarea, select')].map((input) => (input as HTMLInputElement).value);
  const store = (storage: Storage) => Array.from({ length: storage.length }, (_, at) => `${storage.key(at)}=${storage.getItem(storage.key(at) ?? '')}`).join('\n');
  const databases = (await indexedDB.databases?.()) ?? [];
  return [
    ['document', document.documentElement.outerHTML],
    ['inputs', inputs.join('\n')],
    ['title and address', `${document.title}\n${location.href}\n${JSON.stringify(history.state)}`],
    ['localStorage', store(localStorage)],
    ['sessionStorage', store(sessionStorage)],
    ['cookies', document.cookie],
    ['databases', databases.map(({ name }) => name).join('\n')],
    ['caches', (await window.caches?.keys())?.join('\n') ?? ''],
    ['window name', window.name],
    ['earlier document', (window.seenInDocument ?? []).join('\n')],
  ];
}

export class Watch {
  readonly seen: Seen[] = [];
  readonly violations: string[] = [];
  readonly errors: string[] = [];
  /** Answers that could not be read; an unread one is an unchecked one. */
  readonly unread: string[] = [];
  frames = 0;
  readonly #page: Page;
  readonly #reading = new Set<Promise<void>>();

  private constructor(page: Page) {
    this.#page = page;
  }

  static async over(page: Page): Promise<Watch> {
    const watch = new Watch(page);
    await page.exposeFunction('policyViolated', (what: string) => watch.violations.push(what));
    await page.addInitScript(watchDocument);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    devtools.on('Network.eventSourceMessageReceived', ({ eventId, eventName, data }) => {
      watch.frames += 1;
      watch.#note(`event ${eventName}`, `${eventId}\n${eventName}\n${data}`);
    });
    page.on('response', (response) => {
      const reading = watch.#read(response).finally(() => watch.#reading.delete(reading));
      watch.#reading.add(reading);
    });
    page.on('console', (message) => {
      watch.#note('console', message.text());
      if (message.type() === 'error') watch.errors.push(message.text());
    });
    page.on('pageerror', (error) => {
      watch.#note('error', `${error.message}\n${error.stack ?? ''}`);
      watch.errors.push(error.message);
    });
    return watch;
  }

  /** Everything seen so far, as one text. */
  async text(): Promise<string> {
    await this.look();
    return this.seen.map(({ text }) => text).join('\n');
  }

  /** Where a run of these digits was seen since the watch began. */
  async placesOf(...keyed: string[]): Promise<string[]> {
    await this.look();
    return placesIn(this.seen, keyed);
  }

  /** Where a run of these digits is at this moment. */
  async placesNow(...keyed: string[]): Promise<string[]> {
    const now = await this.#page.evaluate(kept);
    return placesIn(now.filter(([place]) => place !== BEFORE).map(([place, text]) => ({ place, text: withoutTimes(text) })), keyed);
  }

  /** Looks at the page as it is now. */
  async look(): Promise<void> {
    await Promise.all(this.#reading);
    for (const [place, text] of await this.#page.evaluate(kept)) this.#note(place, text);
  }

  async #read(response: Response): Promise<void> {
    const place = `${response.request().method()} ${new URL(response.url()).pathname}`;
    try {
      const headers = await response.allHeaders();
      const told = Object.entries(headers).filter(([name]) => !PLAIN_HEADERS.includes(name));
      this.#note(place, `${response.url()}\n${told.map((header) => header.join(': ')).join('\n')}`);
      if (headers['content-type']?.startsWith('text/event-stream') || [204, 304].includes(response.status())) return;
      this.#note(place, (await response.body()).toString('utf8'));
    } catch {
      // An answer on its way while the page closes cannot be read.
      this.unread.push(place);
    }
  }

  #note(place: string, text: string): void {
    this.seen.push({ place, text: withoutTimes(text) });
  }
}

function placesIn(seen: readonly Seen[], keyed: readonly string[]): string[] {
  const runs = [...new Set(keyed.flatMap((digits) => runsOf(digits)))];
  const has = (text: string) => runs.some((run) => text.includes(run));
  return [...new Set(seen.filter(({ text }) => has(text)).map(({ place }) => place))];
}

export function withoutTimes(text: string): string {
  return text.replace(/(?<!\d)\d{13}(?!\d)/g, (digits) => (Math.abs(Number(digits) - Date.now()) < HOUR_MS ? 'time' : digits));
}
