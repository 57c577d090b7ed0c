import { describe, expect, test } from 'vitest';
import type { Effect, Event, State } from './machine';
import { OFF, ringing, speaks, step } from './machine';

/** What becomes of a phone by these events, and every effect on the way. */
function run(events: readonly Event[], from: State = OFF) {
  const done: Effect[] = [];
  const state = events.reduce((before, event) => {
    const [after, effects] = step(before, event);
    done.push(...effects);
    return after;
  }, from);
  return { state, done, names: done.map((effect) => effect.do) };
}

const ON: readonly Event[] = [{ is: 'turn_on', takeOver: false, asks: true }, { is: 'microphone', trouble: undefined }, { is: 'held' }];
const RINGS: readonly Event[] = [...ON, { is: 'rings', call: 'c' }, { is: 'read', call: 'c', offer: 'o', connected: false }, { is: 'linked', call: 'c' }, { is: 'path_open', call: 'c' }];
const UP: readonly Event[] = [...RINGS, { is: 'answer', call: 'c' }, { is: 'answered', call: 'c' }];
const callOf = (state: State) => state.calls[0]!;

describe('turning the phone on', () => {
  test('asks for the microphone, takes the phone, is remembered and keeps it', () => {
    const { state, done } = run([...ON, { is: 'beat_due' }, { is: 'held' }]);
    expect(state.phase).toBe('on');
    expect(done).toEqual([
      { do: 'open_microphone' },
      { do: 'hold', takeOver: false },
      { do: 'remember', on: true },
      { do: 'beat_later' },
      { do: 'hold', takeOver: false },
      { do: 'beat_later' },
    ]);
  });

  test('comes to nothing without a microphone, and says why', () => {
    const { state, names } = run([{ is: 'turn_on', takeOver: false, asks: true }, { is: 'microphone', trouble: 'refused' }]);
    expect([state.phase, state.failure]).toEqual(['off', { what: 'microphone', trouble: 'refused' }]);
    expect(names).not.toContain('hold');
  });

  test('a server that refuses it says why; one that does not answer is asked on', () => {
    expect(run([ON[0]!, ON[1]!, { is: 'hold_refused', sentence: 'No.' }]).state).toMatchObject({ phase: 'off', failure: { sentence: 'No.' } });
    const lost = run([...UP, { is: 'hold_unanswered' }]);
    expect([lost.state.phase, lost.names.at(-1), callOf(lost.state).stage]).toEqual(['unreached', 'beat_later', 'up']);
    expect(run([{ is: 'beat_due' }, { is: 'held' }], lost.state).state.phase).toBe('on');
  });

  test('a press that comes twice counts once', () => {
    expect(run([ON[0]!, ON[0]!]).names).toEqual(['open_microphone']);
    expect(run([...ON, ON[0]!]).names.filter((name) => name === 'open_microphone')).toHaveLength(1);
  });
});

describe('another tab', () => {
  test('that has the phone already is named, and taken over only when asked', () => {
    const found = run([ON[0]!, ON[1]!, { is: 'held_elsewhere' }]);
    expect([found.state.phase, found.state.taken]).toEqual(['elsewhere', false]);
    expect(run([{ is: 'turn_on', takeOver: true, asks: false }], found.state).done).toEqual([{ do: 'hold', takeOver: true }]);
  });

  test.each(['taken', 'held_elsewhere'] as const)('that takes it ends the calls here without ending them there: %s', (is) => {
    const { state, done } = run([{ is }], run(UP).state);
    expect([state.phase, state.taken, state.calls]).toEqual(['elsewhere', true, []]);
    expect(done).toEqual([{ do: 'close', call: 'c' }]);
  });

  test('is not asked again by a beat that was on its way', () => {
    const { state } = run([...ON, { is: 'taken' }]);
    expect(run([{ is: 'beat_due' }, { is: 'held' }], state)).toMatchObject({ done: [], state: { phase: 'elsewhere' } });
  });
});

describe('a call', () => {
  test('is connected while it rings, and the click adds the microphone and answers', () => {
    const { state, names } = run(RINGS);
    expect(ringing(state)?.id).toBe('c');
    expect(names.slice(-3)).toEqual(['read', 'link', 'watch_path']);
    const clicked = run([{ is: 'answer', call: 'c' }], state);
    expect(clicked.done).toEqual([{ do: 'speak', call: 'c' }, { do: 'answer', call: 'c' }]);
    expect([speaks(clicked.state), callOf(clicked.state).stage]).toEqual([true, 'answering']);
    expect(callOf(run([{ is: 'answered', call: 'c' }], clicked.state).state).stage).toBe('up');
  });

  test('that is answered before it is connected is answered as soon as it is, once', () => {
    const early = run([...ON, { is: 'rings', call: 'c' }, { is: 'read', call: 'c', offer: 'o', connected: false }, { is: 'answer', call: 'c' }]);
    expect(early.names).not.toContain('answer');
    expect(run([{ is: 'linked', call: 'c' }, { is: 'answer', call: 'c' }, { is: 'path_open', call: 'c' }], early.state).names).toEqual(['speak', 'answer']);
  });

  test('does not ring before the server has said that it is at this phone', () => {
    const { state } = run([...ON, { is: 'rings', call: 'c' }]);
    expect([ringing(state), speaks(state)]).toEqual([undefined, false]);
    expect(run([{ is: 'answer', call: 'c' }], state).done).toEqual([]);
    expect(run([{ is: 'gone', call: 'c' }], state).state.calls).toEqual([]);
  });

  test('that was answered before the page was loaded anew goes on by itself', () => {
    const { state, names } = run([...ON, { is: 'rings', call: 'c' }, { is: 'read', call: 'c', offer: 'o', connected: true }, { is: 'linked', call: 'c' }]);
    expect(ringing(state)).toBeUndefined();
    expect(names.slice(-2)).toEqual(['speak', 'answer']);
  });

  test('is told of twice and is one call; without the phone it is none', () => {
    expect(run([{ is: 'rings', call: 'c' }], run(RINGS).state).done).toEqual([]);
    expect(run([{ is: 'rings', call: 'c' }]).state.calls).toEqual([]);
  });

  test('that is declined is told to the server; one that is gone is only put away', () => {
    expect(run([{ is: 'decline', call: 'c' }], run(RINGS).state).done).toEqual([{ do: 'decline', call: 'c' }, { do: 'close', call: 'c' }]);
    expect(run([{ is: 'gone', call: 'c' }], run(UP).state)).toMatchObject({ done: [{ do: 'close', call: 'c' }], state: { calls: [] } });
  });

  test('whose answer did not arrive rings on; one that the server refused is over, with a word', () => {
    const answering = run([...RINGS, { is: 'answer', call: 'c' }]).state;
    const lost = run([{ is: 'failed', call: 'c', sentence: 'x', answered: false }], answering);
    expect([ringing(lost.state)?.id, lost.names]).toEqual(['c', ['again_later']]);
    const refused = run([{ is: 'failed', call: 'c', sentence: 'Too late.', answered: true }], answering);
    expect(refused.state).toMatchObject({ calls: [], failure: { sentence: 'Too late.' } });
  });

  test('whose offer did not arrive is asked for again', () => {
    const { state } = run([...ON, { is: 'rings', call: 'c' }, { is: 'failed', call: 'c', sentence: 'x', answered: false }]);
    expect(run([{ is: 'again_due', call: 'c' }], state).done).toEqual([{ do: 'read', call: 'c' }]);
  });

  test('of a try is answered by itself, but not before its sound has a way', () => {
    const begun = run([...ON, { is: 'test_begun', call: 't' }, { is: 'read', call: 't', offer: 'o', connected: false }, { is: 'linked', call: 't' }]);
    expect(begun.names).not.toContain('answer');
    expect(run([{ is: 'path_open', call: 't' }], begun.state).names).toEqual(['speak', 'answer']);
    expect(run([...ON, { is: 'test_refused', sentence: 'No.' }]).state).toMatchObject({ phase: 'on', failure: { sentence: 'No.' } });
  });
});

describe('a call that the agent makes', () => {
  const ASKED = { is: 'rings', call: 'c', dialled: true } as const;
  const READ = { is: 'read', call: 'c', offer: 'o', connected: false } as const;

  test('is taken by itself once the server has the page’s description', () => {
    const read = run([...ON, ASKED, READ]);
    expect([callOf(read.state).stage, read.names.includes('answer')]).toEqual(['answering', false]);
    expect(run([{ is: 'linked', call: 'c' }], read.state).names).toEqual(['speak', 'answer']);
  });

  test('is taken also where that is told after it was read', () => {
    const known = run([...ON, { is: 'rings', call: 'c' }, READ, { is: 'linked', call: 'c' }]).state;
    expect(callOf(known).stage).toBe('ringing');
    const told = run([ASKED], known);
    expect([callOf(told.state).stage, told.names]).toEqual(['answering', ['speak', 'answer']]);
    expect(run([ASKED], told.state).done).toEqual([]);
  });
});

describe('the path', () => {
  test('that is lost is made anew until it is there, and the call stays', () => {
    const lost = run([{ is: 'path_lost', call: 'c', at: 7 }, { is: 'path_lost', call: 'c', at: 9 }], run(UP).state);
    expect([callOf(lost.state).lostAt, callOf(lost.state).stage]).toEqual([7, 'up']);
    expect(lost.names).toEqual(['restart', 'again_later']);
    expect(run([{ is: 'again_due', call: 'c' }], lost.state).names).toEqual(['restart', 'again_later']);
    const found = run([{ is: 'path_open', call: 'c' }], lost.state);
    expect(callOf(found.state)).toMatchObject({ path: 'open', lostAt: undefined });
    expect(run([{ is: 'again_due', call: 'c' }], found.state).done).toEqual([]);
  });

  test('that never came about is blocked, and tried on', () => {
    const dark = run(RINGS.slice(0, -1)).state;
    const blocked = run([{ is: 'path_due', call: 'c' }], dark);
    expect([callOf(blocked.state).path, blocked.names]).toEqual(['blocked', ['again_later']]);
    expect(run([{ is: 'again_due', call: 'c' }], blocked.state).names).toEqual(['restart', 'again_later']);
    expect(callOf(run([{ is: 'path_open', call: 'c' }], blocked.state).state).path).toBe('open');
    expect(callOf(run([{ is: 'path_due', call: 'c' }], run(RINGS).state).state).path).toBe('open');
  });

  test('is made anew on another network, for connected calls', () => {
    expect(run([{ is: 'network_changed' }], run(UP).state).done).toEqual([{ do: 'restart', call: 'c' }]);
    expect(run([...ON, { is: 'rings', call: 'c' }, { is: 'network_changed' }]).names).not.toContain('restart');
  });
});

test('turning the phone off lets everything go, and is remembered', () => {
  const { state, done } = run([{ is: 'turn_off' }], run(RINGS).state);
  expect(state).toEqual(OFF);
  expect(done).toEqual([{ do: 'close', call: 'c' }, { do: 'let_go' }, { do: 'remember', on: false }]);
  expect(run([{ is: 'held' }, { is: 'beat_due' }, { is: 'read', call: 'c', offer: 'o', connected: false }], state)).toMatchObject({ state: OFF, done: [] });
});
