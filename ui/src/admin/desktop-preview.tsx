/**
 * Live preview: what an agent sees of this desktop, unsaved changes and all.
 * Owns: the simulated call around the agent's own components, and the buttons that drive it.
 */
import { useMemo, useState } from 'react';
import { ControlButtons } from '../agent/control-buttons';
import { CustomerPanel } from '../agent/customer-panel';
import type { Parts } from '../agent/layouts';
import { DesignedPreview } from '../agent/layouts';
import { NotesPanel } from '../agent/notes-panel';
import { useNow } from '../agent/use-now';
import { useWalk } from '../agent/use-walk';
import type { Drafts } from '../designer/drafts';
import { useDesigns } from '../lib/api/queries';
import type { ButtonView, CaptureAction, CaptureView, WidgetKind } from '../lib/api/types';
import { CaptureWidget } from '../lib/capture/capture-widget';
import type { Typed } from '../lib/capture/payment-form';
import { emptyForm } from '../lib/capture/payment-form';
import type { WidgetCommands } from '../lib/capture/props';
import { isAdvanced } from '../lib/capture/words';
import { Button, RadioInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { DesktopDraft, WidgetDraft } from './desktop-form';
import { LAYOUT_NAMES } from './desktop-words';
import type { Happening } from './preview-capture';
import { acted, canHappen, happened, opened, processed, valuesOf } from './preview-capture';

type Width = 'wide' | 'narrow';
type Open = { widget: WidgetDraft; view: CaptureView };

const OF_CONSUMER: readonly Happening[] = ['key', 'value', 'wrong', 'hang_up'];
const OF_GATEWAY: readonly Happening[] = ['approve', 'decline', 'no_answer'];

/** What an agent's form begins with. */
const START: Typed = { ...emptyForm({ firstName: 'Jane', lastName: 'Roe' }), amount: '120.50' };

type PreviewProps = {
  draft: DesktopDraft;
  /** The design that agents of the desktop have now. */
  design: string | null | undefined;
  drafts: Drafts;
};

export default function DesktopPreview({ draft, design, drafts }: PreviewProps) {
  const t = useT();
  const [width, setWidth] = useState<Width>('wide');
  const [open, setOpen] = useState<Open>();
  const [form, setForm] = useState(START);
  const [notes, setNotes] = useState('');
  const shown = draft.widgets.filter((widget) => widget.enabled);
  // An edited widget is shown as it is now: what was simulated of the old one is over.
  const current = open && shown.includes(open.widget) ? open : undefined;
  const show = (view: CaptureView | undefined) => setOpen(view && current ? { ...current, view } : undefined);
  const buttons = shown.map(({ key, kind, title }): ButtonView => ({ widget: key, kind, title, titles: {}, disabled: current ? 'capture_open' : null }));
  const start = (key: string) => {
    const widget = shown.find((one) => one.key === key);
    if (widget) setOpen({ widget, view: opened(widget, Date.now()) });
  };
  const parts: Parts = {
    customer: <CustomerPanel form={form} call={undefined} onForm={setForm} disabled={false} />,
    notes: <NotesPanel text={notes} onText={setNotes} />,
    buttons: shown.length === 0 ? <p className={css.empty}>{t('preview.nothing')}</p> : <ControlButtons buttons={buttons} online waiting={false} keyboard={false} onOpen={start} />,
    widget: current && <PreviewWidget key={current.view.id} open={current} form={form} onForm={setForm} onView={show} onNew={() => start(current.widget.key)} />,
    empty: t('widgets.empty'),
  };
  const drivers = current && isAdvanced(current.widget.kind) ? [...OF_CONSUMER, ...OF_GATEWAY] : OF_CONSUMER;
  return (
    <section className={css.panel} aria-labelledby="preview-title">
      <div className={css.head}>
        <h2 id="preview-title">{t('preview.title')}</h2>
        <div className={css.radios}>
          <RadioInput
            label={t('preview.width')}
            value={width}
            onChange={setWidth}
            choices={[
              { id: 'narrow', label: t('preview.narrow') },
              { id: 'wide', label: t('preview.wide') },
            ]}
          />
        </div>
      </div>
      <p className={css.hint}>{t('preview.text', { layout: t(LAYOUT_NAMES[draft.layout]) })}</p>
      <div className={css.drivers} role="group" aria-label={t('preview.drive')}>
        {drivers.map((what) => (
          <Button key={what} size="small" isDisabled={!canHappen(current?.view, what)} onPress={() => current && show(happened(current.view, what))}>
            {t(`preview.${what}`)}
          </Button>
        ))}
      </div>
      <div className={css.stage} data-width={width}>
        {draft.layout === 'designer' ? (
          <PreviewDesign design={drafts.chosen ?? design} drafts={drafts} parts={parts} open={current?.widget.kind} />
        ) : (
          <AgentPanel {...parts} />
        )}
      </div>
    </section>
  );
}

function AgentPanel({ buttons, widget }: Parts) {
  return (
    <>
      {buttons}
      {widget}
    </>
  );
}

/** The tiles as they are drafted. Without a design agents have the Agent Panel. */
function PreviewDesign({ design, drafts, parts, open }: { design: string | null | undefined; drafts: Drafts; parts: Parts; open: WidgetKind | undefined }) {
  const { data } = useDesigns();
  const view = data?.designs.find((one) => one.design.id === design);
  return view ? <DesignedPreview tiles={drafts.of(view.design).now} parts={parts} open={open} /> : <AgentPanel {...parts} />;
}

type PreviewWidgetProps = { open: Open; form: Typed; onForm: (form: Typed) => void; onView: (view: CaptureView | undefined) => void; onNew: () => void };

function PreviewWidget({ open: { widget, view }, form, onForm, onView, onNew }: PreviewWidgetProps) {
  const t = useT();
  const now = useNow();
  const [shows, setShows] = useState(true);
  const act = (action: CaptureAction) => onView(acted(view, action));
  const commands: WidgetCommands = {
    act,
    process: (payment) => onView(processed(view, payment, Date.now())),
    reveal: () => setShows(true),
    conceal: () => setShows(false),
    readOut: async () => ({ text: t('consent.example'), is_recorded: true, agreed_at: null }),
    newPayment: onNew,
  };
  const { walk, go } = useWalk(view, act);
  const values = useMemo(() => (shows ? valuesOf(view, widget) : {}), [shows, view, widget]);
  return (
    <CaptureWidget
      view={view}
      commands={commands}
      now={now}
      held={false}
      lineSilent={false}
      busy={false}
      values={values}
      form={form}
      onForm={onForm}
      walk={walk}
      onWalk={go}
      keyboard={false}
    />
  );
}
