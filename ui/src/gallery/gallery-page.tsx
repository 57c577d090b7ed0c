/** Every widget in every state, from fixtures: for eyes, screenshots and accessibility checks. */
import { useState } from 'react';
import { useSearch } from 'wouter';
import { CallBar } from '../agent/call-bar';
import type { CallCommands } from '../agent/call-controls';
import { ControlButtons } from '../agent/control-buttons';
import type { CaptureView, Field, WidgetKind } from '../lib/api/types';
import { CaptureWidget } from '../lib/capture/capture-widget';
import { NOW, atField, call, capture, obtained, outcomes, row } from '../lib/capture/fixtures';
import { emptyForm } from '../lib/capture/payment-form';
import type { WidgetCommands } from '../lib/capture/props';
import type { Walk } from '../lib/capture/walk';
import { firstStop } from '../lib/capture/walk';
import { T } from '../lib/i18n';
import css from './gallery.module.css';

const CALL_COMMANDS: CallCommands = { mute: () => undefined, hold: () => undefined, record: () => undefined, key: () => Promise.resolve(), transfer: () => undefined, cancelTransfer: () => undefined, end: () => undefined };
const COMMANDS: WidgetCommands = {
  act: () => undefined,
  process: () => undefined,
  reveal: () => undefined,
  conceal: () => undefined,
  readOut: async () => ({ text: '', is_recorded: false, agreed_at: null }),
  newPayment: () => undefined,
};

/** A scheme's documented test number, never a person's. */
const TEST_VALUES: Partial<Record<Field, string>> = { card_number: '4111111111111111', expiry: '0929', routing_number: '021000021', account_number: '000123456' };
const REVEALED = { revealable: true } as const;

type Shown = { view: CaptureView; values?: Partial<Record<Field, string>>; held?: boolean; lineSilent?: boolean; refusal?: string };

const cardErrors = [
  { code: 'luhn' },
  { code: 'too_short', arrived: 12 },
  { code: 'brand_not_accepted', brand: 'american_express' },
  { code: 'brand_unknown' },
  { code: 'no_input' },
  { code: 'tones_unclear' },
] as const;

function common(kind: WidgetKind): Shown[] {
  return [
    { view: capture(kind, 'arming') },
    { view: capture(kind, 'armed') },
    { view: capture(kind, 'blocked', { reason: 'delay_line' }) },
    { view: capture(kind, 'protection_lost', { reason: 'overload' }) },
    { view: capture(kind, 'lost', { reason: 'call_ended' }) },
    { view: capture(kind, 'frozen') },
    { view: capture(kind, 'lost', { id: `${kind}-party`, reason: 'party_unanswered' }) },
    { view: capture(kind, 'cancelled') },
  ];
}

function cards(kind: 'credit_card_basic' | 'credit_card_advanced'): Shown[] {
  return [
    { view: atField(kind, 'card_number', { state: 'waiting' }) },
    { view: atField(kind, 'card_number', { state: 'keying', count: 6 }) },
    { view: atField(kind, 'card_number', { state: 'slow', count: 9 }), lineSilent: true },
    ...cardErrors.map((error) => ({ view: atField(kind, 'card_number', { state: 'invalid', error }, 'invalid') })),
    { view: atField(kind, 'expiry', { state: 'keying', count: 2 }), held: true },
    { view: atField(kind, 'expiry', { state: 'invalid', error: { code: 'expired' } }, 'invalid') },
    { view: atField(kind, 'security_code', { state: 'invalid', error: { code: 'cvv_length', needed: 3 }, attempt: 2 }, 'invalid') },
    { view: atField(kind, 'card_number', { state: 'locked', attempt: 3 }) },
  ];
}

function checks(kind: 'check_basic' | 'check_advanced'): Shown[] {
  return [
    { view: atField(kind, 'routing_number', { state: 'keying', count: 4 }) },
    { view: atField(kind, 'routing_number', { state: 'invalid', error: { code: 'aba_checksum' } }, 'invalid') },
    { view: atField(kind, 'account_number', { state: 'keying', count: 5 }) },
    { view: atField(kind, 'account_number', { state: 'invalid', error: { code: 'account_length' } }, 'invalid') },
  ];
}

function basicEnds(kind: 'credit_card_basic' | 'check_basic'): Shown[] {
  const check = kind === 'check_basic';
  const fields = check
    ? [obtained('routing_number', REVEALED), obtained('account_number', REVEALED)]
    : [obtained('card_number', { ...REVEALED, brand: 'visa' }), obtained('expiry', REVEALED), obtained('security_code')];
  const ready = capture(kind, 'ready', { fields });
  return [
    { view: ready, values: TEST_VALUES },
    { view: { ...ready, id: `${ready.id}-hidden`, ends_at: NOW + 41_000, may_keep_open: true } },
    { view: capture(kind, 'done') },
    { view: capture(kind, 'done', { id: `${kind}-resumed`, confirm_gone: false }) },
  ];
}

const ADVANCED_EXTRA: Shown[] = [
  { view: capture('credit_card_advanced', 'ready') },
  {
    view: capture('credit_card_advanced', 'collecting', {
      id: 'brand',
      fields: [obtained('card_number', { brand: 'visa', last_four: '1111' }), row('expiry', { state: 'waiting', attempt: 2 }), row('security_code', { state: 'not_available' })],
      listening: 'expiry',
    }),
    refusal: 'Not possible while the capture is collecting',
  },
];

const SECTIONS: readonly { kind: WidgetKind; shown: Shown[] }[] = [
  { kind: 'credit_card_basic', shown: [...common('credit_card_basic'), ...cards('credit_card_basic'), ...basicEnds('credit_card_basic')] },
  { kind: 'check_basic', shown: [...common('check_basic'), ...checks('check_basic'), ...basicEnds('check_basic')] },
  {
    kind: 'credit_card_advanced',
    shown: [...common('credit_card_advanced'), ...cards('credit_card_advanced'), ...ADVANCED_EXTRA, ...outcomes('credit_card_advanced').map((view) => ({ view }))],
  },
  { kind: 'check_advanced', shown: [...common('check_advanced'), ...checks('check_advanced'), ...outcomes('check_advanced').map((view) => ({ view }))] },
];

/** `?kind=check_basic` shows that kind alone, `?kind=none` none. */
export default function GalleryPage() {
  const only = new URLSearchParams(useSearch()).get('kind');
  return (
    <main className={css.gallery} id="content">
      <h1>
        <T id="gallery.title" />
      </h1>
      <section className={css.section}>
        <h2>
          <T id="gallery.controls" />
        </h2>
        <CallBar call={undefined} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call()} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ state: 'held', held_by: 'agent', agent_muted: true })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ state: 'held', held_by: 'agent', transfer: { to: 'Morgan Lee', failed: null } })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ state: 'ringing', dialled: { step: 'agent_phone', failed: null } })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ recording: { state: 'off', on_demand: true } })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ recording: { state: 'failed', on_demand: true } })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ transfer: { to: 'Morgan Lee', failed: 'no_answer' } })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <CallBar call={call({ state: 'held', held_by: 'phone', line_silent: true, capture: capture('credit_card_basic', 'armed') })} now={NOW} busy={false} commands={CALL_COMMANDS} />
        <ControlButtons buttons={call().buttons} online waiting={false} keyboard={false} onOpen={COMMANDS.newPayment} />
        <ControlButtons buttons={call().buttons} online waiting keyboard={false} onOpen={COMMANDS.newPayment} />
      </section>
      {SECTIONS.filter(({ kind }) => !only || only === kind).map(({ kind, shown }) => (
        <section key={kind} className={css.section} data-kind={kind}>
          <h2>
            <T id={`kind.${kind}`} />
          </h2>
          <div className={css.grid}>
            {shown.map((one) => (
              <GalleryWidget key={one.view.id} {...one} />
            ))}
          </div>
        </section>
      ))}
    </main>
  );
}

function GalleryWidget({ view, values = {}, held = false, lineSilent = false, refusal }: Shown) {
  const filled = view.state === 'ready' || view.payment;
  const [form, setForm] = useState(() => (filled ? { ...emptyForm({ firstName: 'Jane', lastName: 'Roe' }), amount: '120.50' } : emptyForm()));
  const [walk, setWalk] = useState<Walk>(() => ({ stop: view.state === 'ready' ? 'status' : view.fields.some((one) => one.state === 'locked') ? 'payment' : firstStop(view), movedByItselfAt: 0 }));
  return (
    <CaptureWidget
      view={view}
      commands={COMMANDS}
      now={NOW}
      held={held}
      lineSilent={lineSilent}
      busy={false}
      refusal={refusal}
      values={values}
      form={form}
      onForm={setForm}
      walk={walk}
      onWalk={setWalk}
      keyboard={false}
    />
  );
}
