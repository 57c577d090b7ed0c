/** The words for rights, and what roles amount to together. */
import type { AssignedRole, Permission, RoleView } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';

export const RIGHT_NAMES = {
  'capture.start': 'right.capture.start',
  'capture.view_basic': 'right.capture.view_basic',
  'capture.reset_attempts': 'right.capture.reset_attempts',
  'call.consumer_data': 'right.call.consumer_data',
  'call.pick': 'right.call.pick',
  'call.bind': 'right.call.bind',
  'call.listen': 'right.call.listen',
  'call.join': 'right.call.join',
  'call.dial': 'right.call.dial',
  'call.dial_for': 'right.call.dial_for',
  'payment.resolve_unknown': 'right.payment.resolve_unknown',
  'payment.refund': 'right.payment.refund',
  'payment.view': 'right.payment.view',
  'payment.export': 'right.payment.export',
  'recording.listen': 'right.recording.listen',
  'recording.download': 'right.recording.download',
  'recording.delete': 'right.recording.delete',
  'recording.redact': 'right.recording.redact',
  'spc.enable': 'right.spc.enable',
  'desktop.edit': 'right.desktop.edit',
  'gateway.edit': 'right.gateway.edit',
  'gateway.secret.write': 'right.gateway.secret.write',
  'gateway.approve_host': 'right.gateway.approve_host',
  'user.manage': 'right.user.manage',
  'user.staff': 'right.user.staff',
  'audit.read': 'right.audit.read',
} satisfies Record<Permission, MessageId>;

export const RIGHTS = Object.keys(RIGHT_NAMES) as Permission[];

/** The rights of some roles together, each with the names of the roles that give it. */
export function effective(roles: readonly RoleView[], assigned: ReadonlySet<AssignedRole>): { right: Permission; from: string[] }[] {
  const chosen = roles.filter((role) => assigned.has(role.id));
  return RIGHTS.map((right) => ({ right, from: chosen.filter((role) => role.permissions.includes(right)).map((role) => role.name) })).filter(({ from }) => from.length > 0);
}
