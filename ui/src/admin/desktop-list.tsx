/** All agent desktops; one opens by double-click, Enter or its name. */
import { useState } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { sentenceOf } from '../lib/api/client';
import { may, useDesktops } from '../lib/api/queries';
import type { DesktopBrief, DesktopService, Login } from '../lib/api/types';
import type { MenuEntry } from '../lib/controls';
import { ActionMenu, Button, Icon, Notice, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { agoText, dateTimeText } from '../lib/i18n/format';
import { placeOfDesktop, placeOfHistory } from './crumbs';
import css from './admin.module.css';
import { AssignSheet } from './desktop-assign';
import DeleteSheet from './desktop-delete';
import { DuplicateSheet, ImportSheet, NewDesktopSheet } from './desktop-new';
import { State } from './desktop-state';
import { LAYOUT_NAMES, SERVICE_NAMES } from './desktop-words';
import { FirstSteps } from './first-steps';

type Open = { what: 'new' | 'import' } | { what: 'duplicate' | 'assign' | 'delete'; desktop: DesktopBrief };
type Act = 'open' | 'duplicate' | 'export' | 'history' | 'assign' | 'delete';

export default function DesktopListPage({ login }: { login: Login }) {
  const t = useT();
  const { data, error, isPending } = useDesktops();
  const [search, setSearch] = useState('');
  const [service, setService] = useState<DesktopService | 'all'>('all');
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const editable = may(login, 'desktop.edit');
  const wanted = search.trim().toLowerCase();
  const found = (data ?? []).filter((desktop) => desktop.name.toLowerCase().includes(wanted) && (service === 'all' || desktop.service === service));
  return (
    <>
      <div className={css.head}>
        <h1>{t('admin.agent_desktop')}</h1>
        <div className={css.tools}>
          <TextInput label={t('desktops.search')} value={search} onChange={setSearch} />
          <SelectInput
            label={t('desktops.service')}
            value={service}
            onChange={setService}
            choices={[{ id: 'all' as const, label: t('desktops.all_services') }, ...(['standard', 'designer'] as const).map((id) => ({ id, label: t(SERVICE_NAMES[id]) }))]}
          />
          {editable && (
            <>
              <Button onPress={() => setOpen({ what: 'import' })}>
                <Icon name="in" />
                {t('desk_import.open')}
              </Button>
              <Button look="primary" onPress={() => setOpen({ what: 'new' })}>
                <Icon name="add" />
                {t('desktops.new')}
              </Button>
            </>
          )}
        </div>
      </div>
      {error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error)}
        </Notice>
      )}
      <FirstSteps login={login} />
      {isPending && <p role="status">{t('app.loading')}</p>}
      {data?.length === 0 && <Empty />}
      {data && data.length > 0 && found.length === 0 && <p className={css.empty}>{t('desktops.nothing_found')}</p>}
      {found.length > 0 && <DesktopTable desktops={found} editable={editable} onOpen={setOpen} />}
      {open?.what === 'new' && <NewDesktopSheet onClose={close} />}
      {open?.what === 'import' && <ImportSheet onClose={close} />}
      {open?.what === 'duplicate' && <DuplicateSheet original={open.desktop} gateways={may(login, 'gateway.edit')} onClose={close} />}
      {open?.what === 'assign' && <AssignSheet desktop={open.desktop} onClose={close} />}
      {open?.what === 'delete' && <DeleteSheet desktop={open.desktop} onClose={close} />}
    </>
  );
}

/** What the three layouts are, for whoever has no desktop yet. */
function Empty() {
  const t = useT();
  return (
    <section className={css.emptyPage} aria-labelledby="no-desktop">
      <h2 id="no-desktop">{t('desktops.empty')}</h2>
      <p>{t('desktops.empty_text')}</p>
      <dl>
        {(['agent_panel', 'extended_panel', 'designer'] as const).map((layout) => (
          <div key={layout}>
            <dt>{t(LAYOUT_NAMES[layout])}</dt>
            <dd>{t(`desktops.empty.${layout}`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function DesktopTable({ desktops, editable, onOpen }: { desktops: readonly DesktopBrief[]; editable: boolean; onOpen: (open: Open) => void }) {
  const t = useT();
  const [, navigate] = useLocation();
  const [now] = useState(Date.now);
  const act = (what: Act, desktop: DesktopBrief) => {
    if (what === 'open') navigate(placeOfDesktop(desktop.id));
    else if (what === 'history') navigate(placeOfHistory(desktop.id));
    else if (what !== 'export') onOpen({ what, desktop });
  };
  return (
    <>
      <div className={css.tableFrame}>
        <Table
          className={css.table!}
          aria-label={t('admin.agent_desktop')}
          selectionMode="single"
          selectionBehavior="replace"
          onRowAction={(key) => navigate(placeOfDesktop(String(key)))}
        >
          <TableHeader>
            <Column isRowHeader>{t('desktops.name')}</Column>
            <Column>{t('desktops.service')}</Column>
            <Column>{t('desktops.layout')}</Column>
            <Column>{t('desktops.widgets')}</Column>
            <Column>{t('desktops.agents')}</Column>
            <Column>{t('desktops.changed')}</Column>
            <Column>{t('desktops.state')}</Column>
            <Column>
              <span className="visually-hidden">{t('desktops.actions')}</span>
            </Column>
          </TableHeader>
          <TableBody items={desktops}>
            {(desktop) => (
              <Row id={desktop.id} className={css.tableRow!} textValue={desktop.name}>
                <Cell>
                  <Link href={placeOfDesktop(desktop.id)} className={css.name}>
                    {desktop.name}
                  </Link>
                </Cell>
                <Cell>{t(SERVICE_NAMES[desktop.service])}</Cell>
                <Cell>{t(LAYOUT_NAMES[desktop.layout])}</Cell>
                <Cell>{t('desktops.widgets_enabled', { n: desktop.widgets_enabled, total: desktop.widgets })}</Cell>
                <Cell>{desktop.agents}</Cell>
                <Cell>
                  <time dateTime={new Date(desktop.saved_at).toISOString()} title={dateTimeText(desktop.saved_at)}>
                    {t('desktops.changed_by', { ago: agoText(desktop.saved_at, now), name: desktop.saved_by })}
                  </time>
                </Cell>
                <Cell>
                  <State standing={desktop.standing} />
                </Cell>
                <Cell>
                  <ActionMenu label={t('desktops.actions_of', { name: desktop.name })} entries={actsOf(t, desktop, editable)} onAction={(what) => act(what, desktop)} />
                </Cell>
              </Row>
            )}
          </TableBody>
        </Table>
      </div>
      <p className={css.hint}>{t('desktops.open_hint')}</p>
    </>
  );
}

function actsOf(t: ReturnType<typeof useT>, desktop: DesktopBrief, editable: boolean): MenuEntry<Act>[] {
  const all: MenuEntry<Act>[] = [
    { id: 'open', label: t('desktops.act.open'), icon: 'right' },
    { id: 'duplicate', label: t('desktops.act.duplicate'), icon: 'copy' },
    { id: 'export', label: t('desktops.act.export'), icon: 'out', download: `/api/v1/desktops/${encodeURIComponent(desktop.id)}/export` },
    { id: 'history', label: t('desktops.act.history'), icon: 'history' },
    { id: 'assign', label: t('desktops.act.assign'), icon: 'people' },
    { id: 'delete', label: t('desktops.act.delete'), icon: 'remove', danger: true },
  ];
  return editable ? all : all.filter(({ id }) => id === 'open' || id === 'export' || id === 'history');
}
