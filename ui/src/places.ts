/** Where a login may go first. */
import { may, mayFindRecordings } from './lib/api/queries';
import type { Login } from './lib/api/types';

/** The first page of Configure that this login may see. */
export function firstConfigured(login: Login): string | undefined {
  if (may(login, 'desktop.edit') || may(login, 'gateway.edit') || may(login, 'gateway.secret.write')) return '/configure/agents/agent-desktop';
  if (may(login, 'spc.enable')) return '/configure/agents/secure-payment-capture';
  return may(login, 'user.manage') || may(login, 'audit.read') ? '/configure/users/users' : undefined;
}

/** Where a login without calls begins. */
export function firstPlace(login: Login): string | undefined {
  if (!may(login, 'payment.view')) return firstConfigured(login) ?? (mayFindRecordings(login) ? '/recordings' : may(login, 'call.pick') || may(login, 'call.listen') ? '/calls' : undefined);
  return may(login, 'desktop.edit') || may(login, 'gateway.edit') || may(login, 'spc.enable') ? firstConfigured(login) : '/payments';
}
