/** A widget's form, with the reference's labels. OK keeps it in the desktop's form; only Save stores it. */
import { Suspense, lazy, useEffect, useRef, useState } from 'react';
import { Form, Tab, TabList, TabPanel, TabPanels, Tabs } from 'react-aria-components';
import { may } from '../lib/api/queries';
import type { CheckedCase, Login, ResponseVariables, SavedCase } from '../lib/api/types';
import { KIND_NAMES, isAdvanced } from '../lib/capture/words';
import { Button, CheckInput, Notice, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { withOffice } from '../lib/i18n/catalogue';
import css from './admin.module.css';
import type { Errors, WidgetDraft } from './desktop-form';
import { tabOfError, widgetErrors } from './desktop-form';
import { DiscardQuestion } from './discard-question';
import { AdvancedConfig, PaymentGatewayConfig } from './gateway-inputs';
import type { TrialProps } from './gateway-trial';
import { MessageConfig } from './message-inputs';

type TabName = 'message' | 'gateway' | 'advanced';
const TABS: readonly { id: TabName; name: MessageId }[] = [
  { id: 'message', name: 'widget.tab.message' },
  { id: 'gateway', name: 'widget.tab.gateway' },
  { id: 'advanced', name: 'widget.tab.advanced' },
];

export type WidgetSheetProps = {
  widget: WidgetDraft;
  /** Identity of its desktop. */
  desktopId: string;
  /** Titles of the desktop's other widgets. */
  others: readonly string[];
  login: Login;
  responseVariables: ResponseVariables;
  serverErrors: Errors;
  onOk: (widget: WidgetDraft) => void;
  onCancel: () => void;
};

export type InputsProps = {
  draft: WidgetDraft;
  errors: Errors;
  onChange: (next: Partial<WidgetDraft>) => void;
  /** This login may change the texts, the gateway, the password. */
  may: { messages: boolean; gateway: boolean; password: boolean };
  responseVariables: ResponseVariables;
};

export default function WidgetSheet({ widget, desktopId, others, login, responseVariables, serverErrors, onOk, onCancel }: WidgetSheetProps) {
  const t = useT();
  const root = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(widget);
  const [errors, setErrors] = useState<Errors>(serverErrors);
  const [tab, setTab] = useState<TabName>(() => firstTab(serverErrors) ?? 'message');
  const [asking, setAsking] = useState(false);
  const [otherwise, setOtherwise] = useState<{ of: WidgetDraft; cases: readonly CheckedCase[] }>();
  const inputs: InputsProps = {
    draft,
    errors,
    responseVariables,
    may: {
      messages: may(login, 'desktop.edit'),
      gateway: may(login, 'gateway.edit'),
      password: may(login, 'gateway.secret.write'),
    },
    onChange: (next) => setDraft({ ...draft, ...next }),
  };
  const withMore = isAdvanced(draft.kind);
  useEffect(() => {
    // The tab asks again, and says so if it cannot be read.
    if (withMore) Promise.all([readMore(), readPresets()]).catch(() => undefined);
  }, [withMore]);
  const ok = () => {
    const wrong = widgetErrors(t, draft, others);
    setErrors(wrong);
    const first = firstTab(wrong);
    if (!first) return judged(draft);
    setTab(first);
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-error-anchor]')?.focus());
  };
  /** Saved cases are judged before the form is taken; with some that come out otherwise, OK again takes it all the same. */
  const judged = (checked: WidgetDraft) => {
    if (!checked.gateway?.more.cases?.length || !inputs.may.gateway || otherwise?.of === checked) return onOk(checked);
    readCases()
      .then(({ runCases }) => runCases(checked))
      .then((cases) => (cases.every(({ differences }) => differences.length === 0) ? onOk(checked) : setOtherwise({ of: checked, cases })))
      // Save tells what the server refuses.
      .catch(() => onOk(checked));
  };
  const keepCase = (kept: SavedCase) => {
    const gateway = draft.gateway;
    if (gateway) setDraft({ ...draft, gateway: { ...gateway, more: { ...gateway.more, cases: [...(gateway.more.cases ?? []), kept] } } });
  };
  const cancel = () => (draft === widget ? onCancel() : setAsking(true));
  return (
    <Form
      ref={root}
      className={css.sheetForm!}
      onSubmit={(event) => {
        event.preventDefault();
        ok();
      }}
    >
      <header className={css.sheetHead}>
        <h2>{t(KIND_NAMES[draft.kind])}</h2>
      </header>
      <div className={css.sheetBody}>
        <TextInput
          label={t('widget.title')}
          value={draft.title}
          onChange={(title) => inputs.onChange({ title })}
          error={errors.title}
          disabled={!inputs.may.messages}
          maxLength={60}
          required
          autoFocus
        />
        <CheckInput label={t('widget.enabled')} value={draft.enabled} onChange={(enabled) => inputs.onChange({ enabled })} disabled={!inputs.may.messages} />
        {errors.enabled && <Notice tone="bad">{errors.enabled}</Notice>}
        {errors.gateway && <Notice tone="bad">{errors.gateway}</Notice>}
        {isAdvanced(draft.kind) ? (
          <Tabs selectedKey={tab} onSelectionChange={(key) => setTab(key as TabName)}>
            <TabList className={css.tabs!} aria-label={t('widget.tabs')}>
              {TABS.map(({ id, name }) => (
                <Tab key={id} id={id} className={css.tab!}>
                  {t(name)}
                  <TabErrors errors={errors} tab={id} />
                </Tab>
              ))}
            </TabList>
            <TabPanels>
              <TabPanel id="message" className={css.tabPanel!}>
                <MessageConfig {...inputs} />
              </TabPanel>
              <TabPanel id="gateway" className={css.tabPanel!}>
                {inputs.may.gateway && draft.gateway && (
                  <Suspense fallback={<p role="status" className={css.moreAwaited}>{t('app.loading')}</p>}>
                    <GatewayPresets draft={draft} errors={errors} onChange={setDraft} onErrors={setErrors} />
                  </Suspense>
                )}
                <PaymentGatewayConfig {...inputs} />
                <Suspense fallback={<p role="status" className={css.moreAwaited}>{t('app.loading')}</p>}>
                  <GatewayMore {...inputs} />
                </Suspense>
                {inputs.may.gateway && draft.gateway && <Trials draft={draft} desktop={desktopId} onErrors={setErrors} onCase={keepCase} />}
              </TabPanel>
              <TabPanel id="advanced" className={css.tabPanel!}>
                <AdvancedConfig {...inputs} />
              </TabPanel>
            </TabPanels>
          </Tabs>
        ) : (
          <MessageConfig {...inputs} />
        )}
      </div>
      {otherwise?.of === draft && (
        <Suspense>
          <CasesOtherwise cases={otherwise.cases} />
        </Suspense>
      )}
      <footer className={css.sheetFoot}>
        <Button onPress={cancel}>{t('widget.cancel')}</Button>
        <Button look="primary" type="submit">
          {t('widget.ok')}
        </Button>
      </footer>
      <DiscardQuestion title="widget.discard_question" open={asking} onStay={() => setAsking(false)} onDiscard={onCancel} />
    </Form>
  );
}

/** Asked for while the first tab is read, so that it is there with its own and nothing moves under the pointer. */
const readMore = withOffice(() => import('./gateway-more'));
const GatewayMore = lazy(readMore);
const readPresets = withOffice(() => import('./gateway-presets'));
const GatewayPresets = lazy(readPresets);
const readCases = withOffice(() => import('./gateway-cases'));
const CasesOtherwise = lazy(readCases);
/** Read when one of its buttons is pressed. */
const GatewayTrial = lazy(withOffice(() => import('./gateway-trial')));

/** "Preview request" and "Test gateway": of the form as it stands. */
function Trials(trial: Pick<TrialProps, 'draft' | 'desktop' | 'onErrors' | 'onCase'>) {
  const t = useT();
  const [what, setWhat] = useState<TrialProps['what']>();
  return (
    <div className={css.tools}>
      <Button onPress={() => setWhat('preview')}>{t('widget.preview_request')}</Button>
      <Button onPress={() => setWhat('test')}>{t('widget.test_gateway')}</Button>
      <Suspense>{what && <GatewayTrial what={what} {...trial} onClose={() => setWhat(undefined)} />}</Suspense>
    </div>
  );
}

function firstTab(errors: Errors): TabName | undefined {
  const tabs = Object.keys(errors).map(tabOfError);
  return TABS.find(({ id }) => tabs.includes(id))?.id;
}

function TabErrors({ errors, tab }: { errors: Errors; tab: TabName }) {
  const t = useT();
  const count = Object.keys(errors).filter((path) => path !== 'title' && path !== 'enabled' && tabOfError(path) === tab).length;
  return count > 0 ? <span className={css.count}>{t('widget.tab_errors', { n: count })}</span> : null;
}
