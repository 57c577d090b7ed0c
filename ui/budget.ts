/**
 * Owns: how much of the page each route loads, compressed, and the bounds of that.
 * Never: lets a build pass that is above one.
 */
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';
import type { Part } from './words.ts';
import { OFFICE_PAGES, PAIRING_PAGES, PHONE_PAGES, RECORDS_PAGES } from './words.ts';

const KB = 1000;
/** What an agent's page loads before it can be used: script, styles, and the largest catalogue's words of the desk. */
const AGENT_MAX = 230 * KB;
/** What any other route adds to that, with the shell of pages that it stands in and the words of the office and of records if it says some. */
const ROUTE_MAX = 60 * KB;
const CATALOGUE = /virtual:words\/[a-z]+\/(desk|office|pairing|phone|records)$/;

type Chunk = Rolldown.OutputChunk;
type Bundle = Rolldown.OutputBundle;

/** Prints the sizes of all routes and fails the build above a bound. */
export function budget(): Plugin {
  return {
    name: 'tonewall-budget',
    apply: 'build',
    writeBundle(_, bundle) {
      const rows = routes(bundle);
      for (const { name, bytes, max } of rows) this.info(`${name.padEnd(16)} ${(bytes / KB).toFixed(1).padStart(6)} kB gzip of ${max / KB} kB`);
      const over = rows.filter(({ bytes, max }) => bytes > max).map(({ name }) => name);
      if (over.length > 0) this.error(`above the bound of what a route may load: ${over.join(', ')}`);
    },
  };
}

function routes(bundle: Bundle) {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
  const agent = chunks.find((chunk) => chunk.isEntry && chunk.name === 'index');
  if (!agent) throw new Error('the bundle has no entry "index"');
  const base = closure(bundle, agent);
  const wordsOf = (part: Part) => Math.max(...chunks.filter((chunk) => partOf(chunk) === part).map((chunk) => sizeOf(bundle, closure(bundle, chunk))));
  const lazy = chunks.filter((chunk) => chunk.isDynamicEntry && !partOf(chunk));
  return [
    { name: 'agent', bytes: sizeOf(bundle, base) + wordsOf('desk'), max: AGENT_MAX },
    ...lazy.map((chunk) => {
      const needed = new Set([...shellsOf(lazy, agent, chunk), chunk].flatMap((one) => [...closure(bundle, one)]));
      const added = [...needed].filter((file) => !base.has(file));
      const words = partsOf(chunk.name).reduce((bytes, part) => bytes + wordsOf(part), 0);
      return { name: chunk.name, bytes: sizeOf(bundle, added) + words, max: ROUTE_MAX };
    }),
  ];
}

/** A page of Configure never stands without the pages' shell, which the agent's page asks for. What a page asks for later, such as a sheet, adds to the page. */
function shellsOf(lazy: readonly Chunk[], agent: Chunk, page: Chunk): Chunk[] {
  return lazy.filter((other) => other.dynamicImports.includes(page.fileName) && agent.dynamicImports.includes(other.fileName));
}

/** The parts of a catalogue that a page loads beside the desk's. */
function partsOf(page: string): Part[] {
  if (RECORDS_PAGES.includes(page)) return ['office', 'records'];
  if (PAIRING_PAGES.includes(page)) return ['pairing'];
  if (PHONE_PAGES.includes(page)) return ['phone'];
  return OFFICE_PAGES.includes(page) ? ['office'] : [];
}

/** Which part of a catalogue it is. */
const partOf = (chunk: Chunk) => CATALOGUE.exec(chunk.facadeModuleId ?? '')?.[1];

/** The files that a chunk cannot start without: what it imports, and their styles. */
function closure(bundle: Bundle, chunk: Chunk, files = new Set<string>()): Set<string> {
  if (files.has(chunk.fileName)) return files;
  files.add(chunk.fileName);
  for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
  for (const name of chunk.imports) {
    const imported = bundle[name];
    if (imported?.type === 'chunk') closure(bundle, imported, files);
  }
  return files;
}

function sizeOf(bundle: Bundle, files: Iterable<string>): number {
  let bytes = 0;
  for (const name of files) {
    const file = bundle[name];
    if (file) bytes += gzipSync(file.type === 'chunk' ? file.code : file.source).length;
  }
  return bytes;
}
