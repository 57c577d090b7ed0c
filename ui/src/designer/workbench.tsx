/** Palette, canvas and what can be done with the selected tile; on narrow screens the canvas is a list. */
import type { ReactNode } from 'react';
import { useRef, useState } from 'react';
import admin from '../admin/admin.module.css';
import type { Tile } from '../lib/api/types';
import { Button, Icon, RadioInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { Held } from './canvas';
import { Canvas, cellUnder } from './canvas';
import type { TileErrors } from './designer-tab';
import css from './designer.module.css';
import type { TileContent } from './grid';
import { addTile, inReadingOrder, putTile } from './grid';
import type { History } from './history';
import { commit, redo, undo } from './history';
import { Palette } from './palette';
import { TileList } from './tile-list';
import { TileTools } from './tile-tools';
import { tileSentence } from './tile-words';

type Tiles = readonly Tile[];
type Width = 'wide' | 'narrow';

export type WorkbenchProps = {
  history: History<Tiles>;
  hosts: readonly string[];
  problems: TileErrors;
  editable: boolean;
  onHistory: (history: History<Tiles>) => void;
};

export function Workbench(props: WorkbenchProps) {
  const { history, problems, editable } = props;
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<Width>('wide');
  const bench = useBench(props);
  const { held, hold, selected, select, say, change } = bench;
  const tiles = history.now;
  // Read when it is let go, by what was there when it was picked up: no state.
  const dragged = useRef<Held>(undefined);
  const drag = (content: TileContent, x: number, y: number) => {
    const cell = cellUnder(frame.current, x, y);
    dragged.current = cell && addTile(tiles, content, cell);
    hold(dragged.current);
  };
  const drop = (dropped: boolean) => {
    if (dropped && dragged.current) bench.add(dragged.current);
    else hold(undefined);
  };
  return (
    <div className={css.columns} inert={!editable}>
      <Palette tiles={tiles} onAdd={(content) => bench.add(addTile(tiles, content))} onDrag={drag} onDrop={drop} />
      <div className={css.bench} data-width={width}>
        <Toolbar {...props} width={width} onWidth={setWidth} said={bench.said}>
          <ToolsOfSelected {...props} bench={bench} />
        </Toolbar>
        <p id="designer-keys" className={`${admin.hint} ${css.keys}`}>
          {t('designer.keys')}
        </p>
        <Canvas frame={frame} tiles={tiles} held={held} selected={selected} problems={new Set(problems.keys())} onHold={hold} onSelect={select} onChange={change} onSay={say} />
        <TileList tiles={tiles} selected={selected} onSelect={select} onChange={change} />
      </div>
    </div>
  );
}

type Bench = ReturnType<typeof useBench>;

/** What is selected, in the hand and said; each finished step goes into the history. */
function useBench({ history, onHistory }: WorkbenchProps) {
  const t = useT();
  const [selected, select] = useState<number>();
  const [held, hold] = useState<Held>();
  /** A tile that was just added: what it says is asked for at once. */
  const [fresh, setFresh] = useState<number>();
  const [said, say] = useState('');
  const change = (next: Tiles, text?: string) => {
    hold(undefined);
    onHistory(commit(history, inReadingOrder(next)));
    if (text) say(text);
  };
  const add = ({ tiles, id }: Held) => {
    const now = tiles.find((one) => one.id === id);
    change(tiles, now && t('designer.added', { place: tileSentence(t, now) }));
    select(id);
    setFresh(id);
  };
  return { selected, select, held, hold, fresh, asked: () => setFresh(undefined), said, say, change, add };
}

type ToolbarProps = WorkbenchProps & { width: Width; onWidth: (width: Width) => void; said: string; children: ReactNode };

function Toolbar({ history, onHistory, width, onWidth, said, children }: ToolbarProps) {
  const t = useT();
  return (
    <div className={css.tools}>
      <Button size="small" isDisabled={history.past.length === 0} onPress={() => onHistory(undo(history))}>
        <Icon name="undo" />
        {t('designer.undo')}
      </Button>
      <Button size="small" isDisabled={history.future.length === 0} onPress={() => onHistory(redo(history))}>
        {t('designer.redo')}
      </Button>
      {children}
      <span className={admin.spacer} />
      <div className={`${admin.radios} ${css.width}`}>
        <RadioInput
          label={t('preview.width')}
          value={width}
          onChange={onWidth}
          choices={[
            { id: 'wide', label: t('preview.wide') },
            { id: 'narrow', label: t('designer.narrow') },
          ]}
        />
      </div>
      <p className={css.status} role="status">
        {said}
      </p>
    </div>
  );
}

function ToolsOfSelected({ history, hosts, problems, bench: { selected, select, fresh, asked, change } }: WorkbenchProps & { bench: Bench }) {
  const t = useT();
  const tiles = history.now;
  const tile = tiles.find(({ id }) => id === selected);
  if (!tile || tile.content.kind === 'call_bar') return null;
  return (
    <TileTools
      key={tile.id}
      fresh={fresh === tile.id}
      onAsked={asked}
      tile={tile}
      errors={problems.get(tile.id) ?? {}}
      hosts={hosts}
      onPlace={(place) => {
        const next = putTile(tiles, tile.id, place);
        const now = next.find(({ id }) => id === tile.id);
        change(next, now && t('designer.dropped', { place: tileSentence(t, now) }));
      }}
      onContent={(content) => change(tiles.map((one) => (one.id === tile.id ? { ...one, content } : one)))}
      onRemove={() => {
        change(
          tiles.filter((one) => one.id !== tile.id),
          t('designer.removed'),
        );
        select(undefined);
      }}
    />
  );
}
