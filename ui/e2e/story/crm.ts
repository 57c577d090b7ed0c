/**
 * A CRM on another site, over https, that shows the agent's page in a frame, and a browser in which both sites have names.
 * Owns: its server, its pages, the certificate of all names, what the frame told it.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Frame, Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import looks from '../../playwright.config';

export const PAY = 'https://pay.test';
export const CRM = 'https://crm.test';
/** A site that the product does not list; its pages are the CRM's. */
export const OTHER = 'https://other.test';

type Message = { v: number; type: string } & Record<string, unknown>;
declare global {
  interface Window {
    told?: { origin: string; data: Message }[];
    say?: (message: Record<string, unknown>) => void;
  }
}

/** What docs/embedding.md shows, with a frame as narrow as a CRM's side panel. `allow`: what the frame may use. */
const page = (allow: string) => `<!doctype html><html lang="en"><title>CRM</title>
<button id="sign-in">Sign in</button>
<iframe title="Payments" src="${PAY}/" width="360" height="720" allow="${allow}"></iframe>
<script>
  const pay = '${PAY}';
  const frame = document.querySelector('iframe');
  window.told = [];
  window.say = (message) => frame.contentWindow.postMessage({ v: 1, ...message }, pay);
  window.addEventListener('message', ({ origin, data }) => {
    if (origin !== pay) return;
    window.told.push({ origin, data });
    if (data.type === 'spc.code') window.say({ type: 'spc.init', code: data.code, theme: 'dark' });
  });
  document.getElementById('sign-in').onclick = () => window.open(pay + '/frame-sign-in?origin=' + encodeURIComponent(location.origin), 'sign-in', 'popup,width=480,height=720');
</script></html>`;

const PAGES: Record<string, string> = {
  '/': page(`microphone ${PAY}; display-capture ${PAY}`),
  '/plain': page(''),
};

type Files = { key: string; certificate: string };

/** Key and certificate of all three names. */
export function certificateIn(folder: string): Files {
  const files = { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
  const names = [PAY, CRM, OTHER].map((origin) => `DNS:${new URL(origin).hostname}`).join(',');
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=story', '-addext', `subjectAltName=${names}`];
  execFileSync('openssl', [...asked, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
}

export class Crm {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ key, certificate }: Files): Promise<Crm> {
    const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
      const text = PAGES[request.url ?? ''];
      response.writeHead(text ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(text ?? '');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Crm(server);
  }

  /** A browser that finds both sites, keeps no cookies for third parties, and has a microphone and a screen to share. */
  async browser(pay: string): Promise<Browser> {
    const crm = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const names = [[PAY, pay], [CRM, crm], [OTHER, crm]].map(([origin, address]) => `MAP ${new URL(origin!).hostname}:443 ${address}`);
    const { executablePath = '', args = [] } = looks.use?.launchOptions ?? {};
    const devices = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];
    return chromium.launch({ executablePath, args: [...args, ...devices, '--test-third-party-cookie-phaseout', `--host-resolver-rules=${names.join(',')}`] });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

/** The product's page inside the CRM's. */
export function inside(page: Page): Frame {
  const frame = page.frames()[1];
  if (!frame) throw new Error('the page shows no frame');
  return frame;
}

/** What the frame told the CRM. */
export async function told(page: Page): Promise<Message[]> {
  return page.evaluate(() => (window.told ?? []).map(({ data }) => data));
}

export async function say(page: Page, message: Record<string, unknown>): Promise<void> {
  await page.evaluate((sent) => window.say?.(sent), message);
}
