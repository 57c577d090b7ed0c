/**
 * Unsaved changes.
 * Owns: the question before this page is left.
 */
import type { ReactNode } from 'react';
import { createContext, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { Router } from 'wouter';
import { Button, Question } from '../lib/controls';
import { useT } from '../lib/i18n';

type Guard = { setUnsaved: (unsaved: boolean) => void };
const Guarding = createContext<Guard>({ setUnsaved: () => undefined });

/** Holds back every navigation inside the page while something is unsaved. */
export function LeaveGuard({ children }: { children: ReactNode }) {
  const t = useT();
  const unsaved = useRef(false);
  const [leave, setLeave] = useState<() => void>();
  const guard = useMemo<Guard>(
    () => ({
      setUnsaved: (next) => {
        unsaved.current = next;
      },
    }),
    [],
  );
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (unsaved.current) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
  return (
    <Router
      aroundNav={(navigate, to, options) => {
        const go = () => navigate(to, options);
        if (unsaved.current) setLeave(() => go);
        else go();
      }}
    >
      <Guarding.Provider value={guard}>{children}</Guarding.Provider>
      <Question
        title={t('editor.leave_question')}
        open={leave !== undefined}
        onClose={() => setLeave(undefined)}
        actions={
          <>
            <Button autoFocus onPress={() => setLeave(undefined)}>
              {t('editor.leave_no')}
            </Button>
            <Button
              look="danger"
              onPress={() => {
                unsaved.current = false;
                leave?.();
                setLeave(undefined);
              }}
            >
              {t('editor.leave_yes')}
            </Button>
          </>
        }
      >
        <p>{t('editor.leave_text')}</p>
      </Question>
    </Router>
  );
}

/** Says whether this place has unsaved changes. */
export function useUnsaved(unsaved: boolean): void {
  const { setUnsaved } = useContext(Guarding);
  useEffect(() => {
    setUnsaved(unsaved);
    return () => setUnsaved(false);
  }, [setUnsaved, unsaved]);
}
