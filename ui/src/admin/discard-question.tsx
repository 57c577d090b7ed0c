/** Before what was changed in a sheet is thrown away. */
import { Button, Question } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';

export function DiscardQuestion({ title, open, onStay, onDiscard }: { title: MessageId; open: boolean; onStay: () => void; onDiscard: () => void }) {
  const t = useT();
  return (
    <Question
      title={t(title)}
      open={open}
      onClose={onStay}
      actions={
        <>
          <Button autoFocus onPress={onStay}>
            {t('editor.leave_no')}
          </Button>
          <Button look="danger" onPress={onDiscard}>
            {t('editor.discard')}
          </Button>
        </>
      }
    />
  );
}
