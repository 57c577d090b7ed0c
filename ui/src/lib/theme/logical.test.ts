import { expect, test } from 'vitest';
import { sources } from '../../test-sources';

/** Declarations that name a side of the screen where one of the text is meant: they are wrong in a right-to-left script. */
const PHYSICAL = [
  /(?:^|[\s;{])(?:left|right)\s*:/,
  /(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)\b/,
  /border-(?:top|bottom)-(?:left|right)-radius/,
  /(?:text-align|float|clear)\s*:\s*(?:left|right)\b/,
];

/** Four different values: the second is the right side, the fourth the left one. */
function namesSides(line: string): boolean {
  const values = /(?:^|[\s;{])(?:margin|padding|inset|border-width)\s*:\s*([^;}]+)/.exec(line)?.[1] ?? '';
  const [, right, , left] = values.replaceAll(/\([^)]*\)/g, (call) => call.replaceAll(/\s/g, '')).trim().split(/\s+/);
  return left !== undefined && right !== left;
}

test('styles know start and end, not left and right', () => {
  const found = sources(/\.css$/).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (PHYSICAL.some((pattern) => pattern.test(line)) || namesSides(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test('whatever moves stands still for those who asked for it', () => {
  const moving = sources(/\.css$/).filter(({ text }) => /\b(?:animation|transition)\s*:(?!\s*none)/.test(text));
  const base = sources(/base\.css$/)[0]?.text ?? '';
  expect(base).toMatch(/prefers-reduced-motion: reduce\) \{\s*\*, \*::before, \*::after \{ animation: none !important; transition: none !important; \}/);
  expect(moving.filter(({ text }) => /(?:animation|transition)[^;]*!important/.test(text.replace(base, '')))).toEqual([]);
});

test('colours come from the tokens, so that every theme has them', () => {
  const found = sources(/\.module\.css$/).flatMap(({ path, text }) => (/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/i.exec(text) ?? []).slice(0, 1).map((colour) => `${path}: ${colour}`));
  expect(found).toEqual([]);
});
