/** What an answer comes to, and why. */
import type { Judgement as JudgementView, Outcome } from '../lib/api/types';
import { Notice } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { WidgetDraft } from './desktop-form';

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

export function Judgement({ judgement, draft }: { judgement: JudgementView; draft: WidgetDraft }) {
  const t = useT();
  const { outcome, rule, status, path, value, condition, message, message_from, message_path, outputs, other_type } = judgement;
  const { success_key = '', success_value = '', agent_message_key = '', response_type = '' } = draft.gateway ?? {};
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
      <p>{t(`trial.rule.${rule}`, about)}</p>
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
