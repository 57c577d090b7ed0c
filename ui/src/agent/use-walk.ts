/** Owns: where this page stands on the walk, and asking the server to listen there. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CaptureAction, CaptureView } from '../lib/api/types';
import { isLive } from '../lib/capture/shared-body';
import type { Walk } from '../lib/capture/walk';
import { fieldOf, firstStop, follow } from '../lib/capture/walk';
import { isAdvanced } from '../lib/capture/words';

export function useWalk(view: CaptureView, act: (action: CaptureAction) => void) {
  const [walk, setWalk] = useState<Walk>(() => ({ stop: firstStop(view), movedByItselfAt: 0 }));
  const before = useRef<CaptureView | undefined>(undefined);

  useEffect(() => {
    const then = before.current;
    before.current = view;
    if (then) setWalk((stand) => follow(stand, then, view, Date.now()));
    const safeNow = view.state === 'armed' && (!then || then.state === 'arming');
    if (safeNow && !view.listening) {
      const action = firstAction(view, walk);
      if (action) act(action);
    }
    // The walk is read, not followed: only a new view moves it here.
  }, [view, act]);

  const go = useCallback(
    (next: Walk) => {
      setWalk(next);
      if (next.stop === walk.stop) return;
      const action = actionFor(view, next);
      if (action) act(action);
    },
    [act, view, walk.stop],
  );
  return { walk, go };
}

/** The line has just become safe, or was when this page came: Basic asks for its first field, Advanced for the one the agent already stands at. */
function firstAction(view: CaptureView, walk: Walk): CaptureAction | undefined {
  if (isAdvanced(view.widget.kind)) return actionFor(view, walk);
  const first = view.fields[0]?.field;
  return first && { do: 'listen', field: first };
}

/** What the server is told when the agent stands at a stop. */
export function actionFor(view: CaptureView, { stop }: Walk): CaptureAction | undefined {
  if (!isLive(view)) return undefined;
  const field = fieldOf(stop);
  const row = view.fields.find((candidate) => candidate.field === field);
  const wantsKeys = row && (row.state === 'idle' || row.state === 'invalid');
  if (field && wantsKeys && view.listening !== field) return { do: 'listen', field };
  return view.listening && view.listening !== field ? { do: 'rest' } : undefined;
}
