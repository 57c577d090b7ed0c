/** Advanced: Demographic, Payment and Status; the digits go to the gateway and never to this page. */
import { useEffect, useId, useRef, useState } from 'react';
import { Tab, TabList, TabPanel, TabPanels, Tabs } from 'react-aria-components';
import type { CaptureView } from '../api/types';
import { Button, Icon } from '../controls';
import type { MessageId, Translate } from '../i18n';
import { T, useT } from '../i18n';
import { exampleAmount, moneyText } from '../i18n/format';
import css from './capture.module.css';
import { DemographicInputs, PaymentInputs, PlanPreview, TYPED_NAMES } from './detail-inputs';
import { ConsentPanel, useConsent } from './consent';
import { OutcomeActions, OutcomePanel } from './outcome-panel';
import type { Asked, Problems, Typed, TypedField } from './payment-form';
import { AWAITED, arrangementOf, partsOf, problemsOf, tabOfInput, toPaymentForm, totalOf, typedIn, withPrefill } from './payment-form';
import { todayText } from './plan';
import type { WidgetProps } from './props';
import { Accepted, CancelQuestion, LineNotices, Prompt, Rows, isLive, promptedRow, useCancel } from './shared-body';
import { useShortcuts } from './shortcuts';
import type { TabName } from './walk';
import { back, fieldOf, isPastCapture, next, stopOfTab, stopsOf, tabOf } from './walk';
import { FIELD_NAMES, isCheck } from './words';

const TABS: readonly { id: TabName; name: MessageId }[] = [
  { id: 'demographic', name: 'tab.demographic' },
  { id: 'payment', name: 'tab.payment' },
  { id: 'status', name: 'tab.status' },
];

export function AdvancedBody({ form: typed, ...given }: WidgetProps) {
  const filled = withPrefill(typed, given.view.widget, given.caller);
  const props = { ...given, form: filled, onForm: (next: Typed) => given.onForm(typedIn(next, filled, typed)) };
  const { view, walk, onWalk, form, commands, busy, keyboard } = props;
  const t = useT();
  const missingId = useId();
  const root = useRef<HTMLDivElement>(null);
  const [checked, setChecked] = useState<TabName[]>([]);
  const problems = problemsOf(form, view.widget, todayText(props.now));
  const cancel = useCancel(props);
  const charge = useCharge(props);
  const tab = tabOf(walk.stop);
  const shown = (field: TypedField) => {
    const problem = checked.includes(tabOfInput(field)) ? problems[field] : undefined;
    if (!problem) return props.formErrors?.[field];
    return t(problem.id, { example: exampleAmount(), limit: problem.limit ? moneyText(problem.limit) : '' });
  };

  const goNext = () => {
    const { amount, ...others } = problems;
    const own = amount?.id === AWAITED ? others : problems;
    const wrong = walk.stop === 'demographic' || walk.stop === 'payment' ? problemOn(walk.stop, own) : undefined;
    if (wrong) {
      setChecked((tabs) => [...new Set([...tabs, tab])]);
      requestAnimationFrame(() => root.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    } else onWalk(next(walk, view, Date.now()));
  };
  const again = () => {
    const row = promptedRow(view, fieldOf(walk.stop));
    if (row) commands.act({ do: 'recapture', field: row.field });
  };
  useShortcuts(
    {
      'Alt+N': goNext,
      'Alt+B': () => onWalk(back(walk, view)),
      'Alt+R': again,
      'Ctrl+Enter': charge.press,
      Escape: charge.asking ? charge.no : cancel.ask,
    },
    keyboard && !busy && isLive(view),
  );
  return (
    <div className={css.advanced} ref={root}>
      <LineNotices {...props} />
      <Tabs selectedKey={tab} onSelectionChange={(key) => onWalk({ ...walk, stop: stopOfTab(key as TabName, view) })}>
        <StepTabs view={view} tab={tab} problems={problems} />
        <TabPanels>
          <TabPanel id="demographic" className={css.panel!}>
            <DemographicInputs form={form} asked={view.widget} call={props.caller} onForm={props.onForm} problem={shown} locked={isPastCapture(view.state)} />
          </TabPanel>
          <TabPanel id="payment" className={css.panel!}>
            <PaymentInputs form={form} asked={view.widget} call={props.caller} onForm={props.onForm} problem={shown} locked={isPastCapture(view.state)} check={isCheck(view.widget.kind)} today={todayText(props.now)} />
            <Prompt view={view} />
            <Rows {...props} onListen={(field) => onWalk({ ...walk, stop: field })} />
            <Accepted view={view} />
            <ConsentPanel {...props} consent={charge.consent} />
          </TabPanel>
          <TabPanel id="status" className={css.panel!}>
            <StatusPanel {...props} problems={problems} />
          </TabPanel>
        </TabPanels>
      </Tabs>
      {cancel.asking && <CancelQuestion onYes={cancel.yes} onNo={cancel.no} />}
      {charge.asking && <ChargeQuestion {...props} onYes={charge.yes} onNo={charge.no} />}
      {isPastCapture(view.state) ? (
        <OutcomeActions {...props} />
      ) : (
        <footer className={css.footer}>
          <Button isDisabled={busy} onPress={cancel.press}>
            {t('capture.cancel')}
          </Button>
          <span className={css.spacer} />
          <Button isDisabled={busy || stopsOf(view)[0] === walk.stop} onPress={() => onWalk(back(walk, view))} aria-keyshortcuts="Alt+B">
            {t('walk.back')}
          </Button>
          <Button look={charge.possible ? 'plain' : 'primary'} isDisabled={busy || walk.stop === 'status'} onPress={goNext} aria-keyshortcuts="Alt+N">
            {t('walk.next')}
          </Button>
          <Button
            look={charge.possible ? 'primary' : 'plain'}
            isDisabled={busy || !charge.possible || charge.asking}
            onPress={charge.press}
            aria-describedby={missingId}
            aria-keyshortcuts="Control+Enter"
          >
            {t('process.button')}
          </Button>
          <Missing id={missingId} view={view} problems={problems} consent={charge.consent.missing} />
        </footer>
      )}
    </div>
  );
}

function problemOn(tab: TabName, problems: Problems): TypedField | undefined {
  return (Object.keys(problems) as TypedField[]).find((field) => tabOfInput(field) === tab);
}

/** What still stands between the agent and Process Payment. */
export function missingNames(t: Translate, view: CaptureView, problems: Problems): string[] {
  const typed = (Object.keys(problems) as TypedField[]).map((field) => t(TYPED_NAMES[field]));
  return [...typed, ...view.missing.map((field) => t(FIELD_NAMES[field]))];
}

function Missing({ id, view, problems, consent }: { id: string; view: CaptureView; problems: Problems; consent: boolean }) {
  const t = useT();
  const names = missingNames(t, view, problems);
  if (names.length === 0 && consent) names.push(t('consent.agreed'));
  return (
    <p className={css.missing} id={id}>
      {names.length > 0 && t('process.missing', { list: names.join(', ') })}
      {problems.amount?.id === AWAITED && ` ${t(AWAITED)}`}
      {names.length === 0 && view.process_left === 0 && t('process.none_left')}
    </p>
  );
}

function StepTabs({ view, tab, problems }: { view: CaptureView; tab: TabName; problems: Problems }) {
  const t = useT();
  const complete: Record<TabName, boolean> = {
    demographic: !problemOn('demographic', problems),
    payment: !problemOn('payment', problems) && view.missing.length === 0,
    status: view.state === 'approved',
  };
  return (
    <TabList className={css.tabs!} aria-label={t('tab.list')}>
      {TABS.map(({ id, name }, place) => (
        <Tab key={id} id={id} className={css.tab!}>
          <span className={css.step} aria-hidden="true">
            {complete[id] ? <Icon name="check" /> : place + 1}
          </span>
          {id === tab && (
            <span className={css.stepOf} aria-hidden="true">
              {t('tab.step_of', { n: place + 1, total: TABS.length })}
            </span>
          )}
          <span className={id === tab ? undefined : css.tabName}>
            <T id={name} />
          </span>
          {complete[id] && <span className="visually-hidden">{t('tab.complete')}</span>}
        </Tab>
      ))}
    </TabList>
  );
}

function StatusPanel(props: WidgetProps & { problems: Problems }) {
  const { view, problems } = props;
  const t = useT();
  const kept = view.fields.length - view.missing.length;
  if (isPastCapture(view.state)) return <OutcomePanel {...props} />;
  return (
    <dl className={css.status}>
      <dt>{t('tab.demographic')}</dt>
      <dd>{problemOn('demographic', problems) ? t('status.incomplete') : t('status.complete')}</dd>
      <dt>{t('tab.payment')}</dt>
      <dd>
        {t('status.obtained', { n: kept, total: view.fields.length })}
        {problemOn('payment', problems) ? `, ${t('status.amount_missing')}` : ''}
      </dd>
      <dt>{t('status.gateway')}</dt>
      <dd>{t('status.not_sent')}</dd>
    </dl>
  );
}

function ChargeQuestion({ form, view, onYes, onNo, busy, now: time }: WidgetProps & { onYes: () => void; onNo: () => void }) {
  const t = useT();
  const values = { amount: amountText(form, view.widget), name: nameText(form) };
  const arrangement = arrangementOf(form, view.widget);
  const later = arrangement !== 'now';
  const now = isCheck(view.widget.kind) ? 'process.question_check' : 'process.question';
  const question = t(later ? `process.question_${arrangement}` : now, { ...values, n: partsOf(form, view.widget).length });
  return (
    <div className={css.question} role="group" aria-label={question}>
      <p>
        <strong>{question}</strong>
      </p>
      {arrangement === 'plan' && <PlanPreview form={form} asked={view.widget} today={todayText(time)} />}
      <Button onPress={onNo}>{t('process.no')}</Button>
      <Button look="primary" autoFocus isDisabled={busy} onPress={onYes}>
        {t(later ? 'process.yes_later' : 'process.yes', values)}
      </Button>
    </div>
  );
}

function amountText(form: Typed, asked: Asked): string {
  const total = totalOf(form, asked);
  return total ? moneyText(total) : '';
}

function nameText(form: Typed): string {
  return [form.values.firstName, form.values.lastName].filter(Boolean).join(' ').trim();
}

/** Process Payment: asked once, sent once. */
function useCharge(props: WidgetProps) {
  const { view, form, commands, busy, now } = props;
  const [asking, setAsking] = useState(false);
  const ready = toPaymentForm(form, view.widget, isCheck(view.widget.kind), todayText(now));
  const consent = useConsent(props, ready);
  const possible = view.state === 'ready' && view.missing.length === 0 && view.process_left > 0 && ready !== undefined && !consent.missing;
  useEffect(() => {
    if (!possible) setAsking(false);
  }, [possible]);
  const yes = () => {
    if (!possible || busy) return;
    setAsking(false);
    commands.process(ready);
  };
  return {
    asking: asking && possible,
    consent,
    possible,
    press: () => {
      if (!possible || busy) return;
      if (asking) yes();
      else setAsking(true);
    },
    yes,
    no: () => setAsking(false),
  };
}

