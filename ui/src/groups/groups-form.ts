/** Owns: names of groups of agents as forms hold them, with commas between them. Never: says what a name may be; the server does. */
import type { UserView } from '../lib/api/types';

export const namesOf = (text: string): string[] => text.split(',').map((name) => name.trim()).filter(Boolean);

/** Names are compared as the server does: without regard to case. */
export const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

export const withName = (text: string, name: string) => [...namesOf(text), name].join(', ');

/** Names in use that are not written in a text yet. */
export const toAdd = (text: string, inUse: readonly string[]) => inUse.filter((name) => !namesOf(text).some((one) => isSame(one, name)));

/** The groups that users are in, each once, by name. */
export function groupsOf(users: readonly Pick<UserView, 'groups'>[]): string[] {
  const byName = new Map(users.flatMap(({ groups }) => groups).map((name) => [name.toLowerCase(), name]));
  return [...byName.values()].sort((one, other) => one.localeCompare(other));
}
