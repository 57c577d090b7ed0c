/** A gateway tried out from its form: the request as it would go out, an answer judged, a test sent. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Fragment, useEffect, useRef, useState } from 'react';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import type { OperationKind, PreviewPart, PreviewStep, PreviewView, SavedCase, TestInstrument, TestView, TestedStep } from '../lib/api/types';
import { BRAND_NAMES } from '../lib/capture/words';
import { Button, Icon, Notice, SelectInput, Sheet } from '../lib/controls';
import { useT } from '../lib/i18n';
import { decimalsOf, moneyText } from '../lib/i18n/format';
import css from './admin.module.css';
import type { Errors, WidgetDraft } from './desktop-form';
import { pathOf } from './desktop-form';
import { kindsOf } from './more-form';
import { PastedAnswer } from './pasted-answer';
import { currencyOf, instrumentsOf, isTelUnauthorised, previewForm, testForm } from './trial-form';
import { Judgement } from './trial-verdict';
import look from './trial.module.css';

export type TrialProps = {
  what: 'preview' | 'test';
  draft: WidgetDraft;
  /** Whose form it is. */
  desktop: string;
  /** What saving would refuse, for the form behind. */
  onErrors: (errors: Errors) => void;
  /** A pasted answer is to be kept with the gateway. */
  onCase: (kept: SavedCase) => void;
  onClose: () => void;
};

export default function GatewayTrial({ what, draft, desktop, onErrors, onCase, onClose }: TrialProps) {
  const t = useT();
  const instruments = instrumentsOf(draft);
  const [instrument, setInstrument] = useState<TestInstrument>(instruments[0]!);
  const title = t(what === 'preview' ? 'widget.preview_request' : 'widget.test_gateway');
  const name = (one: TestInstrument) => (one === 'account' ? t('trial.account') : t('trial.card', { brand: t(BRAND_NAMES[one]) }));
  const Body = what === 'preview' ? PreviewBody : TestBody;
  return (
    <Sheet label={title} open onClose={onClose}>
      <div className={css.sheetForm}>
        <header className={css.sheetHead}>
          <h2>{title}</h2>
        </header>
        <div className={css.sheetBody}>
          <SelectInput label={t('trial.with')} value={instrument} choices={instruments.map((id) => ({ id, label: name(id) }))} onChange={setInstrument} />
          <Body draft={draft} desktop={desktop} instrument={instrument} onErrors={onErrors} onCase={onCase} />
        </div>
        <footer className={css.sheetFoot}>
          <Button onPress={onClose}>{t('trial.close')}</Button>
        </footer>
      </div>
    </Sheet>
  );
}

type BodyProps = Pick<TrialProps, 'draft' | 'desktop' | 'onErrors' | 'onCase'> & { instrument: TestInstrument };

/** Chosen where no operation is. */
const SALE = 'sale';

function PreviewBody({ draft, desktop, instrument, onErrors, onCase }: BodyProps) {
  const t = useT();
  const kinds = kindsOf(draft.gateway?.more ?? {});
  const [asked, setAsked] = useState<OperationKind>();
  const form = previewForm(draft, desktop, instrument);
  const preview = useQuery({
    queryKey: ['gateway-preview', form],
    queryFn: () => api<PreviewView>('POST', '/gateway/preview', { body: form }),
    retry: false,
    gcTime: 0,
  });
  return (
    <>
      {kinds.length > 0 && (
        <SelectInput
          label={t('trial.asked')}
          value={asked ?? SALE}
          choices={[{ id: SALE, label: t('trial.payment') }, ...kinds.map((id) => ({ id, label: t(`more.operation.${id}`) }))]}
          onChange={(id) => setAsked(id === SALE ? undefined : id)}
        />
      )}
      <p className={css.hint}>{t('trial.preview_hint')}</p>
      <div role="status" className={look.result}>
        {preview.isPending && t('app.loading')}
        {preview.data && <Request key={asked ?? SALE} view={preview.data} typed={draft.password !== ''} asked={asked} />}
      </div>
      {isTelUnauthorised(draft) && <Notice tone="warn">{t('trial.tel')}</Notice>}
      <Refusal error={preview.error} onErrors={onErrors} />
      <PastedAnswer key={asked ?? SALE} draft={draft} operation={asked} onCase={onCase} />
    </>
  );
}

/** As it goes over the wire. */
function partsOf({ method, url, headers, body }: PreviewStep | PreviewView['request']): PreviewPart[] {
  const plain = (text: string): PreviewPart => ({ text, hidden: false });
  return [plain(`${method} ${url}\n`), ...headers.flatMap(({ name, value }) => [plain(`${name}: `), ...value, plain('\n')]), plain('\n'), ...body];
}

function Request({ view: { request: sale, host_approved, credential }, typed, asked }: { view: PreviewView; typed: boolean; asked: OperationKind | undefined }) {
  const t = useT();
  const request = asked ? sale.operations?.find(({ kind }) => kind === asked) : sale;
  const [copied, setCopied] = useState(false);
  const used = typed && credential !== 'none' ? 'typed' : credential;
  const steps = request?.steps ?? [];
  const title = asked ? t(`more.operation.${asked}`) : t('trial.payment');
  const requests = [...steps.map((step) => ({ title: t('trial.step', { name: step.name }), parts: partsOf(step) })), ...(request ? [{ title, parts: partsOf(request) }] : [])];
  const copy = async () => {
    await navigator.clipboard.writeText(requests.map(({ parts }) => parts.map(({ text }) => text).join('')).join('\n\n'));
    setCopied(true);
  };
  return (
    <>
      {requests.map(({ title, parts }) => (
        <Fragment key={title}>
          {steps.length > 0 && <h3>{title}</h3>}
          <pre className={look.text}>{parts.map(({ text, hidden }, place) => (hidden ? <mark key={place}>{text}</mark> : text))}</pre>
        </Fragment>
      ))}
      <div className={css.tools}>
        <Button size="small" onPress={() => void copy()}>
          <Icon name="copy" />
          {t('trial.copy')}
        </Button>
        {copied && <span className={css.hint}>{t('trial.copied')}</span>}
      </div>
      {asked && <p className={css.hint}>{t('trial.of_sale')}</p>}
      {used !== 'none' && <Notice tone={used === 'typed' || used === 'stored' ? 'info' : 'warn'}>{t(`trial.password.${used}`)}</Notice>}
      {!host_approved && <Notice tone="info">{t('trial.host_waits')}</Notice>}
    </>
  );
}

function TestBody({ draft, desktop, instrument, onErrors }: BodyProps) {
  const t = useT();
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const test = useMutation({
    mutationFn: () => sent(testForm(draft, desktop, instrument), () => here.current),
  });
  const host = hostOf(draft);
  const currency = currencyOf(draft);
  const amount = moneyText({ minor: 10 ** decimalsOf(currency), currency });
  return (
    <>
      <Notice tone="warn">{t('trial.real', { host, amount, with: instrument })}</Notice>
      <div className={css.tools}>
        <Button look="primary" isDisabled={test.isPending} onPress={() => test.mutate()}>
          {t('trial.send')}
        </Button>
      </div>
      <div role="status" className={look.result}>
        {test.isPending && (
          <>
            <p>{t('trial.under_way', { host })}</p>
            <div className={look.progress} role="progressbar" aria-label={t('trial.under_way', { host })} />
          </>
        )}
        {test.data && !test.isPending && <Result view={test.data} draft={draft} />}
      </div>
      <Refusal error={test.error} onErrors={onErrors} />
    </>
  );
}

/** Sends it, and asks for its end for as long as somebody waits for that. */
async function sent(body: unknown, waits: () => boolean): Promise<TestView> {
  let view = await api<TestView>('POST', '/gateway/test', { body });
  while (view.result.state === 'under_way' && waits()) view = await api<TestView>('GET', '/gateway/test');
  return view;
}

function hostOf({ gateway }: WidgetDraft): string {
  return gateway && URL.canParse(gateway.service_url) ? new URL(gateway.service_url).host : '';
}

function Result({ view: { result }, draft }: { view: TestView; draft: WidgetDraft }) {
  const t = useT();
  if (result.state === 'under_way') return null;
  if (result.state === 'not_sent') {
    return (
      <>
        <Notice tone="bad">
          <strong>{t('trial.nothing_sent')}</strong>
          <p>{t(`trial.why.${result.reason === 'ledger' ? 'busy' : result.reason}`)}</p>
          <p className={look.detail}>{result.detail}</p>
        </Notice>
        <Steps steps={result.steps} />
      </>
    );
  }
  const { judgement, why, excerpt, connected_ms: connected, head_ms: head, ended_ms: ended } = result;
  return (
    <>
      <Judgement judgement={judgement} draft={draft} />
      {why && <p className={look.detail}>{why}</p>}
      <Steps steps={result.steps} />
      <p className={css.hint}>{head == null ? t('trial.phases_cut', { connected, ended }) : t('trial.phases', { connected, head, ended })}</p>
      {excerpt && (
        <>
          <h3>{t('trial.answer')}</h3>
          <pre className={look.text}>{excerpt}</pre>
        </>
      )}
    </>
  );
}

/** The calls before the payment, and what each was answered. */
function Steps({ steps = [] }: { steps?: TestedStep[] | undefined }) {
  const t = useT();
  return steps.map(({ name, status, why, ended_in_ms: ended, excerpt }) => (
    <Fragment key={name}>
      <p className={css.hint}>{why || status == null ? t('trial.step_cut', { name, why: why ?? '' }) : t('trial.step_ended', { name, status, ended })}</p>
      {excerpt && <pre className={look.text}>{excerpt}</pre>}
    </Fragment>
  ));
}

/** Why it was not done; what is wrong in the form is told to the form, too. */
function Refusal({ error, onErrors }: { error: unknown; onErrors: (errors: Errors) => void }) {
  const t = useT();
  const wrong = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const told = useRef<unknown>(null);
  useEffect(() => {
    if (!error || told.current === error) return;
    told.current = error;
    onErrors(Object.fromEntries(wrong.map(({ field, message }) => [pathOf(field), message])));
  });
  if (!error) return null;
  return (
    <Notice tone="bad" role="alert">
      {wrong.length === 0 ? sentenceOf(error) : t('trial.correct')}
      {wrong.length > 0 && (
        <ul className={css.wrongs}>
          {wrong.map(({ field, message }) => (
            <li key={field}>{message}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
