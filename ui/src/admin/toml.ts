/**
 * Writes TOML as people write configurations of gateways by hand: rows of plain values stay in their place, tables that hold lists get heads of their own.
 * A library reads it: one that writes gives each row of a mapping a head and two lines.
 */
export type TomlValue = string | number | boolean | TomlValue[] | { [key: string]: TomlValue };
export type TomlTable = { [key: string]: TomlValue };

const ESCAPES: Record<string, string> = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

/** A document: members first, then tables under their heads. */
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
    return ESCAPES[mark] ?? `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escapes}"`;
}
