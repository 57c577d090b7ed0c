import { expect, test } from 'vitest';
import { BEGUN, SPEAK_MS, TONE_MS, conclude, hear, isOver, partOf } from './trial';

const taken = { ...BEGUN, since: 0 };
const SPEAKS = TONE_MS + 100;
const LISTENS = TONE_MS + SPEAK_MS + 100;
const END = 60_000;

test('its parts follow each other from the moment that the server has taken it', () => {
  expect([partOf(BEGUN, SPEAKS), ...[0, SPEAKS, LISTENS].map((now) => partOf(taken, now))]).toEqual(['connecting', 'tone', 'speak', 'listen']);
  expect([isOver(taken, LISTENS), isOver(taken, END), isOver(BEGUN, END)]).toEqual([false, true, false]);
});

test('who spoke and came back was heard', () => {
  const spoke = hear(taken, SPEAKS, 0.4, 0);
  expect(conclude(hear(spoke, LISTENS, 0, 0.3), END).verdict).toBe('heard');
  expect(conclude(spoke, END).verdict).toBe('not_back');
});

test('the tone is no voice, a quiet room is none, and what comes before it is due is not what came back', () => {
  let trial = hear(taken, 0, 0.9, 0.9);
  trial = hear(trial, SPEAKS, 0.01, 0.9);
  expect(conclude(hear(trial, LISTENS, 0.9, 0.01), END).verdict).toBe('not_spoken');
});

test('without a way for sound there is no path; ended early it says so; a verdict stays', () => {
  expect(conclude(BEGUN, END).verdict).toBe('no_path');
  expect(conclude(taken, SPEAKS).verdict).toBe('stopped');
  expect(conclude({ ...taken, verdict: 'stopped' }, END).verdict).toBe('stopped');
});
