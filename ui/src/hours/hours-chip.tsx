/** Whether a service is open, by the server's word. Owns: how that is said. Never: reckons it. */
import { useLocale } from 'react-aria-components';
import type { HoursNow } from '../lib/api/types';
import { Chip } from '../lib/controls';
import { useT } from '../lib/i18n';

/** Behind it a day of the week could be the next one or the one after. */
const WEEK_MS = 6 * 86_400_000;

/** "Mon 08:00" by the service's own clock; a date, too, where that is not this week's. */
function momentText(at: number, zone: string, locale: string): string {
  const isSoon = at - Date.now() < WEEK_MS;
  return new Intl.DateTimeFormat(locale, { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone, ...(isSoon ? {} : { day: 'numeric', month: 'short' }) }).format(at);
}

export function HoursChip({ now, zone }: { now: HoursNow; zone: string }) {
  const t = useT();
  const { locale } = useLocale();
  if (now.is_open) return <Chip tone="good" icon="clock">{t('services.open_now')}</Chip>;
  return <Chip tone="warn" icon="clock">{now.until ? t('services.closed_until', { when: momentText(now.until, zone, locale) }) : t('services.closed')}</Chip>;
}
