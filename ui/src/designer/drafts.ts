/**
 * What is drafted on canvases of designer desktops.
 * Owns: a history for each design, kept while tabs are changed and the desktop's other parts are saved.
 */
import { useState } from 'react';
import type { Bound, DesignerDesktop, Tile } from '../lib/api/types';
import type { History } from './history';
import { begin, isChanged } from './history';

type Tiles = readonly Tile[];
/** Of one design, begun from this revision of it. */
type Draft = { revision: number; history: History<Tiles> };

export type Drafts = {
  /** Which design is shown; none was chosen yet. */
  chosen: string | undefined;
  choose: (id: string | undefined) => void;
  of: (design: DesignerDesktop) => History<Tiles>;
  set: (design: DesignerDesktop, history: History<Tiles>) => void;
  /** The design has another revision with the same tiles. */
  follow: (before: DesignerDesktop, now: DesignerDesktop) => void;
  forget: (id: string) => void;
  /** Something is drafted and not saved. */
  changed: boolean;
  /** What was saved last. */
  bound: Bound | undefined;
  setBound: (bound: Bound | undefined) => void;
};

export function useDrafts(): Drafts {
  const [chosen, choose] = useState<string>();
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft>>(new Map());
  const [bound, setBound] = useState<Bound>();
  const forget = (id: string) => setDrafts((kept) => new Map([...kept].filter(([other]) => other !== id)));
  return {
    chosen,
    choose,
    of: ({ id, revision, tiles }) => {
      const draft = drafts.get(id);
      return draft?.revision === revision ? draft.history : begin<Tiles>(tiles);
    },
    set: ({ id, revision }, history) => {
      setBound(undefined);
      setDrafts((kept) => new Map(kept).set(id, { revision, history }));
    },
    follow: ({ id, revision }, now) =>
      setDrafts((kept) => {
        const draft = kept.get(id);
        return draft?.revision === revision ? new Map(kept).set(id, { ...draft, revision: now.revision }) : kept;
      }),
    forget,
    changed: [...drafts.values()].some(({ history }) => isChanged(history)),
    bound,
    setBound,
  };
}
