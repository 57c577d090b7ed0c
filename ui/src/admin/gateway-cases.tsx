/** Answers that are kept with a gateway and what they must come to: judged as it stands in the form, with what comes out otherwise. */
import { useMutation } from '@tanstack/react-query';
import { api, sentenceOf } from '../lib/api/client';
import type { CasesForm, CheckedCase } from '../lib/api/types';
import { Button, Chip, Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetDraft } from './desktop-form';
import { gatewayFormOf } from './desktop-form';
import type { GroupProps } from './gateway-more';
import look from './gateway-more.module.css';
import { Remove } from './more-values';

/** What the cases of a form come to. */
export function runCases(draft: WidgetDraft): Promise<CheckedCase[]> {
  const body: CasesForm = { kind: draft.kind, gateway: gatewayFormOf(draft)! };
  return api<CheckedCase[]>('POST', '/gateway/cases', { body });
}

export function CasesGroup({ draft, errors, may, more, gateway, set }: GroupProps) {
  const t = useT();
  const run = useMutation({ mutationFn: (of: WidgetDraft) => runCases(of).then((cases) => ({ cases, of: of.gateway })) });
  const wrong = Object.entries(errors).filter(([path]) => path.startsWith('gateway.more.cases'));
  return (
    <fieldset className={css.set} aria-label={t('more.cases')}>
      {more.cases.length === 0 && <p className={css.hint}>{t('cases.none')}</p>}
      {wrong.map(([path, message]) => (
        <p key={path} className={css.error}>
          {message}
        </p>
      ))}
      <ul className={look.cases}>
        {more.cases.map((one, at) => (
          <li key={at}>
            <span>
              {t('cases.row', { name: one.name ?? '', status: one.status ?? 200, outcome: t(`trial.outcome.${one.expected.outcome}`) })}
              {one.operation && ` (${t(`more.operation.${one.operation}`)})`}
            </span>
            <Remove name={one.name ?? ''} at={at} disabled={!may.gateway} onPress={() => set({ cases: more.cases.filter((_, other) => other !== at) })} />
          </li>
        ))}
      </ul>
      {more.cases.length > 0 && (
        <div className={css.tools}>
          <Button isDisabled={run.isPending || !may.gateway} onPress={() => run.mutate(draft)}>
            {t('cases.run')}
          </Button>
        </div>
      )}
      <div role="status">
        {run.data && run.data.of === gateway && !run.isPending && <CaseResults cases={run.data.cases} />}
      </div>
      {run.error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(run.error)}
        </Notice>
      )}
    </fieldset>
  );
}

/** Before a form is taken: what comes out otherwise now. */
export default function CasesOtherwise({ cases }: { cases: readonly CheckedCase[] }) {
  const t = useT();
  return (
    <Notice tone="bad" role="alert">
      <strong>{t('cases.otherwise_title', { n: cases.filter(({ differences }) => differences.length > 0).length })}</strong>
      <CaseResults cases={cases} />
    </Notice>
  );
}

/** Each case with what it came to. */
function CaseResults({ cases }: { cases: readonly CheckedCase[] }) {
  const t = useT();
  const text = (value: string | null | undefined) => (value == null ? t('cases.nothing') : t('cases.text', { value }));
  return (
    <ul className={look.results}>
      {cases.map(({ name, outcome, differences }) => (
        <li key={name}>
          <Chip tone={differences.length === 0 ? 'good' : 'bad'}>{t(differences.length === 0 ? 'cases.as_expected' : 'cases.otherwise')}</Chip>{' '}
          {t('cases.came_to', { name, outcome: t(`trial.outcome.${outcome}`) })}
          {differences.length > 0 && (
            <ul>
              {differences.map(({ what, expected, found }) => (
                <li key={what}>{t('cases.difference', { what, expected: text(expected), found: text(found) })}</li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}
