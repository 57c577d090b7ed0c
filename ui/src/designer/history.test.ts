import { describe, expect, it } from 'vitest';
import { begin, commit, isChanged, redo, undo } from './history';

describe('history', () => {
  it('goes back and forth, and a new step ends what was taken back', () => {
    const three = commit(commit(begin('a'), 'b'), 'c');
    expect(undo(undo(three)).now).toBe('a');
    expect(undo(undo(undo(three))).now).toBe('a');
    expect(redo(undo(three)).now).toBe('c');
    expect([isChanged(three), isChanged(undo(undo(three)))]).toEqual([true, false]);
    expect(redo(commit(undo(three), 'd')).now).toBe('d');
  });

  it('keeps a bounded number of steps', () => {
    let history = begin(0);
    for (let step = 1; step <= 150; step++) history = commit(history, step);
    expect(history.past).toHaveLength(100);
    expect(undo(history).now).toBe(149);
  });
});
