/**
 * Services: which numbers lead where, when their calls are protected, and whether they are recorded.
 * Never: declares recorders; that is Secure Payment Capture's page.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useId, useState } from 'react';
import { Cell, Column, Form, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { Link } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useDesktops } from '../lib/api/queries';
import { useServices, useTrunks } from '../lib/api/services';
import type { DesktopBrief, Login, Pairing, Route, Service, ServiceForm } from '../lib/api/types';
import { Button, Chip, Icon, Notice, RadioInput, SelectInput, Sheet, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { OutboundDraft } from '../dial/outbound-form';
import { outboundOf, outboundSent } from '../dial/outbound-form';
import { HoursChip } from '../hours/hours-chip';
import type { HoursDraft } from '../hours/hours-form';
import { hoursOf, hoursSent } from '../hours/hours-form';
import type { PoolDraft } from '../pairing/pool-form';
import { poolOf, poolSent } from '../pairing/pool-form';
import type { QueueDraft } from '../queue/queue-form';
import { queueOf, queueSent } from '../queue/queue-form';
import { withPairing } from '../pairing/with-pairing';
import { PLACES } from './crumbs';
import css from './admin.module.css';
import { DiscardQuestion } from './discard-question';
import type { Recorded } from './recording-inputs';
import { RecordingInputs, recordedOf } from './recording-inputs';

const GroupChoice = lazy(withPairing(() => import('../groups/group-choice')));
const HoursInputs = lazy(withPairing(() => import('../hours/hours-inputs')));
const QueueInputs = lazy(withPairing(() => import('../queue/queue-inputs')));
const OutboundInputs = lazy(withPairing(() => import('../dial/outbound-inputs')));
const PairingInputs = lazy(withPairing(() => import('../pairing/pairing-inputs')));
const PoolInputs = lazy(withPairing(() => import('../pairing/pool-inputs')));

type Goal = Route['to'];

/** What a new service begins with. */
const NO_WAY: Pairing = { extension: null, code: false, agents: [] };

const GOALS = {
  agents: 'services.to.agents',
  registered: 'services.to.registered',
  uri: 'services.to.uri',
  trunk: 'services.to.trunk',
} satisfies Record<Goal, MessageId>;

const SCOPES = {
  capture: 'services.protection.capture',
  always: 'services.protection.always',
} satisfies Record<Service['protection'], MessageId>;

type OnTransfer = NonNullable<Service['on_transfer']>;

const ON_TRANSFER = {
  refuse: 'services.on_transfer.refuse',
  end_capture: 'services.on_transfer.end_capture',
} satisfies Record<OnTransfer, MessageId>;

export default function ServicesPage({ login }: { login: Login }) {
  const t = useT();
  const services = useServices();
  const trunks = useTrunks();
  const desktops = useDesktops();
  const [edited, setEdited] = useState<Service | 'new'>();
  const editable = may(login, 'spc.enable');
  const failure = services.error ?? desktops.error;
  return (
    <>
      <div className={css.head}>
        <h1>{t('admin.services')}</h1>
        {editable && (
          <Button look="primary" isDisabled={!desktops.data?.length} onPress={() => setEdited('new')}>
            <Icon name="add" />
            {t('services.new')}
          </Button>
        )}
      </div>
      <p className={css.hint}>{t('services.text')}</p>
      {failure && (
        <Notice tone="bad" role="alert">
          {sentenceOf(failure)}
        </Notice>
      )}
      {(services.isPending || desktops.isPending) && <p role="status">{t('app.loading')}</p>}
      {services.data && desktops.data && (
        <ServiceTable services={services.data} desktops={desktops.data} onEdit={editable ? setEdited : undefined} />
      )}
      {desktops.data && edited && <ServiceSheet service={edited === 'new' ? undefined : edited} desktops={desktops.data} trunks={trunks.data ?? []} onClose={() => setEdited(undefined)} />}
    </>
  );
}

type TableProps = { services: readonly Service[]; desktops: readonly DesktopBrief[]; onEdit: ((service: Service) => void) | undefined };

function ServiceTable({ services, desktops, onEdit }: TableProps) {
  const t = useT();
  if (services.length === 0) return <p className={css.empty}>{t(desktops.length === 0 ? 'services.desktop_first' : 'services.empty')}</p>;
  const open = (id: string) => {
    const service = services.find((one) => one.id === id);
    if (service) onEdit?.(service);
  };
  return (
    <>
      <div className={css.tableFrame}>
        <Table
          className={css.table!}
          aria-label={t('admin.services')}
          selectionMode={onEdit ? 'single' : 'none'}
          selectionBehavior="replace"
          onRowAction={(key) => open(String(key))}
        >
          <TableHeader>
            <Column isRowHeader>{t('services.name')}</Column>
            <Column>{t('services.numbers')}</Column>
            <Column>{t('services.to')}</Column>
            <Column>{t('services.desktop')}</Column>
            <Column>{t('services.protection')}</Column>
            <Column>{t('services.recorders')}</Column>
          </TableHeader>
          <TableBody items={services}>
            {(service) => (
              <Row id={service.id} className={css.tableRow!} textValue={service.name}>
                <Cell>
                  <span className={css.name}>{service.name}</span> {service.hours && service.hours_now && <HoursChip now={service.hours_now} zone={service.hours.zone} />}
                </Cell>
                <Cell>{service.numbers.join(', ')}</Cell>
                <Cell><RouteText route={service.route} /></Cell>
                <Cell>{desktops.find((desktop) => desktop.id === service.desktop)?.name}</Cell>
                <Cell>
                  <Chip tone={service.protection === 'always' ? 'good' : 'info'} icon="lock">
                    {t(SCOPES[service.protection])}
                  </Chip>
                </Cell>
                <Cell>
                  <Recorders service={service} />
                </Cell>
              </Row>
            )}
          </TableBody>
        </Table>
      </div>
      {onEdit && <p className={css.hint}>{t('services.open_hint')}</p>}
    </>
  );
}

function RouteText({ route }: { route: Route }) {
  const t = useT();
  if (route.to === 'uri') return route.uri;
  if (route.to === 'agents' && route.group) return t('services.to.group', { group: route.group });
  if (route.to === 'trunk') return route.number ? t('services.trunk_number_at', { number: route.number, trunk: route.trunk }) : t('services.trunk_at', { trunk: route.trunk });
  return t(GOALS[route.to]);
}

/** Undeclared recorders block every capture, and are declared elsewhere. */
function Recorders({ service }: { service: Service }) {
  const t = useT();
  if (!service.recorders) return <Link href={PLACES.spc}>{t('spc.undeclared')}</Link>;
  return t('services.recorders_count', { n: service.recorders.sinks.length });
}

/** What the sheet holds; of the route all parts, so that none is lost by choosing another goal. */
type Draft = { name: string; numbers: string; goal: Goal; group: string; uri: string; address: string; trunk: string; number: string; agent: string; pairing: Pairing; pool: PoolDraft; hours: HoursDraft; outbound: OutboundDraft; queue: QueueDraft; desktop: string; protection: Service['protection']; onTransfer: OnTransfer; afterCall: string; recorded: Recorded };

export function draftOf(service: Service | undefined, desktops: readonly DesktopBrief[], trunks: readonly string[] = []): Draft {
  const route = service?.route;
  const fixed = route?.to === 'uri' ? route : { uri: '', address: '' };
  const there = route?.to === 'trunk' ? route : { trunk: trunks[0] ?? '', number: '' };
  const agent = route?.to === 'uri' || route?.to === 'trunk' ? route.agent : '';
  return {
    name: service?.name ?? '',
    numbers: service?.numbers.join('\n') ?? '',
    goal: route?.to ?? 'agents',
    group: (route?.to === 'agents' && route.group) || '',
    uri: fixed.uri,
    address: fixed.address,
    trunk: there.trunk,
    number: there.number ?? '',
    agent: agent ?? '',
    pairing: service?.pairing ?? NO_WAY,
    pool: poolOf(service?.pool),
    hours: hoursOf(service?.hours, trunks),
    outbound: outboundOf(service?.outbound, trunks),
    queue: queueOf(service?.queue, trunks),
    desktop: service?.desktop ?? desktops[0]?.id ?? '',
    protection: service?.protection ?? 'capture',
    onTransfer: service?.on_transfer ?? 'refuse',
    afterCall: String(service?.after_call_s ?? 0),
    recorded: recordedOf(service),
  };
}

/** Its calls leave here, to a PBX or a trunk. */
const leadsOut = ({ goal }: Draft) => goal === 'uri' || goal === 'trunk';

/** Its calls ring at a PBX, and no one agent has all of them. */
const pairs = (draft: Draft) => leadsOut(draft) && draft.agent.trim() === '';

function routeOf({ goal, group, uri, address, trunk, number, agent }: Draft): Route {
  const whose = agent.trim() || null;
  if (goal === 'uri') return { to: goal, uri: uri.trim(), address: address.trim(), agent: whose };
  if (goal === 'trunk') return { to: goal, trunk, number: number.trim() || null, agent: whose };
  return goal === 'agents' && group ? { to: goal, group } : { to: goal };
}

/** More seconds, and more days, than any service may have. */
const TOO_MANY = 9_999;

/** What is no number is refused by the server, at its field. */
const numberOf = (text: string) => (/^\d{1,4}$/.test(text.trim()) ? Number(text) : TOO_MANY);

export function formOf(draft: Draft, revision: number): ServiceForm {
  const { recorded } = draft;
  return {
    name: draft.name.trim(),
    numbers: draft.numbers.split(/[\s,;]+/).filter(Boolean),
    route: routeOf(draft),
    ...(pairs(draft) && { pairing: draft.pairing }),
    ...(pairs(draft) && poolSent(draft.pool)),
    ...hoursSent(draft.hours),
    ...outboundSent(draft.outbound),
    ...queueSent(draft.queue, draft.goal === 'agents'),
    desktop: draft.desktop,
    protection: draft.protection,
    on_transfer: draft.onTransfer,
    after_call_s: numberOf(draft.afterCall),
    call_recording: { when: recorded.calls, keep_days: numberOf(recorded.callDays) },
    screen_recording: { when: recorded.screens, surfaces: recorded.surfaces, required: recorded.required, keep_days: numberOf(recorded.screenDays) },
    revision,
  };
}

/** What the server says of one input; of the numbers it names the line. */
function problemsOf(error: unknown, form: ServiceForm): (field: string) => string | undefined {
  const errors = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const lists: Record<string, readonly string[] | undefined> = { numbers: form.numbers, 'pool.numbers': form.pool?.numbers, 'hours.closed_dates': form.hours?.closed_dates, 'outbound.numbers': form.outbound?.numbers };
  return (field) => {
    const found = errors.find((one) => one.field === field || one.field.startsWith(`${field}[`));
    const number = lists[field]?.[Number(found?.field.match(/\[(\d+)\]/)?.[1])];
    return found && (number ? `${number}: ${found.message}` : found.message);
  };
}

type SheetProps = { service: Service | undefined; desktops: readonly DesktopBrief[]; trunks: readonly string[]; onClose: () => void };

function ServiceSheet({ service, desktops, trunks, onClose }: SheetProps) {
  const t = useT();
  const id = useId();
  const queries = useQueryClient();
  const [stored] = useState(() => draftOf(service, desktops, trunks));
  const [draft, setDraft] = useState(stored);
  const [asking, setAsking] = useState(false);
  const set = <K extends keyof Draft>(name: K) => (value: Draft[K]) => setDraft((before) => ({ ...before, [name]: value }));
  const form = formOf(draft, service?.revision ?? 0);
  const save = useMutation({
    mutationFn: () => (service ? api<Service>('PUT', `/services/${encodeURIComponent(service.id)}`, { body: form }) : api<Service>('POST', '/services', { body: form })),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: KEYS.services }),
  });
  const problem = problemsOf(save.error, form);
  const isElsewhere = save.isError && !(save.error instanceof ApiError && save.error.problem.errors?.length);
  const leave = () => (JSON.stringify(draft) === JSON.stringify(stored) ? onClose() : setAsking(true));
  const title = t(service ? 'services.edit_title' : 'services.new_title');
  return (
    <Sheet label={title} open onClose={leave}>
      <Form
        className={css.sheetForm!}
        aria-labelledby={id}
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isPending) save.mutate();
        }}
      >
        <header className={css.sheetHead}>
          <h2 id={id}>{title}</h2>
        </header>
        <div className={css.sheetBody}>
          <TextInput label={t('services.name')} value={draft.name} onChange={set('name')} required autoFocus maxLength={60} error={problem('name')} />
          <TextInput label={t('services.numbers')} value={draft.numbers} onChange={set('numbers')} required lines={3} hint={t('services.numbers_hint')} error={problem('numbers')} />
          <RadioInput label={t('services.to')} value={draft.goal} onChange={set('goal')} choices={choices(goalsAt(trunks, stored.goal), t)} />
          {leadsOut(draft) && (
            <div className={css.pairs}>
              {draft.goal === 'uri' && (
                <>
                  <TextInput label={t('services.uri')} value={draft.uri} onChange={set('uri')} required hint={t('services.uri_hint')} error={problem('route.uri')} />
                  <TextInput label={t('services.address')} value={draft.address} onChange={set('address')} required hint={t('services.address_hint')} error={problem('route.address')} />
                </>
              )}
              {draft.goal === 'trunk' && (
                <>
                  <SelectInput label={t('services.trunk')} value={draft.trunk} onChange={set('trunk')} choices={trunksOffered(trunks, draft.trunk).map((name) => ({ id: name, label: name }))} hint={t('services.trunk_hint')} error={problem('route.trunk')} />
                  <TextInput label={t('services.number')} value={draft.number} onChange={set('number')} maxLength={40} hint={t('services.number_hint')} error={problem('route.number')} />
                </>
              )}
              <TextInput label={t('services.agent')} value={draft.agent} onChange={set('agent')} hint={t('services.agent_hint')} error={problem('route.agent')} />
            </div>
          )}
          {pairs(draft) && (
            <Suspense>
              <PairingInputs value={draft.pairing} onChange={set('pairing')} />
              <PoolInputs value={draft.pool} onChange={set('pool')} problem={problem} />
            </Suspense>
          )}
          {draft.goal === 'agents' && (
            <Suspense>
              <GroupChoice value={draft.group} onChange={set('group')} error={problem('route')} />
              <QueueInputs value={draft.queue} trunks={trunksOffered(trunks, draft.queue.trunk)} onChange={set('queue')} problem={problem} />
            </Suspense>
          )}
          <Suspense>
            <HoursInputs value={draft.hours} trunks={trunksOffered(trunks, draft.hours.trunk)} onChange={set('hours')} problem={problem} />
            <OutboundInputs value={draft.outbound} trunks={trunksOffered(trunks, draft.outbound.trunk)} onChange={set('outbound')} problem={problem} />
          </Suspense>
          <SelectInput
            label={t('services.desktop')}
            value={draft.desktop}
            onChange={set('desktop')}
            choices={desktops.map(({ id: key, name }) => ({ id: key, label: name }))}
            hint={t('services.desktop_hint')}
            error={problem('desktop')}
          />
          <RadioInput label={t('services.protection')} value={draft.protection} onChange={set('protection')} choices={choices(SCOPES, t)} hint={t('services.protection_hint')} />
          <RadioInput label={t('services.on_transfer')} value={draft.onTransfer} onChange={set('onTransfer')} choices={choices(ON_TRANSFER, t)} hint={t('services.on_transfer_hint')} />
          <TextInput label={t('services.after_call')} value={draft.afterCall} onChange={set('afterCall')} inputMode="numeric" maxLength={4} hint={t('services.after_call_hint')} error={problem('after_call_s')} />
          <RecordingInputs value={draft.recorded} stored={stored.recorded} onChange={set('recorded')} problem={problem} />
          {isElsewhere && (
            <Notice tone="bad" role="alert">
              {sentenceOf(save.error)}
            </Notice>
          )}
        </div>
        <footer className={css.sheetFoot}>
          <Button onPress={leave}>{t('widget.cancel')}</Button>
          <Button look="primary" type="submit" isDisabled={save.isPending || form.name === '' || form.numbers.length === 0}>
            {t('services.save')}
          </Button>
        </footer>
        <DiscardQuestion title="services.discard_question" open={asking} onStay={() => setAsking(false)} onDiscard={onClose} />
      </Form>
    </Sheet>
  );
}

/** A trunk is offered where the server's file has one that can be called, or the service leads to one already. */
function goalsAt(trunks: readonly string[], stored: Goal): Partial<Record<Goal, MessageId>> {
  const { trunk, ...others } = GOALS;
  return trunks.length > 0 || stored === 'trunk' ? { ...others, trunk } : others;
}

/** Those of the server's file, and the stored one though it is gone from there. */
const trunksOffered = (trunks: readonly string[], stored: string) => [...new Set([...trunks, ...(stored ? [stored] : [])])];

function choices<K extends string>(names: Partial<Record<K, MessageId>>, t: (id: MessageId) => string): { id: K; label: string }[] {
  return (Object.entries(names) as [K, MessageId][]).map(([id, name]) => ({ id, label: t(name) }));
}
