/**
 * TOML as far as configurations of gateways use it (https://toml.io/en/v1.0.0): tables, arrays of tables, strings of all four kinds, whole numbers, truth values, arrays, inline tables, comments.
 * Never: guesses. What it does not know is refused with its line.
 */
export type TomlValue = string | number | boolean | TomlValue[] | { [key: string]: TomlValue };
export type TomlTable = { [key: string]: TomlValue };

/** Lines are counted from 1. */
export class TomlError extends Error {
  readonly line: number;

  constructor(line: number) {
    super(`line ${line}`);
    this.name = 'TomlError';
    this.line = line;
  }
}

const ESCAPES: Record<string, string> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' };
const BARE = /[A-Za-z0-9_-]+/y;

/** Where reading stands in a text. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text.replaceAll('\r\n', '\n');
  }

  fail(): never {
    throw new TomlError(this.text.slice(0, this.at).split('\n').length);
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  takes(literal: string): boolean {
    const found = this.text.startsWith(literal, this.at);
    if (found) this.at += literal.length;
    return found;
  }

  needs(literal: string): void {
    if (!this.takes(literal)) this.fail();
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  blanks(): void {
    this.match(/[ \t]*/y);
  }

  /** Blanks, comments and line ends. */
  space(): void {
    this.match(/(?:[ \t\n]|#[^\n]*)*/y);
  }

  /** The rest of a line holds nothing more. */
  lineEnd(): void {
    this.match(/[ \t]*(?:#[^\n]*)?/y);
    if (!this.ended) this.needs('\n');
  }
}

/** Reads a document. Throws {@link TomlError}. */
export function parseToml(text: string): TomlTable {
  const cursor = new Cursor(text);
  const root: TomlTable = {};
  const opened = new Set<string>();
  let table = root;
  for (cursor.space(); !cursor.ended; cursor.space()) {
    if (cursor.takes('[[')) {
      const path = keyPath(cursor);
      cursor.needs(']]');
      table = appended(cursor, root, path, opened);
    } else if (cursor.takes('[')) {
      const path = keyPath(cursor);
      cursor.needs(']');
      if (opened.has(path.join('\0'))) cursor.fail();
      opened.add(path.join('\0'));
      table = descend(cursor, root, path);
    } else entry(cursor, table);
    cursor.lineEnd();
  }
  return root;
}

/** A further table of an array that only such heads make. */
function appended(cursor: Cursor, root: TomlTable, path: readonly string[], opened: Set<string>): TomlTable {
  const last = path.at(-1)!;
  const into = descend(cursor, root, path.slice(0, -1));
  const head = `[[${path.join('\0')}`;
  if (!Object.hasOwn(into, last)) {
    opened.add(head);
    define(into, last, []);
  }
  const list = into[last]!;
  if (!opened.has(head) || !Array.isArray(list)) return cursor.fail();
  const table: TomlTable = {};
  list.push(table);
  return table;
}

function entry(cursor: Cursor, table: TomlTable): void {
  const path = keyPath(cursor);
  cursor.needs('=');
  cursor.blanks();
  const last = path.pop()!;
  const into = descend(cursor, table, path);
  if (Object.hasOwn(into, last)) cursor.fail();
  define(into, last, value(cursor));
}

/** An own member, whatever its name. */
function define(table: TomlTable, key: string, of: TomlValue): void {
  Object.defineProperty(table, key, { value: of, enumerable: true, configurable: true, writable: true });
}

function descend(cursor: Cursor, table: TomlTable, path: readonly string[]): TomlTable {
  return path.reduce<TomlTable>((within, key) => {
    if (!Object.hasOwn(within, key)) define(within, key, {});
    const next = within[key]!;
    return typeof next === 'object' && !Array.isArray(next) ? next : cursor.fail();
  }, table);
}

function keyPath(cursor: Cursor): string[] {
  const path: string[] = [];
  do {
    cursor.blanks();
    const quoted = cursor.text[cursor.at] === '"' || cursor.text[cursor.at] === "'";
    path.push(quoted ? string(cursor) : (cursor.match(BARE) ?? cursor.fail()));
    cursor.blanks();
  } while (cursor.takes('.'));
  return path;
}

function value(cursor: Cursor): TomlValue {
  const first = cursor.text[cursor.at];
  if (first === '"' || first === "'") return string(cursor);
  if (cursor.takes('[')) return array(cursor);
  if (cursor.takes('{')) return inlineTable(cursor);
  const word = cursor.match(/[A-Za-z0-9_+-]+/y);
  if (word === 'true' || word === 'false') return word === 'true';
  return word !== undefined && /^[+-]?(?:0|[1-9](?:_?\d)*)$/.test(word) ? Number(word.replaceAll('_', '')) : cursor.fail();
}

function array(cursor: Cursor): TomlValue[] {
  const items: TomlValue[] = [];
  for (cursor.space(); !cursor.takes(']'); cursor.space()) {
    items.push(value(cursor));
    cursor.space();
    if (!cursor.takes(',') && cursor.text[cursor.at] !== ']') cursor.fail();
  }
  return items;
}

function inlineTable(cursor: Cursor): TomlTable {
  const table: TomlTable = {};
  cursor.blanks();
  if (cursor.takes('}')) return table;
  do {
    entry(cursor, table);
    cursor.blanks();
  } while (cursor.takes(','));
  cursor.needs('}');
  return table;
}

function string(cursor: Cursor): string {
  if (cursor.takes('"""')) return lines(cursor, '"""');
  if (cursor.takes("'''")) return lines(cursor, "'''");
  if (cursor.takes("'")) {
    const text = cursor.match(/[^'\n]*/y)!;
    cursor.needs("'");
    return text;
  }
  cursor.needs('"');
  let text = '';
  while (!cursor.takes('"')) text += cursor.match(/[^"\\\n]+/y) ?? escaped(cursor);
  return text;
}

/** Over several lines; the first line end does not count, and a backslash at the end of a line takes it away with the blanks after it. */
function lines(cursor: Cursor, end: string): string {
  cursor.takes('\n');
  let text = '';
  while (!cursor.takes(end)) {
    if (cursor.ended) cursor.fail();
    if (end === '"""' && cursor.text[cursor.at] === '\\') {
      if (cursor.match(/\\[ \t]*\n\s*/y) === undefined) text += escaped(cursor);
    } else text += cursor.match(/[\s\S]/y)!;
  }
  // Quotes that stand before the closing ones belong to the text.
  for (let more = 0; more < 2 && cursor.takes(end[0]!); more += 1) text += end[0];
  return text;
}

function escaped(cursor: Cursor): string {
  cursor.needs('\\');
  const code = cursor.match(/u[\da-fA-F]{4}|U[\da-fA-F]{8}/y);
  if (code) {
    const point = Number.parseInt(code.slice(1), 16);
    return point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff) ? String.fromCodePoint(point) : cursor.fail();
  }
  return ESCAPES[cursor.match(/[\s\S]/y) ?? ''] ?? cursor.fail();
}

/** Writes a document: members first, then tables under their heads. Rows of plain values stay in their place, tables that hold lists get heads of their own. */
export function toToml(table: TomlTable, path: readonly string[] = []): string {
  const entries = Object.entries(table);
  const own = entries.filter(([, of]) => !isTable(of) && !isTables(of)).map(([key, of]) => `${keyText(key)} = ${valueText(of)}`);
  const head = path.length > 0 && own.length > 0 ? [`[${path.map(keyText).join('.')}]`] : [];
  const parts = entries.flatMap(([key, of]) => (isTable(of) ? [toToml(of, [...path, key])] : isTables(of) ? of.map((one) => `[[${[...path, key].map(keyText).join('.')}]]\n${membersText(one)}`) : []));
  return [[...head, ...own].join('\n'), ...parts].filter((part) => part !== '').join('\n\n');
}

const membersText = (table: TomlTable) => Object.entries(table).map(([key, of]) => `${keyText(key)} = ${valueText(of)}`).join('\n');
const isTables = (of: TomlValue): of is TomlTable[] => Array.isArray(of) && of.length > 0 && of.every(isTable) && of.some((one) => Object.values(one).some((member) => typeof member === 'object'));
const isTable = (of: TomlValue): of is TomlTable => typeof of === 'object' && !Array.isArray(of);
const keyText = (key: string) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key));

function valueText(of: TomlValue): string {
  if (typeof of === 'string') return stringText(of);
  if (typeof of !== 'object') return String(of);
  if (!Array.isArray(of)) return `{ ${Object.entries(of).map(([key, member]) => `${keyText(key)} = ${valueText(member)}`).join(', ')} }`;
  if (!of.some(isTable)) return `[${of.map(valueText).join(', ')}]`;
  return `[\n${of.map((item) => `    ${valueText(item)},\n`).join('')}]`;
}

/** Literal where a text has quotes or backslashes and nothing that needs an escape. */
function stringText(text: string): string {
  const plain = !/[\u0000-\u001f\u007f']/.test(text);
  if (plain && /["\\]/.test(text)) return `'${text}'`;
  const escapes = text.replaceAll(/["\\\u0000-\u001f\u007f]/g, (mark) => {
    const short = Object.entries(ESCAPES).find(([, of]) => of === mark)?.[0];
    return short ? `\\${short}` : `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escapes}"`;
}
