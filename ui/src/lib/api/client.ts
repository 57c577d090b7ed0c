/**
 * Talks to the server.
 * Owns: the CSRF token of this login, the problem+json error.
 * Never: keeps an answer; that is the query cache's work.
 */
import { currentCatalogue } from '../i18n/catalogue';
import { knownId, say } from '../i18n/say';
import type { Problem } from './types';

const BASE = '/api/v1';

/** A refusal by the server, or no answer at all (status 0). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The server certainly did not act: it answered with a refusal. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}

let csrfToken = '';
let onLoggedOut: () => void = () => {};
let onLocked: () => void = () => {};

/** Every unsafe request from now on carries this token. */
export function setCsrf(token: string): void {
  csrfToken = token;
}

/** Called when the server no longer knows this login. */
export function whenLoggedOut(listener: () => void): void {
  onLoggedOut = listener;
}

/** Called when the server says that this browser was idle for too long. */
export function whenLocked(listener: () => void): void {
  onLocked = listener;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
/** `csv`: a file's text, `bytes`: anything, in the place of a JSON body. */
export type RequestOptions = { body?: unknown; csv?: string; bytes?: Blob; headers?: Record<string, string>; signal?: AbortSignal };

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
  if (method !== 'GET') headers['X-Tonewall-CSRF'] = csrfToken;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const request: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
  if (options.body !== undefined) request.body = JSON.stringify(options.body);
  if (options.csv !== undefined) {
    headers['Content-Type'] = 'text/csv';
    request.body = options.csv;
  }
  if (options.bytes !== undefined) {
    headers['Content-Type'] = 'application/octet-stream';
    request.body = options.bytes;
  }
  if (options.signal) request.signal = options.signal;
  const response = await fetch(BASE + path, request).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause;
    throw new ApiError({ title: '', status: 0, code: 'no_answer' });
  });
  if (!response.ok) throw new ApiError(await problemOf(response, path));
  return response;
}

async function problemOf(response: Response, path: string): Promise<Problem> {
  const fallback: Problem = { title: response.statusText, status: response.status, code: 'refused' };
  const problem = await response.json().then(
    (body: unknown) => ({ ...fallback, ...(body as object), status: response.status }) as Problem,
    () => fallback,
  );
  if (problem.code === 'not_logged_in' && path !== '/login') onLoggedOut();
  if (problem.code === 'idle_locked') onLocked();
  return problem;
}

/** Sends a request and reads a JSON answer; an empty one is undefined. */
export async function api<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Sends a request and reads plain text. */
export async function apiText(method: Method, path: string, options: RequestOptions = {}): Promise<string> {
  const response = await send(method, path, { ...options, headers: { Accept: 'text/plain', ...options.headers } });
  return response.text();
}

/** A file that the server makes, with the name that it gives it. */
export async function apiFile(path: string, body?: unknown): Promise<{ name: string; blob: Blob }> {
  const response = await send('POST', path, { body, headers: { Accept: '*/*' } });
  const [, name = 'export'] = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '') ?? [];
  return { name, blob: await response.blob() };
}

/** Problems whose detail names something that an administrator has to know. */
const NAMING = ['in_use', 'taken', 'not_permitted'];

/** What to show of a failure: the page's own sentence for the problem's code, else the server's. In English the server's detail says more. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { code = '', title, detail } = error.problem;
  const own = knownId(`problem.${code}`);
  const particular = detail && detail !== title ? detail : undefined;
  if (!own) return error.message;
  if (!particular) return say(own);
  if (currentCatalogue().locale === 'en') return particular;
  return NAMING.includes(code) ? `${say(own)} (${particular})` : say(own);
}
