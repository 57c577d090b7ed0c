/**
 * Messages between this page in a frame and the page around it, version 1 (docs/embedding.md).
 * Owns: their closed forms, and what of a call is told.
 * Never: takes what it does not know; tells a digit, a value, or which field was wrong.
 */
import type { CallView, CaptureState, CallState, ConsumerDraft, Field, Outcome, WidgetKind } from '../lib/api/types';
import type { Locale } from '../lib/i18n/locales';
import { LOCALES } from '../lib/i18n/locales';
import type { Theme } from '../lib/theme/theme';
import { THEMES } from '../lib/theme/theme';

export const VERSION = 1;

/** Longest text that is looked at; the server's own limits are below it. */
const TEXT_MAX = 500;
/** More names than a consumer has. */
const VALUES_MAX = 32;

export type Incoming =
  | { type: 'spc.init'; code?: string; locale?: Locale; theme?: Theme }
  | { type: 'spc.customer'; values: ConsumerDraft['values'] }
  | { type: 'spc.amount'; amount: string; currency: string }
  | { type: 'spc.dial'; number: string };

export type Outgoing =
  | { type: 'spc.ready'; signedIn: boolean }
  | { type: 'spc.call'; state: CallState | 'none' }
  | { type: 'spc.capture'; kind: WidgetKind; state: CaptureState; field: Field | null; count: number }
  | { type: 'spc.payment'; outcome: Outcome | 'not_sent'; ref: string }
  | { type: 'spc.customer'; result: Taken }
  | { type: 'spc.amount'; result: Taken }
  | { type: 'spc.dial'; result: 'not_available' }
  | { type: 'spc.resize'; height: number };
/** Which value was refused is not told. */
export type Taken = 'taken' | 'kept_for_the_next_call' | 'refused';

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_MAX;
const oneOf =
  <T extends string>(words: readonly T[]) =>
  (value: unknown): value is T =>
    words.some((word) => word === value);
const isTexts = (value: unknown): value is Record<string, string> => isPlain(value) && Object.keys(value).length <= VALUES_MAX && Object.values(value).every(isText);

/** What each type holds beside `type` and `v`; those after the first list may be left out. */
const FORMS: Record<Incoming['type'], { must: Record<string, (value: unknown) => boolean>; may: Record<string, (value: unknown) => boolean> }> = {
  'spc.init': { must: {}, may: { code: isText, locale: oneOf(LOCALES), theme: oneOf(THEMES) } },
  'spc.customer': { must: { values: isTexts }, may: {} },
  'spc.amount': { must: { amount: isText, currency: isText }, may: {} },
  'spc.dial': { must: { number: isText }, may: {} },
};

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message of the page around this one; undefined: not one that this version knows, whole and without anything else. */
export function parseIncoming(data: unknown): Incoming | undefined {
  if (!isPlain(data) || data.v !== VERSION || typeof data.type !== 'string' || !Object.hasOwn(FORMS, data.type)) return undefined;
  const { v: _, type, ...rest } = data;
  const { must, may } = FORMS[type as Incoming['type']];
  const isRight = ([name, value]: [string, unknown]) => (Object.hasOwn(must, name) ? must[name]?.(value) : Object.hasOwn(may, name) && may[name]?.(value));
  const isWhole = Object.keys(must).every((name) => Object.hasOwn(rest, name));
  return isWhole && Object.entries(rest).every(isRight) ? ({ type, ...rest } as Incoming) : undefined;
}

/** What is told of the call on screen, by type. */
export function toldOf(call: CallView | undefined): Outgoing[] {
  const told: Outgoing[] = [{ type: 'spc.call', state: call?.state ?? 'none' }];
  const capture = call?.capture;
  if (!capture) return told;
  const row = capture.fields.find(({ field }) => field === capture.listening);
  told.push({ type: 'spc.capture', kind: capture.widget.kind, state: capture.state, field: capture.listening ?? null, count: row?.count ?? 0 });
  const { payment } = capture;
  const outcome = payment?.outcome ?? (payment?.not_sent ? 'not_sent' : undefined);
  if (payment && outcome) told.push({ type: 'spc.payment', outcome, ref: payment.reference });
  return told;
}
