/** A card or an account that the gateway keeps for later, with nothing charged today: how the ledger says it. */
import type { Payment } from '../api/types';
import { isCheck } from './words';

/** Nothing is due today, and the gateway hears of the rest in a call of its own. */
export const onlyStores = ({ arrangement }: Payment): boolean => arrangement?.by === 'schedule' && arrangement.down_minor === 0;

/** What was done at once, as the words of `due` choose by it; held: the gateway has not decided. */
export function doneAtOnce(payment: Payment): 'card' | 'account' | 'held' | 'paid' {
  if (payment.state.state === 'final' && payment.state.detail === 'review') return 'held';
  if (!onlyStores(payment)) return 'paid';
  return isCheck(payment.kind) ? 'account' : 'card';
}
