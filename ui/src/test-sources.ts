/** The source files of the page, for tests that read them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = import.meta.dirname;

export type Source = { path: string; text: string };

/** Files below src with this ending, by path. */
export function sources(ending: RegExp): Source[] {
  const files = readdirSync(ROOT, { recursive: true, withFileTypes: true }).filter((file) => file.isFile() && ending.test(file.name));
  return files
    .map((file) => join(file.parentPath, file.name))
    .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }))
    .sort((one, other) => one.path.localeCompare(other.path));
}
