/** "More" of the tab Payment Gateway Config: what the reference's fields cannot say, in groups that say what of them is set. */
import type { ComponentType, ReactNode } from 'react';
import { Suspense, lazy, useId, useState } from 'react';
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { Button, Icon } from '../lib/controls';
import type { Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { withOffice } from '../lib/i18n/catalogue';
import css from './admin.module.css';
import { CasesGroup } from './gateway-cases';
import type { GatewayDraft, WidgetDraft } from './desktop-form';
import { ConnectionGroup } from './more-connection';
import { AnswerGroup, PasswordGroup, RequestGroup, VerdictGroup } from './more-groups';
import look from './gateway-more.module.css';
import type { Group, MoreDraft, SetField } from './more-form';
import { GROUPS, briefOf, errorsIn, fieldsSet, fullOf } from './more-form';
import { OperationsGroup, StoreGroup } from './more-operations';
import { StepsGroup } from './more-steps';
import { SignatureGroup, ValuesGroup } from './more-values';
import type { InputsProps } from './widget-sheet';

export type GroupProps = InputsProps & {
  gateway: GatewayDraft;
  more: MoreDraft;
  set: (next: Partial<MoreDraft>) => void;
};

const PARTS: Record<Group, ComponentType<GroupProps>> = { request: RequestGroup, values: ValuesGroup, steps: StepsGroup, signature: SignatureGroup, password: PasswordGroup, connection: ConnectionGroup, answer: AnswerGroup, verdict: VerdictGroup, store: StoreGroup, operations: OperationsGroup, cases: CasesGroup };

/** One example a group, as it is written. */
const EXAMPLES: Record<Group, string> = {
  request: '<txn><card>{card.number}</card><amount>{payment.amount}</amount></txn>',
  values: 'hash: {secret.seed}{payment.reference}',
  steps: '{step.login.token}',
  signature: 'digest: SHA-256={body.raw|sha256|b64}',
  password: '{let.hash}',
  connection: 'bank',
  answer: 'transaction_id: id || transaction.id',
  verdict: 'status = DECLINED|REFUSED',
  store: '{card.number}',
  operations: '{sale.transaction_id}',
  cases: '402: declined',
};

export default function GatewayMore(props: InputsProps) {
  const t = useT();
  const { draft, errors, onChange } = props;
  const gateway = draft.gateway;
  if (!gateway) return null;
  const more = fullOf(gateway.more);
  const set = (next: Partial<MoreDraft>) => onChange({ gateway: { ...gateway, more: briefOf({ ...more, ...next }) } });
  const wrong = errorsIn(errors);
  const present = GROUPS.filter((group) => fieldsSet(gateway.more, group).length > 0);
  const names = present.map((group) => t(`more.group.${group}`)).join(', ');
  return (
    <Fold level={3} title={t('widget.more')} summary={names ? t('more.set', { names }) : t('more.unset')} wrong={Object.values(wrong).reduce((sum, n) => sum + n, 0)} errors={errors} open={present.length > 0}>
      {GROUPS.map((group) => {
        const Part = PARTS[group];
        return (
          <Fold key={group} level={4} title={t(`more.group.${group}`)} summary={summaryOf(t, fieldsSet(gateway.more, group))} wrong={wrong[group] ?? 0} errors={errors}>
            <p className={css.hint}>
              {t(`more.help.${group}`)} <code className={look.example}>{EXAMPLES[group]}</code>
            </p>
            <Part {...props} gateway={gateway} more={more} set={set} />
          </Fold>
        );
      })}
      {props.may.gateway && <File draft={draft} onTake={onChange} />}
    </Fold>
  );
}

const GatewayFileSheet = lazy(withOffice(() => import('./gateway-file-sheet')));

/** The whole gateway as a text. */
function File({ draft, onTake }: { draft: WidgetDraft; onTake: (next: WidgetDraft) => void }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <div className={css.tools}>
      <Button onPress={() => setOpen(true)}>{t('more.file')}</Button>
      <Suspense>{open && <GatewayFileSheet draft={draft} onTake={onTake} onClose={() => setOpen(false)} />}</Suspense>
    </div>
  );
}

/** "Text of the body, Constants (2)". */
function summaryOf(t: Translate, fields: readonly SetField[]): string {
  return fields.map(({ name, count }) => (count === undefined ? t(`more.${name}`) : t('more.counted', { name: t(`more.${name}`), n: count }))).join(', ');
}

type FoldProps = { level: number; title: string; summary: string; wrong: number; errors: InputsProps['errors']; open?: boolean; children: ReactNode };

/** A part that folds: its head says what is set inside, and it opens by itself where something inside is wrong. */
function Fold({ level, title, summary, wrong, errors, open = false, children }: FoldProps) {
  const t = useT();
  const summaryId = useId();
  const [expanded, setExpanded] = useState(open || wrong > 0);
  const [seen, setSeen] = useState(errors);
  if (seen !== errors) {
    setSeen(errors);
    if (wrong > 0) setExpanded(true);
  }
  return (
    <Disclosure className={look.fold!} isExpanded={expanded} onExpandedChange={setExpanded}>
      <div className={look.head}>
        <Heading level={level}>
          <AriaButton slot="trigger" className={css.moreButton!} aria-describedby={summaryId}>
            <Icon name="chevron" />
            {title}
          </AriaButton>
        </Heading>
        {wrong > 0 && <span className={css.count}>{t('widget.tab_errors', { n: wrong })}</span>}
        <span id={summaryId} className={css.hint}>
          {summary}
        </span>
      </div>
      <DisclosurePanel className={look.panel!}>{children}</DisclosurePanel>
    </Disclosure>
  );
}
