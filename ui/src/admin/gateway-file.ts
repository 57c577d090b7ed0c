/**
 * A gateway's configuration as a text, as presets have it.
 * Owns: what is written, which leaves credentials out, and what is read, member by member.
 * Never: a password, a secret, or a header's value that names nothing.
 */
import { TomlError, parse as parseToml } from 'smol-toml';
import type { GatewayConfig, GatewayOperation, GatewayStep, Mapping, More, Operations, StepOutput } from '../lib/api/types';
import { RESPONSE_TYPES } from './content-types';
import type { GatewayDraft, WidgetDraft } from './desktop-form';
import { FIRST_GATEWAY, gatewayFormOf } from './desktop-form';
import { FIRST_MORE, FIRST_OPERATION, FIRST_STEP, OPERATIONS, VERDICT_LISTS, briefOf, fullOf, operationsOf } from './more-form';
import type { TomlTable, TomlValue } from './toml';
import { toToml } from './toml';

export type Format = 'toml' | 'json';

/** More than any configuration; a larger text is none. */
export const TEXT_CHARS_MAX = 200_000;

/** The configuration without credentials. A header's value that holds no token may be a key, so its place stays and it does not. */
export function textOf(draft: WidgetDraft, format: Format): string {
  const config = gatewayFormOf(draft);
  if (!config) return '';
  const request_headers = (config.request_headers ?? []).map(withoutKey);
  const { more: set = {} as More, ...rest } = config;
  const more = briefOf(fullOf({ ...set, steps: (set.steps ?? []).map(withoutKeys), store: set.store ? withoutKeys(set.store) : null, operations: eachOperation(set.operations ?? {}, (_, operation) => withoutKeys(operation)) }));
  const gateway = { ...without(rest, FIRST_GATEWAY), ...(request_headers.length > 0 ? { request_headers } : {}), ...(Object.keys(more).length > 0 ? { more } : {}) };
  return format === 'json' ? `${JSON.stringify({ gateway }, null, 2)}\n` : `${toToml({ gateway } as TomlTable)}\n`;
}

const withoutKey = ({ name, value }: Mapping): Mapping => ({ name, value: value.includes('{') ? value : '' });
const withoutKeys = <T extends GatewayStep | GatewayOperation>(of: T): T => (of.request_headers ? { ...of, request_headers: of.request_headers.map(withoutKey) } : of);
const eachOperation = (operations: Operations, change: (kind: keyof Operations, operation: GatewayOperation) => GatewayOperation): Operations => Object.fromEntries(operationsOf(operations).map(([kind, operation]) => [kind, change(kind, operation)]));

/** What is as it is at first need not be said. */
function without(config: Partial<GatewayConfig>, first: GatewayDraft): Partial<GatewayConfig> {
  return Object.fromEntries(Object.entries(config).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(first[name as keyof GatewayDraft])));
}

export type ReadFailure = { why: 'syntax'; line: number } | { why: 'too_long' } | { why: 'no_gateway' } | { why: 'unknown' | 'shape'; name: string };
export type Read = { gateway: GatewayDraft } | { failure: ReadFailure };

/** Reads TOML, and JSON where the text begins with a brace. */
export function readText(text: string): Read {
  if (text.length > TEXT_CHARS_MAX) return { failure: { why: 'too_long' } };
  let content: unknown;
  try {
    content = text.trimStart().startsWith('{') ? JSON.parse(text) : parseToml(text);
  } catch (error) {
    return { failure: { why: 'syntax', line: error instanceof TomlError ? error.line : jsonLine(text, error) } };
  }
  const gateway = isTable(content) ? content.gateway : undefined;
  if (!isTable(gateway)) return { failure: { why: 'no_gateway' } };
  const { more = {}, ...rest } = gateway;
  const failure = misfit(rest, FIRST_GATEWAY, '') ?? (isTable(more) ? misfit(more, FIRST_MORE, 'more.') : { why: 'shape', name: 'more' } as const);
  if (failure) return { failure };
  return { gateway: { ...FIRST_GATEWAY, ...(rest as Partial<GatewayConfig>), more: briefOf(fullOf(more as More)) } };
}

/** Browsers say the place in words of their own; without one it is the first line. */
function jsonLine(text: string, error: unknown): number {
  const { message } = error as Error;
  const [, line] = /line (\d+)/.exec(message) ?? [];
  const [, position] = /position (\d+)/.exec(message) ?? [];
  return line ? Number(line) : text.slice(0, Number(position ?? 0)).split('\n').length;
}

const isTable = (value: unknown): value is Record<string, TomlValue> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isRow = (value: unknown): value is Record<string, TomlValue> => isTable(value) && typeof value.name === 'string' && typeof value.value === 'string';
const isMapping = (value: unknown): value is Mapping => isRow(value) && Object.keys(value).length === 2;
const isOutput = (value: unknown): value is StepOutput => isRow(value) && Object.entries(value).every(([name, of]) => ['name', 'value'].includes(name) || (name === 'public' && typeof of === 'boolean'));

/** Lists of texts; the others are rows of name and value. */
const TEXT_LISTS = ['more.secrets', 'more.message_keys', 'more.steps.require', 'more.operations.message_keys', 'more.store.message_keys', ...VERDICT_LISTS.flatMap((list) => ['more', 'more.operations', 'more.store'].map((of) => `${of}.verdict.${list}`))];

/** What an item of a list is. The server looks closer. */
function itemOf(path: string): (item: unknown) => boolean {
  if (path === 'more.cases') return (item) => isTable(item) && typeof item.name === 'string' && typeof item.body === 'string' && isTable(item.expected);
  return TEXT_LISTS.includes(path) ? (item) => typeof item === 'string' : isMapping;
}

/** The first member that is not known, or of another shape than the form's. The server looks at values. */
function misfit(table: Record<string, unknown>, first: object, under: string): ReadFailure | undefined {
  for (const [name, value] of Object.entries(table)) {
    if (!Object.hasOwn(first, name)) return { why: 'unknown', name: under + name };
    const model = (first as Record<string, unknown>)[name];
    if (under + name === 'more.operations' && isTable(value)) {
      const wrong = operationMisfit(value);
      if (wrong) return wrong;
      continue;
    }
    if (under + name === 'more.store' && isTable(value)) {
      const wrong = misfit(value, FIRST_OPERATION, 'more.store.');
      if (wrong) return wrong;
      continue;
    }
    const inner = isTable(model) && isTable(value) ? misfit(value, model, `${under}${name}.`) : undefined;
    if (inner) return inner;
    if (under + name === 'more.steps' && Array.isArray(value) && value.every(isTable)) {
      const wrong = value.map((step) => misfit(step, FIRST_STEP, 'more.steps.')).find((failure) => failure !== undefined);
      if (wrong) return wrong;
      continue;
    }
    if (!isLike(under + name, value, model)) return { why: 'shape', name: under + name };
  }
  return undefined;
}

function operationMisfit(operations: Record<string, unknown>): ReadFailure | undefined {
  for (const [kind, operation] of Object.entries(operations)) {
    const name = `more.operations.${kind}`;
    if (!OPERATIONS.some((known) => known === kind)) return { why: 'unknown', name };
    const wrong = isTable(operation) ? misfit(operation, FIRST_OPERATION, 'more.operations.') : ({ why: 'shape', name } as const);
    if (wrong) return wrong;
  }
  return undefined;
}

const TYPES: readonly string[] = RESPONSE_TYPES;

/** Members that are one of a few words. */
const CHOICES: Record<string, readonly string[]> = {
  'more.method': ['POST', 'PUT'],
  'more.request_format': ['request_type', 'name_value'],
  'more.response_format': ['response_type', 'name_value'],
  'more.success_value': ['text', 'test'],
  'more.recovery': ['none', 'replay', 'inquire', 'void_by_reference'],
  'more.operations.method': ['POST', 'PUT', 'GET'],
  'more.operations.request_type': TYPES,
  'more.operations.response_type': TYPES,
  'more.operations.success_value_meaning': ['text', 'test'],
  'more.store.method': ['POST', 'PUT'],
  'more.store.request_type': TYPES,
  'more.store.response_type': TYPES,
  'more.store.success_value_meaning': ['text', 'test'],
  'more.steps.method': ['POST', 'PUT'],
  'more.steps.request_type': TYPES,
  'more.steps.response_type': TYPES,
  missing_key: ['unknown', 'declined'],
  auth_method: ['none', 'basic'],
  request_type: TYPES,
  response_type: TYPES,
};

function isLike(path: string, value: unknown, model: unknown): boolean {
  if (CHOICES[path]) return typeof value === 'string' && CHOICES[path].includes(value);
  if (path === 'more.steps.extract') return Array.isArray(value) && value.every(isOutput);
  if (Array.isArray(model)) return Array.isArray(value) && value.every(itemOf(path));
  return isTable(model) ? isTable(value) : typeof value === typeof model;
}

/** The widget with the gateway that was read. A header's value that was left out of the text stays as it is here. */
export function withGateway(draft: WidgetDraft, gateway: GatewayDraft): WidgetDraft {
  const kept = (header: Mapping, from: readonly Mapping[] = []) => (header.value === '' ? (from.find(({ name }) => name === header.name) ?? header) : header);
  const steps = gateway.more.steps?.map((step) => {
    const before = draft.gateway?.more.steps?.find(({ name }) => name === step.name)?.request_headers;
    return step.request_headers ? { ...step, request_headers: step.request_headers.map((header) => kept(header, before)) } : step;
  });
  const { store: storeBefore, operations: before = {} } = draft.gateway?.more ?? {};
  const withHeaders = (operation: GatewayOperation, known: GatewayOperation | null | undefined) =>
    operation.request_headers ? { ...operation, request_headers: operation.request_headers.map((header) => kept(header, known?.request_headers)) } : operation;
  const operations = eachOperation(gateway.more.operations ?? {}, (kind, operation) => withHeaders(operation, before[kind]));
  const { store } = gateway.more;
  return {
    ...draft,
    gateway: {
      ...gateway,
      request_headers: gateway.request_headers.map((header) => kept(header, draft.gateway?.request_headers)),
      more: { ...gateway.more, ...(steps ? { steps } : {}), ...(store ? { store: withHeaders(store, storeBefore) } : {}), ...(Object.keys(operations).length > 0 ? { operations } : {}) },
    },
    numbers: { ...draft.numbers, connection_timeout_ms: String(gateway.connection_timeout_ms), read_timeout_ms: String(gateway.read_timeout_ms) },
  };
}
