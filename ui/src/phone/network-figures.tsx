/** How good the line is: a word, and the figures behind it. */
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { Button, Icon } from '../lib/controls';
import controls from '../lib/controls/controls.module.css';
import { useT } from '../lib/i18n';
import { numberText } from '../lib/i18n/format';
import css from './phone.module.css';
import type { Figures } from './quality';
import { GRADES } from './words';

export function NetworkFigures({ figures }: { figures: Figures }) {
  const t = useT();
  const { icon, tone, word } = GRADES[figures.grade];
  return (
    <DialogTrigger>
      <span className={css.grade} data-tone={tone}>
        <Button size="small" look="quiet">
          <Icon name={icon} />
          {t('phone.network', { grade: t(word) })}
        </Button>
      </span>
      <Popover className={controls.popover!} offset={4}>
        <Dialog aria-label={t('phone.figures')} className={css.figures!}>
          <FigureList figures={figures} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

export function FigureList({ figures }: { figures: Figures | undefined }) {
  const t = useT();
  const ms = (value: number | undefined) => (value === undefined ? t('phone.unknown') : `${numberText(Math.round(value))} ms`);
  return (
    <dl className={css.list}>
      <dt>{t('phone.loss')}</dt>
      <dd>{figures ? `${numberText(Math.round(figures.loss * 1_000) / 10)} %` : t('phone.unknown')}</dd>
      <dt>{t('phone.jitter')}</dt>
      <dd>{ms(figures?.jitter_ms)}</dd>
      <dt>{t('phone.round_trip')}</dt>
      <dd>{ms(figures?.round_trip_ms)}</dd>
    </dl>
  );
}
