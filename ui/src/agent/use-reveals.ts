/**
 * Basic: the values on this page.
 * Owns: when a value is fetched (once, as it becomes available, on the page that opened the capture), shown and dropped.
 * Never: keeps one past its time, the capture, a lock or a reload; fetches one unasked while the page is locked.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CaptureView, Field } from '../lib/api/types';

type Values = Partial<Record<Field, string>>;
export type FetchValue = (capture: string, field: Field) => Promise<string>;

export function useReveals(view: CaptureView, fetchValue: FetchValue, { hidden, automatic }: { hidden: boolean; automatic: boolean }) {
  const [values, setValues] = useState<Values>({});
  const timers = useRef(new Map<Field, ReturnType<typeof setTimeout>>());
  const wanted = useRef(new Set<Field>());
  const before = useRef(view);

  const conceal = useCallback((field: Field) => {
    wanted.current.delete(field);
    clearTimeout(timers.current.get(field));
    timers.current.delete(field);
    setValues(({ [field]: _, ...rest }) => rest);
  }, []);

  const reveal = useCallback(
    async (field: Field) => {
      wanted.current.add(field);
      const value = await fetchValue(view.id, field).catch(() => undefined);
      if (value === undefined || !wanted.current.has(field)) return;
      setValues((shown) => ({ ...shown, [field]: value }));
      clearTimeout(timers.current.get(field));
      timers.current.set(field, setTimeout(() => conceal(field), view.widget.hide_after_s * 1_000));
    },
    [conceal, fetchValue, view.id, view.widget.hide_after_s],
  );

  const concealAll = useCallback(() => {
    for (const field of [...wanted.current]) conceal(field);
    setValues({});
  }, [conceal]);

  useEffect(() => {
    const then = before.current;
    before.current = view;
    for (const row of view.fields) {
      const old = then.id === view.id ? then.fields.find((other) => other.field === row.field) : undefined;
      if (!row.revealable) {
        if (wanted.current.has(row.field)) conceal(row.field);
      } else if (automatic && !hidden && old && !old.revealable && row.field !== 'security_code') void reveal(row.field);
    }
  }, [automatic, conceal, hidden, reveal, view]);

  useEffect(() => {
    if (hidden) concealAll();
  }, [concealAll, hidden]);

  useEffect(() => {
    // Whoever looks at another window does not look at the code (S11).
    const concealCode = () => conceal('security_code');
    window.addEventListener('blur', concealCode);
    window.addEventListener('beforeprint', concealAll);
    return () => {
      window.removeEventListener('blur', concealCode);
      window.removeEventListener('beforeprint', concealAll);
      concealAll();
    };
  }, [conceal, concealAll]);

  return { values, reveal, conceal };
}
