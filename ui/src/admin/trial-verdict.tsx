/** What an answer comes to, and why. */
import type { Judgement as JudgementView, OperationKind, Outcome } from '../lib/api/types';
import { Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { WidgetDraft } from './desktop-form';
import { operationOf } from './more-form';

function toneOf(outcome: Outcome): 'good' | 'bad' | 'warn' {
  switch (outcome) {
    case 'approved':
      return 'good';
    case 'declined':
    case 'error':
      return 'bad';
    case 'review':
    case 'unknown':
      return 'warn';
    default:
      return outcome satisfies never;
  }
}

/** By what an answer is read: the payment's members, or an operation's, whose type may be the payment's. */
function rulesOf({ gateway }: WidgetDraft, operation: OperationKind | undefined) {
  const own = operation && operationOf(gateway?.more, operation);
  const { success_key = '', success_value = '', agent_message_key = '' } = own ?? gateway ?? {};
  return { success_key, success_value, agent_message_key, response_type: own?.response_type ?? gateway?.response_type ?? '' };
}

export function Judgement({ judgement, draft, operation }: { judgement: JudgementView; draft: WidgetDraft; /** What was asked; else the payment. */ operation?: OperationKind | undefined }) {
  const t = useT();
  const { outcome, rule, status, path, value, condition, message, message_from, message_path, outputs, reference, other_type } = judgement;
  const { success_key, success_value, agent_message_key, response_type } = rulesOf(draft, operation);
  const found = condition?.value != null && condition.path != null;
  const about = {
    status: status ?? 0,
    key: success_key.trim(),
    path: path ?? success_key.trim(),
    value: value ?? '',
    expected: success_value.trim(),
    expected_type: response_type,
    condition: condition?.line ?? '',
  };
  return (
    <Notice tone={toneOf(outcome)}>
      <strong>{t(`trial.outcome.${outcome}`)}</strong>
      {reference && reference.value == null ? <p>{t('trial.reference_none', { key: reference.key })}</p> : <p>{t(`trial.rule.${rule}`, about)}</p>}
      {reference?.value != null && <p>{t('trial.reference', { key: reference.key, value: reference.value })}</p>}
      {condition && <p>{found ? t('trial.condition.found', { path: condition.path ?? '', value: condition.value ?? '' }) : t('trial.condition.not_found')}</p>}
      <p>{t(`trial.message.${message_from}`, { text: message, key: agent_message_key.trim() })}</p>
      {message_path != null && message_path !== agent_message_key.trim() && <p>{t('trial.message_path', { path: message_path })}</p>}
      {outputs.length > 0 && (
        <>
          <p>{t('trial.outputs')}</p>
          <ul>
            {outputs.map((output) => (
              <li key={output.name}>{t('trial.output', output)}</li>
            ))}
          </ul>
        </>
      )}
      {other_type != null && <p>{t('trial.other_type', { type: other_type, expected_type: response_type })}</p>}
    </Notice>
  );
}
