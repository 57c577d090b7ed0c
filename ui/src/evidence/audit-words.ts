/** Owns: what people call the actions of the audit trail, and which of them are refusals. */
import type { AuditAction } from '../lib/api/types';
import type { MessageId } from '../lib/i18n';

export const ACTION_NAMES = {
  server_started: 'audit_action.server_started',
  logged_in: 'audit_action.logged_in',
  login_failed: 'audit_action.login_failed',
  logged_out: 'audit_action.logged_out',
  user_locked: 'audit_action.user_locked',
  user_saved: 'audit_action.user_saved',
  user_disabled: 'audit_action.user_disabled',
  role_saved: 'audit_action.role_saved',
  role_deleted: 'audit_action.role_deleted',
  preferences_saved: 'audit_action.preferences_saved',
  password_changed: 'audit_action.password_changed',
  second_factor_set: 'audit_action.second_factor_set',
  desktop_saved: 'audit_action.desktop_saved',
  desktop_deleted: 'audit_action.desktop_deleted',
  desktop_assigned: 'audit_action.desktop_assigned',
  design_saved: 'audit_action.design_saved',
  design_deleted: 'audit_action.design_deleted',
  gateway_password_replaced: 'audit_action.gateway_password_replaced',
  service_saved: 'audit_action.service_saved',
  routing_refusals_saved: 'audit_action.routing_refusals_saved',
  banks_imported: 'audit_action.banks_imported',
  settings_saved: 'audit_action.settings_saved',
  consumer_told: 'audit_action.consumer_told',
  capture_opened: 'audit_action.capture_opened',
  capture_armed: 'audit_action.capture_armed',
  capture_blocked: 'audit_action.capture_blocked',
  field_listening: 'audit_action.field_listening',
  field_obtained: 'audit_action.field_obtained',
  field_invalid: 'audit_action.field_invalid',
  host_approved: 'audit_action.host_approved',
  host_withdrawn: 'audit_action.host_withdrawn',
  gateway_test_sent: 'audit_action.gateway_test_sent',
  gateway_test_ended: 'audit_action.gateway_test_ended',
  customer_speaking: 'audit_action.customer_speaking',
  value_shown: 'audit_action.value_shown',
  consumer_agreed: 'audit_action.consumer_agreed',
  charge_intended: 'audit_action.charge_intended',
  charge_refused: 'audit_action.charge_refused',
  charge_sent: 'audit_action.charge_sent',
  charge_ended: 'audit_action.charge_ended',
  unknown_proposed: 'audit_action.unknown_proposed',
  unknown_rejected: 'audit_action.unknown_rejected',
  unknown_resolved: 'audit_action.unknown_resolved',
  payments_exported: 'audit_action.payments_exported',
  audit_exported: 'audit_action.audit_exported',
  attempts_reset: 'audit_action.attempts_reset',
  call_transferred: 'audit_action.call_transferred',
  capture_ended: 'audit_action.capture_ended',
  protection_lost: 'audit_action.protection_lost',
} satisfies Record<AuditAction, MessageId>;

const REFUSALS: readonly AuditAction[] = ['login_failed', 'user_locked', 'capture_blocked', 'field_invalid', 'charge_refused', 'unknown_rejected', 'protection_lost'];

export function isRefusal(action: AuditAction): boolean {
  return REFUSALS.includes(action);
}
