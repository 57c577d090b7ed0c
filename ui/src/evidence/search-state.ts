/** Owns: what a list is narrowed to, kept in the page's address, so that it outlives a reload and can be sent to someone. */
import { useSearchParams } from 'wouter';
import type { Days, Period } from './days';
import { periodOf } from './days';

type Change = Record<string, string>;

/** Values by name; a value that is empty is not in the address. */
export function useSearchState(usualPeriod: Period) {
  const [params, setParams] = useSearchParams();
  const change = (values: Change) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(values)) {
          if (value === '') next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  const days: Days = { period: periodOf(params.get('days'), usualPeriod), first: params.get('first') ?? '', last: params.get('last') ?? '' };
  const setDays = ({ period, first, last }: Days) => change({ days: period === usualPeriod ? '' : period, first: period === 'days' ? first : '', last: period === 'days' ? last : '' });
  return { value: (name: string) => params.get(name) ?? '', change, days, setDays };
}

/** A query string of what is set. */
export function queryOf(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') query.set(name, String(value));
  return query.toString();
}
