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
  const { outcome, rule, status, path, value, message, message_from, other_type } = judgement;
  const { success_key = '', success_value = '', agent_message_key = '', response_type = '' } = draft.gateway ?? {};
  const about = {
    status: status ?? 0,
    key: success_key.trim(),
    path: path ?? success_key.trim(),
    value: value ?? '',
    expected: success_value.trim(),
    expected_type: response_type,
  };
  return (
    <Notice tone={toneOf(outcome)}>
      <strong>{t(`trial.outcome.${outcome}`)}</strong>
      <p>{t(`trial.rule.${rule}`, about)}</p>
      <p>{t(`trial.message.${message_from}`, { text: message, key: agent_message_key.trim() })}</p>
      {other_type != null && <p>{t('trial.other_type', { type: other_type, expected_type: response_type })}</p>}
    </Notice>
  );
}
