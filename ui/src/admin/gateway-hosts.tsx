/** Hosts that captured values go to, and a second person's approval of them (S4). */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useGatewayHosts } from '../lib/api/queries';
import type { GatewayHost, HostList, Login } from '../lib/api/types';
import type { Tone } from '../lib/controls';
import { Button, Chip, Notice, Sheet, TextInput } from '../lib/controls';
import type { IconName } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';

const LOOKS: Record<GatewayHost['standing'], { tone: Tone; icon: IconName }> = {
  listed: { tone: 'good', icon: 'check' },
  approved: { tone: 'good', icon: 'check' },
  waiting: { tone: 'warn', icon: 'clock' },
};

type Decision = { host: GatewayHost; way: 'approve' | 'withdraw' };

export function GatewayHosts({ login }: { login: Login }) {
  const t = useT();
  const { data, error } = useGatewayHosts();
  const [decision, setDecision] = useState<Decision>();
  const hosts = data?.hosts ?? [];
  return (
    <section className={css.panel} aria-labelledby="hosts-title">
      <h2 id="hosts-title">{t('hosts.title')}</h2>
      <p className={css.hint}>{t('hosts.text')}</p>
      {error && <Notice tone="bad" role="alert">{sentenceOf(error)}</Notice>}
      {data && hosts.length === 0 && <p className={css.empty}>{t('hosts.none')}</p>}
      <ul className={css.added}>
        {hosts.map((host) => (
          <HostRow key={host.authority} host={host} mayApprove={may(login, 'gateway.approve_host')} onDecide={(way) => setDecision({ host, way })} />
        ))}
      </ul>
      {decision && <DecisionSheet decision={decision} onClose={() => setDecision(undefined)} />}
    </section>
  );
}

function HostRow({ host, mayApprove, onDecide }: { host: GatewayHost; mayApprove: boolean; onDecide: (way: Decision['way']) => void }) {
  const t = useT();
  const { approval, standing, widgets } = host;
  return (
    <li className={css.addedItem}>
      <span className={css.addedText}>
        <strong>{host.authority}</strong>
        <span className={css.hint}>{widgets.length === 0 ? t('hosts.unused') : widgets.map(({ desktop, title }) => `${desktop}: ${title}`).join(', ')}</span>
        {approval && <span>{t('hosts.approved_by', { name: approval.by, time: dateTimeText(approval.at), reason: approval.reason })}</span>}
        {standing === 'waiting' && <span>{t(host.is_editor ? 'hosts.editor' : mayApprove ? 'hosts.waits' : 'hosts.ask')}</span>}
      </span>
      <Chip tone={LOOKS[standing].tone} icon={LOOKS[standing].icon}>{t(`hosts.standing.${standing}`)}</Chip>
      {mayApprove && standing === 'waiting' && !host.is_editor && (
        <Button look="primary" aria-label={t('hosts.approve_name', { host: host.authority })} onPress={() => onDecide('approve')}>
          {t('hosts.approve')}
        </Button>
      )}
      {mayApprove && standing === 'approved' && (
        <Button aria-label={t('hosts.withdraw_name', { host: host.authority })} onPress={() => onDecide('withdraw')}>
          {t('hosts.withdraw')}
        </Button>
      )}
    </li>
  );
}

/** Why, and the own password once more. */
function DecisionSheet({ decision: { host, way }, onClose }: { decision: Decision; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [password, setPassword] = useState('');
  const decide = useMutation({
    mutationFn: () => api<HostList>('POST', `/gateway-hosts/${way}`, { body: { authority: host.authority, reason: reason.trim(), password } }),
    onSuccess: async (hosts) => {
      queries.setQueryData(KEYS.gatewayHosts, hosts);
      onClose();
      await queries.invalidateQueries({ queryKey: KEYS.desktops });
    },
    onSettled: () => setPassword(''),
  });
  const wrong = decide.error instanceof ApiError ? decide.error.problem.errors?.find(({ field }) => field === 'reason')?.message : undefined;
  const title = t(way === 'approve' ? 'hosts.approve_name' : 'hosts.withdraw_name', { host: host.authority });
  return (
    <Sheet label={title} open onClose={onClose}>
      <Form
        className={css.sheetForm!}
        onSubmit={(event) => {
          event.preventDefault();
          if (!decide.isPending) decide.mutate();
        }}
      >
        <header className={css.sheetHead}>
          <h2>{title}</h2>
        </header>
        <div className={css.sheetBody}>
          <p>{t(way === 'approve' ? 'hosts.approve_text' : 'hosts.withdraw_text')}</p>
          <TextInput label={t('hosts.reason')} value={reason} onChange={setReason} lines={3} maxLength={500} required autoFocus error={wrong} />
          <TextInput label={t('hosts.password')} type="password" autoComplete="current-password" value={password} onChange={setPassword} required />
          {decide.isError && !wrong && <Notice tone="bad" role="alert">{sentenceOf(decide.error)}</Notice>}
        </div>
        <footer className={css.sheetFoot}>
          <Button onPress={onClose}>{t('widget.cancel')}</Button>
          <Button look={way === 'approve' ? 'primary' : 'danger'} type="submit" isDisabled={reason.trim().length < 3 || password === '' || decide.isPending}>
            {t(way === 'approve' ? 'hosts.approve' : 'hosts.withdraw')}
          </Button>
        </footer>
      </Form>
    </Sheet>
  );
}
