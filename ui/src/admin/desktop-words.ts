/** Owns: which message names a layout, a desktop service, a state and its reasons. */
import type { DesktopService, DesktopState, Layout, Reason, ReasonKind } from '../lib/api/types';
import type { IconName, Tone } from '../lib/controls';
import type { MessageId, Translate } from '../lib/i18n';

export const LAYOUT_NAMES = {
  agent_panel: 'desktops.layout.agent_panel',
  extended_panel: 'desktops.layout.extended_panel',
  designer: 'desktops.layout.designer',
} satisfies Record<Layout, MessageId>;

export const SERVICE_NAMES = {
  standard: 'desktops.service.standard',
  designer: 'desktops.service.designer',
} satisfies Record<DesktopService, MessageId>;

export const STATES = {
  live: { name: 'desktops.state.live', tone: 'good', icon: 'check' },
  disabled: { name: 'desktops.state.disabled', tone: 'plain', icon: 'cross' },
  needs_attention: { name: 'desktops.state.needs_attention', tone: 'warn', icon: 'warning' },
} as const satisfies Record<DesktopState, { name: MessageId; tone: Tone; icon: IconName }>;

const REASONS = {
  switched_off: 'desktops.reason.switched_off',
  nothing_enabled: 'desktops.reason.nothing_enabled',
  gateway_missing: 'desktops.reason.gateway_missing',
  password_missing: 'desktops.reason.password_missing',
  header_value_missing: 'desktops.reason.header_value_missing',
  host_not_approved: 'desktops.reason.host_not_approved',
  recorders_undeclared: 'desktops.reason.recorders_undeclared',
} satisfies Record<ReasonKind, MessageId>;

export function reasonOf(t: Translate, { what, name }: Reason): string {
  return t(REASONS[what], { name });
}
