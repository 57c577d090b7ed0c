/**
 * A widget's gateway as it stands in its form, for trying it out.
 * Owns: what the server is asked of it.
 * Never: a number of a card or an account: the server has the published ones.
 */
import type { Judgement, OperationKind, PastedForm, SavedCase, TestInstrument, TrialForm } from '../lib/api/types';
import { isCheck } from '../lib/capture/words';
import type { WidgetDraft } from './desktop-form';
import { BRANDS, credentialsOf, gatewayFormOf } from './desktop-form';

/** Published cards of the types that the widget takes; of all types while none is ticked. */
export function instrumentsOf(draft: WidgetDraft): readonly TestInstrument[] {
  if (isCheck(draft.kind)) return ['account'];
  return draft.card_types.length > 0 ? draft.card_types : BRANDS;
}

export function currencyOf(draft: WidgetDraft): string {
  return draft.options.payment.currencies[0] ?? 'USD';
}

/** Debits for which NACHA asks for what the consumer said at the telephone, and nobody is asked here (S20). */
export function isTelUnauthorised({ kind, options }: WidgetDraft): boolean {
  return isCheck(kind) && (options.sec_code === 'tel' || options.sec_code === 'by_holder') && options.authorisation.rule === 'none';
}

/** The form is asked only where there is a gateway. */
const configOf = (draft: WidgetDraft) => ({ kind: draft.kind, gateway: gatewayFormOf(draft)! });

/** A preview needs no password and no secret, so it gets none. */
export function previewForm(draft: WidgetDraft, desktop: string, instrument: TestInstrument): TrialForm {
  return {
    desktop,
    ...(draft.id ? { widget: draft.id } : {}),
    ...configOf(draft),
    with: instrument,
    currency: currencyOf(draft),
    asked: draft.options.demographic.map(({ name }) => name),
    sec_code: draft.options.sec_code,
  };
}

export function testForm(draft: WidgetDraft, desktop: string, instrument: TestInstrument): TrialForm {
  return { ...previewForm(draft, desktop, instrument), ...credentialsOf(draft) };
}

export type Pasted = { status: string; content_type: string; body: string };

/** An answer with what it came to. */
export function caseOf(name: string, { status, content_type, body }: Pasted, { outcome, message, outputs }: Judgement, operation: OperationKind | undefined): SavedCase {
  return {
    name,
    ...(operation ? { operation } : {}),
    status: Number(status),
    headers: content_type.trim() === '' ? [] : [{ name: 'content-type', value: content_type.trim() }],
    body,
    expected: { outcome, message, outputs: Object.fromEntries(outputs.map((output) => [output.name, output.value])) },
  };
}

export function pastedForm(draft: WidgetDraft, pasted: Pasted, operation: OperationKind | undefined): PastedForm {
  return { ...configOf(draft), ...pasted, status: Number(pasted.status), ...(operation ? { operation } : {}) };
}
