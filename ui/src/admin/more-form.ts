/**
 * What stands behind "More" of a gateway, as its form holds it.
 * Owns: the defaults, which ask for nothing; the groups; which group shows which field and which error.
 * Never: reads a template or a condition.
 */
import type { Connection, GatewayOperation, GatewayStep, More, OperationKind, Operations, VerdictConditions } from '../lib/api/types';
import type { Errors } from './desktop-form';

/** In the order in which they are asked. */
export const VERDICT_LISTS = ['also', 'unknown', 'review', 'declined', 'error'] as const satisfies readonly (keyof VerdictConditions)[];

/** Every field has a value while it is edited. */
export type MoreDraft = Required<Omit<More, 'verdict' | 'connection' | 'store'>> & { verdict: Required<VerdictConditions>; connection: Connection; /** None: the gateway keeps nothing for later. */ store: GatewayOperation | null };

export const FIRST_MORE: MoreDraft = {
  method: 'POST',
  request_format: 'request_type',
  body: '',
  body_form_field: '',
  content_type: '',
  constants: [],
  secrets: [],
  variables: [],
  steps: [],
  signature: [],
  auth_password: '',
  response_format: 'response_type',
  success_value: 'text',
  message_keys: [],
  outputs: [],
  cases: [],
  recovery: 'none',
  connection: { trust: '', client_certificate: '', proxy: '' },
  store: null,
  operations: {},
  verdict: { also: [], unknown: [], review: [], declined: [], error: [] },
};

export function fullOf(more: More): MoreDraft {
  return { ...FIRST_MORE, ...more, verdict: { ...FIRST_MORE.verdict, ...more.verdict }, connection: { ...FIRST_MORE.connection, ...more.connection } };
}

/** Without what asks for nothing, as it is stored: what is empty here is empty there. */
export function briefOf(full: MoreDraft): More {
  const verdict = Object.fromEntries(VERDICT_LISTS.filter((list) => full.verdict[list].length > 0).map((list) => [list, full.verdict[list]]));
  const connection = Object.fromEntries(Object.entries(full.connection).filter(([, name]) => name !== ''));
  const asks = Object.entries({ ...full, verdict, connection }).filter(([name, value]) => !asksNothing(name as keyof MoreDraft, value));
  return Object.fromEntries(asks);
}

function asksNothing(name: keyof MoreDraft, value: unknown): boolean {
  return value === FIRST_MORE[name] || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}

/** A step, every field of which has a value. */
export type StepDraft = Required<Omit<GatewayStep, 'request_type' | 'response_type'>> & Pick<GatewayStep, 'request_type' | 'response_type'>;

/** As many as the server takes. */
export const STEPS_MAX = 4;

export const FIRST_STEP: StepDraft = { name: '', url: '', method: 'POST', request_type: null, response_type: null, request_params: [], body: '', request_headers: [], extract: [], require: [] };

export function fullStep(step: GatewayStep): StepDraft {
  return { ...FIRST_STEP, ...step };
}

/** Without what is as it is at first, as it is stored. */
export function briefStep({ name, url, ...step }: StepDraft): GatewayStep {
  const asks = Object.entries(step).filter(([field, value]) => value !== FIRST_STEP[field as keyof StepDraft] && !(Array.isArray(value) && value.length === 0));
  return { name, url, ...Object.fromEntries(asks) };
}

/** What can be asked after the sale, in the server's order. The store takes the sale's place. */
export const OPERATIONS = ['inquire', 'void', 'refund', 'capture', 'schedule'] as const satisfies readonly (keyof Operations)[];

/** An operation, every field of which has a value. */
export type OperationDraft = Required<Omit<GatewayOperation, 'request_type' | 'response_type' | 'verdict'>> & Pick<GatewayOperation, 'request_type' | 'response_type'> & { verdict: Required<VerdictConditions> };

export const FIRST_OPERATION: OperationDraft = {
  url: '',
  method: 'POST',
  request_type: null,
  response_type: null,
  request_params: [],
  body: '',
  request_headers: [],
  success_key: '',
  success_value: '',
  success_value_meaning: 'text',
  verdict: FIRST_MORE.verdict,
  agent_message_key: '',
  message_keys: [],
  outputs: [],
  reference_key: '',
};

export function fullOperation(operation: GatewayOperation): OperationDraft {
  return { ...FIRST_OPERATION, ...operation, verdict: { ...FIRST_MORE.verdict, ...operation.verdict } };
}

/** Without what is as it is at first, as it is stored. */
export function briefOperation({ url, success_key, success_value, verdict, ...operation }: OperationDraft): GatewayOperation {
  const lists = Object.fromEntries(VERDICT_LISTS.filter((list) => verdict[list].length > 0).map((list) => [list, verdict[list]]));
  const asks = Object.entries({ ...operation, verdict: lists }).filter(([field, value]) => value !== FIRST_OPERATION[field as keyof OperationDraft] && !(typeof value === 'object' && Object.keys(value ?? {}).length === 0));
  return { url, success_key, success_value, ...Object.fromEntries(asks) };
}

/** One that is new. */
export function firstOperation(kind: OperationKind): GatewayOperation {
  return briefOperation({ ...FIRST_OPERATION, method: kind === 'inquire' ? 'GET' : 'POST' });
}

/** Those that there are, by kind. */
export function operationsOf(operations: Operations): [keyof Operations, GatewayOperation][] {
  return OPERATIONS.flatMap((kind) => {
    const operation = operations[kind];
    return operation ? [[kind, operation] as [keyof Operations, GatewayOperation]] : [];
  });
}

/** The kinds that there are, the store's too, in the server's order. */
export function kindsOf({ store, operations }: More): OperationKind[] {
  return [...(store ? (['store'] as const) : []), ...operationsOf(operations ?? {}).map(([kind]) => kind)];
}

/** The one of a kind. */
export function operationOf(more: More | undefined, kind: OperationKind): GatewayOperation | null | undefined {
  return kind === 'store' ? more?.store : more?.operations?.[kind];
}

export const GROUPS = ['request', 'values', 'steps', 'signature', 'password', 'connection', 'answer', 'verdict', 'store', 'operations', 'cases'] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<keyof MoreDraft, Group> = {
  method: 'request',
  request_format: 'request',
  body: 'request',
  body_form_field: 'request',
  content_type: 'request',
  constants: 'values',
  secrets: 'values',
  variables: 'values',
  steps: 'steps',
  signature: 'signature',
  auth_password: 'password',
  connection: 'connection',
  response_format: 'answer',
  message_keys: 'answer',
  outputs: 'answer',
  recovery: 'verdict',
  store: 'store',
  operations: 'operations',
  success_value: 'verdict',
  verdict: 'verdict',
  cases: 'cases',
};

export type SetField = { name: keyof MoreDraft; /** Of a list. */ count?: number };

/** Fields that ask for something, in the order of the form. */
export function fieldsSet(more: More, group: Group): SetField[] {
  const brief = briefOf(fullOf(more));
  const names = (Object.keys(GROUP_OF) as (keyof MoreDraft)[]).filter((name) => GROUP_OF[name] === group && brief[name] !== undefined);
  return names.map((name) => {
    const value = brief[name];
    const count = name === 'operations' ? Object.keys(brief.operations ?? {}).length : name === 'verdict' ? Object.values(brief.verdict ?? {}).flat().length : Array.isArray(value) ? value.length : undefined;
    return { name, ...(count === undefined ? {} : { count }) };
  });
}

/** Which group shows an error: "gateway.more.variables.1.value", "gateway_secrets.key". */
export function groupOfError(path: string): Group | undefined {
  if (path.startsWith('gateway_secrets')) return 'values';
  const [, name] = /^gateway\.more\.([a-z_]+)/.exec(path) ?? [];
  return name && name in GROUP_OF ? GROUP_OF[name as keyof MoreDraft] : undefined;
}

/** How many errors each group has. */
export function errorsIn(errors: Errors): Partial<Record<Group, number>> {
  const counts: Partial<Record<Group, number>> = {};
  for (const group of Object.keys(errors).map(groupOfError)) if (group) counts[group] = (counts[group] ?? 0) + 1;
  return counts;
}
