/** A user as the sheet holds it, and as it is sent. */
import type { AssignedRole, UserForm, UserView } from '../lib/api/types';
import { namesOf } from '../groups/groups-form';
import type { MessageId } from '../lib/i18n';

export type UserState = 'active' | 'first_password' | 'locked' | 'disabled';

export const STATE_NAMES = {
  active: 'users.state.active',
  first_password: 'users.state.first_password',
  locked: 'users.state.locked',
  disabled: 'users.state.disabled',
} satisfies Record<UserState, MessageId>;

/** The state that matters most. */
export function stateOf(user: UserView, now: number): UserState {
  if (!user.enabled) return 'disabled';
  if (user.locked_until !== null && user.locked_until !== undefined && user.locked_until > now) return 'locked';
  return user.must_change_password ? 'first_password' : 'active';
}

export type Filter = { text: string; role: AssignedRole | 'any'; state: UserState | 'any' };

export function fits(user: UserView, filter: Filter, now: number): boolean {
  const text = filter.text.trim().toLowerCase();
  const hit = [user.name, user.display_name, user.phone ?? '', ...user.groups].some((one) => one.toLowerCase().includes(text));
  return hit && (filter.role === 'any' || user.roles.includes(filter.role)) && (filter.state === 'any' || stateOf(user, now) === filter.state);
}

export type UserDraft = {
  name: string;
  displayName: string;
  roles: ReadonlySet<AssignedRole>;
  /** Empty: none of their own. */
  desktop: string;
  phone: string;
  phonePassword: string;
  extension: string;
  /** With commas between them. */
  groups: string;
  password: string;
  enabled: boolean;
  unlock: boolean;
  resetFactor: boolean;
};

export function userDraft(user: UserView | undefined): UserDraft {
  return {
    name: user?.name ?? '',
    displayName: user?.display_name ?? '',
    roles: new Set(user?.roles),
    desktop: user?.desktop ?? '',
    phone: user?.phone ?? '',
    phonePassword: '',
    extension: user?.extension ?? '',
    groups: user?.groups.join(', ') ?? '',
    password: '',
    enabled: user?.enabled ?? true,
    unlock: false,
    resetFactor: false,
  };
}

export function userForm(draft: UserDraft, revision: number): UserForm {
  return {
    name: draft.name.trim(),
    display_name: draft.displayName.trim(),
    roles: [...draft.roles],
    desktop: draft.desktop || null,
    phone: draft.phone.trim() || null,
    extension: draft.extension.trim() || null,
    groups: namesOf(draft.groups),
    ...(draft.phonePassword ? { phone_password: draft.phonePassword } : {}),
    ...(draft.password ? { password: draft.password } : {}),
    enabled: draft.enabled,
    unlock: draft.unlock,
    reset_second_factor: draft.resetFactor,
    revision,
  };
}

export function isChanged(draft: UserDraft, stored: UserDraft): boolean {
  const { roles, ...rest } = draft;
  const sameRoles = roles.size === stored.roles.size && [...roles].every((role) => stored.roles.has(role));
  return !sameRoles || (Object.keys(rest) as (keyof typeof rest)[]).some((name) => rest[name] !== stored[name]);
}
