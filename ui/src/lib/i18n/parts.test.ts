import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import type { Part } from '../../../words';
import { OFFICE_PAGES, PAIRING_PAGES, PHONE_PAGES, RECORDS_PAGES, partOf } from '../../../words';
import { sources } from '../../test-sources';
import en from './en.json';

const FILES = new Map(sources(/\.tsx?$/).map(({ path, text }) => [path, text]));
const LAZY = /import\('(\.[^']+)'\)/g;

/** The file that another one means. */
function found(from: string, name: string): string | undefined {
  const path = normalize(join(dirname(from), name));
  return [path, `${path}.ts`, `${path}.tsx`, join(path, 'index.ts'), join(path, 'index.tsx')].find((one) => FILES.has(one));
}

/** A file and what it cannot start without. */
function closure(path: string, files = new Set<string>()): Set<string> {
  if (files.has(path)) return files;
  files.add(path);
  for (const [, name] of FILES.get(path)!.matchAll(/^(?:import|export) (?!type\b)[^;]*?from '(\.[^']+)'/gms)) {
    const next = found(path, name!);
    if (next) closure(next, files);
  }
  return files;
}

/** Ids of words of a part in a text, whole or by their beginning. */
const wordsOf = (part: Part, text: string) => [...text.matchAll(/['"`]([a-z_]+(?:\.[A-Za-z0-9_]+)*\.?)(?=['"`]|\$\{)/g)].map(([, id]) => id!).filter((id) => partOf(id) === part && id.includes('.') && Object.keys(en).some((key) => key.startsWith(id)));

test('a word of the office, and one of records, is found in a text', () => {
  const first = (begin: string) => Object.keys(en).find((key) => key.startsWith(begin))!;
  const text = `t('${first('users.')}'); t(\`right.\${right}\`); t('call.end'); 'users'; t('${first('recordings.')}'); 'problem.recording_runs'`;
  expect(wordsOf('office', text)).toEqual([first('users.'), 'right.']);
  expect(wordsOf('records', text)).toEqual([first('recordings.'), 'problem.recording_runs']);
});

/** What is loaded without the words of a part: pages that none of these load. */
function rootsWithout(loaders: readonly string[]): string[] {
  const lines = [...FILES].flatMap(([path, text]) => text.split('\n').map((line) => ({ path, line })));
  const lazy = lines.filter(({ line }) => !loaders.some((loader) => line.includes(`${loader}(`))).flatMap(({ path, line }) => [...line.matchAll(LAZY)].map(([, name]) => found(path, name!)));
  return ['main.tsx', 'simulator/main.tsx', ...lazy.filter((path) => path !== undefined && !/\.test\./.test(path))] as string[];
}

test.each([
  ['office', ['withOffice', 'withRecords'], 'login/login-page.tsx'],
  ['records', ['withRecords'], 'evidence/payments-page.tsx'],
  ['phone', ['withPhone'], 'phone/phone-door.tsx'],
  ['pairing', ['withPairing'], 'phone/phone-door.tsx'],
] as const)('what is loaded without the words of the part %s says none of them', (part, loaders, among) => {
  const roots = rootsWithout(loaders);
  expect(roots).toContain(among);
  const told = [...new Set(roots.flatMap((root) => [...closure(root)]))].flatMap((path) => wordsOf(part, FILES.get(path)!).map((id) => `${path}: ${id}`));
  expect(told).toEqual([]);
});

test('the pages with words of a part are those that the budget counts them for', () => {
  const pages = (loader: string) => [...FILES.values()].flatMap((text) => [...text.matchAll(new RegExp(`${loader}\\(\\(\\) => import\\('[^']*?([a-z-]+)'\\)\\)`, 'g'))].map(([, name]) => name!)).sort();
  expect(pages('withOffice')).toEqual(OFFICE_PAGES);
  expect(pages('withRecords')).toEqual(RECORDS_PAGES);
  expect(pages('withPhone')).toEqual(PHONE_PAGES);
  expect(pages('withPairing')).toEqual(PAIRING_PAGES);
});
