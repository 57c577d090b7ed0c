import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { OFFICE_PAGES, isOffice } from '../../../words';
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

/** Ids of words of the office in a text, whole or by their beginning. */
const officeWords = (text: string) => [...text.matchAll(/['"`]([a-z_]+(?:\.[A-Za-z0-9_]+)*\.?)(?=['"`]|\$\{)/g)].map(([, id]) => id!).filter((id) => isOffice(id) && id.includes('.') && Object.keys(en).some((key) => key.startsWith(id)));

test('a word of the office is found in a text', () => {
  const id = Object.keys(en).find((key) => key.startsWith('users.'))!;
  expect(officeWords(`t('${id}'); t(\`audit_action.\${action}\`); t('call.end'); 'users'`)).toEqual([id, 'audit_action.']);
});

test('what is loaded without the words of the office says none of them', () => {
  const lazy = [...FILES].flatMap(([path, text]) => text.split('\n').filter((line) => !line.includes('withOffice(')).flatMap((line) => [...line.matchAll(LAZY)].map(([, name]) => found(path, name!))));
  const roots = ['main.tsx', 'simulator/main.tsx', ...lazy.filter((path) => path !== undefined && !/\.test\./.test(path))] as string[];
  expect(roots).toContain('login/login-page.tsx');
  const told = [...new Set(roots.flatMap((root) => [...closure(root)]))].flatMap((path) => officeWords(FILES.get(path)!).map((id) => `${path}: ${id}`));
  expect(told).toEqual([]);
});

test('the pages with words of the office are those that the budget counts them for', () => {
  const pages = [...FILES.values()].flatMap((text) => [...text.matchAll(/withOffice\(\(\) => import\('[^']*?([a-z-]+)'\)\)/g)].map(([, name]) => name!));
  expect(pages.sort()).toEqual(OFFICE_PAGES);
});
