/** Requests by whoever is signed in at a page, without the page: it would read its lists anew after each. */
import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';

export type Body = Record<string, unknown>;

/** Every request of a list; all of them are taken. The answers. */
export async function send(page: Page, requests: readonly { method: string; path: string; body: Body }[]): Promise<Body[]> {
  const origin = new URL(page.url()).origin;
  const { csrf } = (await (await page.request.get(`${origin}/api/v1/login`)).json()) as { csrf: string };
  const headers = { Origin: origin, 'X-Tonewall-CSRF': csrf };
  const answers: Body[] = [];
  for (const { method, path, body } of requests) {
    const response = await page.request.fetch(`${origin}/api/v1${path}`, { method, headers, data: body });
    const text = await response.text();
    expect(response.ok(), `${method} ${path} ${JSON.stringify(body).slice(0, 200)}: ${text.slice(0, 400)}`).toBe(true);
    answers.push(JSON.parse(text) as Body);
  }
  return answers;
}

export const post = (path: string) => (body: Body) => ({ method: 'POST', path, body });
