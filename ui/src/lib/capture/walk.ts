/**
 * The walk of an Advanced widget (Next and Back).
 * Owns: the stops, their order, which tab each lies on.
 * Never: decides what listens; that is asked of the server.
 */
import type { CaptureState, CaptureView, Field } from '../api/types';

export type Stop = 'demographic' | 'payment' | Field | 'status';
export type TabName = 'demographic' | 'payment' | 'status';

/** Next so soon after an automatic move was meant for the field before; it is ignored. */
export const AUTO_MOVE_GUARD_MS = 1_000;

export type Walk = { stop: Stop; movedByItselfAt: number };

export function stopsOf(view: CaptureView): Stop[] {
  return ['demographic', 'payment', ...view.fields.map((row) => row.field), 'status'];
}

export function tabOf(stop: Stop): TabName {
  return stop === 'demographic' || stop === 'status' ? stop : 'payment';
}

export function fieldOf(stop: Stop): Field | undefined {
  return stop === 'demographic' || stop === 'payment' || stop === 'status' ? undefined : stop;
}

/** The stop that a click on a tab leads to: on Payment, the field that listens. */
export function stopOfTab(tab: TabName, view: CaptureView): Stop {
  return tab === 'payment' ? (view.listening ?? 'payment') : tab;
}

/** Where a page that was just loaded stands. */
export function firstStop(view: CaptureView): Stop {
  if (isPastCapture(view.state)) return 'status';
  return view.listening ?? 'demographic';
}

export function next(walk: Walk, view: CaptureView, now: number): Walk {
  if (now - walk.movedByItselfAt < AUTO_MOVE_GUARD_MS) return walk;
  return step(walk, view, 1);
}

export function back(walk: Walk, view: CaptureView): Walk {
  return step(walk, view, -1);
}

function step(walk: Walk, view: CaptureView, by: 1 | -1): Walk {
  const stops = stopsOf(view);
  const stop = stops[stops.indexOf(walk.stop) + by];
  return stop === undefined ? walk : { ...walk, stop };
}

/** The server moved on: a page that stands at a capture stop follows the field that listens now, and the outcome. */
export function follow(walk: Walk, before: CaptureView, after: CaptureView, now: number): Walk {
  if (isPastCapture(after.state)) return walk.stop === 'status' ? walk : { stop: 'status', movedByItselfAt: now };
  if (isPastCapture(before.state)) return { stop: after.listening ?? 'payment', movedByItselfAt: now };
  const listening = after.listening;
  const moved = listening && listening !== before.listening && listening !== walk.stop;
  return moved && fieldOf(walk.stop) ? { stop: listening, movedByItselfAt: now } : walk;
}

const PAST_CAPTURE: readonly CaptureState[] = ['processing', 'approved', 'declined', 'review', 'error', 'not_sent', 'unknown', 'checking'];

/** From Process Payment on, Status is what counts. */
export function isPastCapture(state: CaptureState): boolean {
  return PAST_CAPTURE.includes(state);
}
