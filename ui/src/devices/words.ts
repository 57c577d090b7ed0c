/** Words for why a device cannot be used. */
import type { MessageId } from '../lib/i18n';
import type { Trouble } from './trouble';

export const TROUBLES = {
  insecure: 'devices.insecure',
  not_allowed_here: 'devices.not_allowed_here',
  refused: 'devices.refused',
  no_device: 'devices.no_device',
  busy: 'devices.busy',
  failed: 'devices.failed',
} satisfies Record<Trouble, MessageId>;
