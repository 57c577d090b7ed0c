/** All agent desktops; one opens by double-click, Enter or its name. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Cell, Column, Form, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useDesktops } from '../lib/api/queries';
import type { DesktopBrief, DesktopForm, DesktopService, DesktopView, Layout, Login } from '../lib/api/types';
import { Button, Chip, Icon, Notice, RadioInput, Sheet, TextInput } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { PLACES } from './admin-pages';
import css from './admin.module.css';

export const LAYOUT_NAMES = {
  agent_panel: 'desktops.layout.agent_panel',
  extended_panel: 'desktops.layout.extended_panel',
  designer: 'desktops.layout.designer',
} satisfies Record<Layout, MessageId>;

export const SERVICE_NAMES = {
  standard: 'desktops.service.standard',
  designer: 'desktops.service.designer',
} satisfies Record<DesktopService, MessageId>;

export function DesktopListPage({ login }: { login: Login }) {
  const t = useT();
  const { data, error, isPending } = useDesktops();
  const [search, setSearch] = useState('');
  const [creating, setCreating] = useState(false);
  const found = (data ?? []).filter((desktop) => desktop.name.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <>
      <div className={css.head}>
        <h1>{t('admin.agent_desktop')}</h1>
        <div className={css.tools}>
          <TextInput label={t('desktops.search')} value={search} onChange={setSearch} />
          {may(login, 'desktop.edit') && (
            <Button look="primary" onPress={() => setCreating(true)}>
              <Icon name="add" />
              {t('desktops.new')}
            </Button>
          )}
        </div>
      </div>
      {error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error)}
        </Notice>
      )}
      {isPending && <p role="status">{t('app.loading')}</p>}
      {data && <DesktopTable desktops={found} none={data.length === 0 ? 'desktops.empty' : 'desktops.nothing_found'} />}
      <NewDesktop open={creating} onClose={() => setCreating(false)} />
    </>
  );
}

export function DesktopTable({ desktops, none }: { desktops: readonly DesktopBrief[]; none: MessageId }) {
  const t = useT();
  const [, navigate] = useLocation();
  const placeOf = (id: string) => `${PLACES.desktops}/${encodeURIComponent(id)}`;
  if (desktops.length === 0) return <p className={css.empty}>{t(none)}</p>;
  return (
    <>
      <div className={css.tableFrame}>
        <Table
          className={css.table!}
          aria-label={t('admin.agent_desktop')}
          selectionMode="single"
          selectionBehavior="replace"
          onRowAction={(key) => navigate(placeOf(String(key)))}
        >
          <TableHeader>
            <Column isRowHeader>{t('desktops.name')}</Column>
            <Column>{t('desktops.service')}</Column>
            <Column>{t('desktops.layout')}</Column>
            <Column>{t('desktops.widgets')}</Column>
            <Column>{t('desktops.agents')}</Column>
            <Column>{t('desktops.state')}</Column>
          </TableHeader>
          <TableBody items={desktops}>
            {(desktop) => (
              <Row id={desktop.id} className={css.tableRow!} textValue={desktop.name}>
                <Cell>
                  <Link href={placeOf(desktop.id)} className={css.name}>
                    {desktop.name}
                  </Link>
                </Cell>
                <Cell>{t(SERVICE_NAMES[desktop.service])}</Cell>
                <Cell>{t(LAYOUT_NAMES[desktop.layout])}</Cell>
                <Cell>{t('desktops.widgets_enabled', { n: desktop.widgets_enabled, total: desktop.widgets })}</Cell>
                <Cell>{desktop.agents}</Cell>
                <Cell>
                  {desktop.widgets_enabled > 0 ? (
                    <Chip tone="good" icon="check">{t('desktops.state.live')}</Chip>
                  ) : (
                    <Chip icon="cross">{t('desktops.state.disabled')}</Chip>
                  )}
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

function NewDesktop({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState('');
  const [service, setService] = useState<DesktopService>('standard');
  const create = useMutation({
    mutationFn: () => {
      const body: DesktopForm = { name: name.trim(), service, layout: 'agent_panel', widgets: [], revision: 0 };
      return api<DesktopView>('POST', '/desktops', { body });
    },
    onSuccess: (view) => {
      void queries.invalidateQueries({ queryKey: KEYS.desktops });
      onClose();
      setName('');
      navigate(`${PLACES.desktops}/${encodeURIComponent(view.desktop.id)}`);
    },
  });
  const problem = create.error instanceof ApiError ? create.error.problem.errors?.find((error) => error.field === 'name') : undefined;
  return (
    <Sheet label={t('desktops.new_title')} open={open} onClose={onClose}>
      <Form
        className={css.sheetForm!}
        onSubmit={(event) => {
          event.preventDefault();
          if (!create.isPending) create.mutate();
        }}
      >
        <header className={css.sheetHead}>
          <h2>{t('desktops.new_title')}</h2>
        </header>
        <div className={css.sheetBody}>
          <TextInput label={t('desktops.name')} value={name} onChange={setName} required autoFocus maxLength={60} error={problem?.message} />
          <RadioInput
            label={t('desktops.service')}
            value={service}
            onChange={setService}
            choices={[
              { id: 'standard', label: t('desktops.service.standard') },
              { id: 'designer', label: t('desktops.service.designer') },
            ]}
            hint={t('desktops.service_fixed')}
          />
          {create.isError && !problem && (
            <Notice tone="bad" role="alert">
              {sentenceOf(create.error)}
            </Notice>
          )}
        </div>
        <footer className={css.sheetFoot}>
          <Button onPress={onClose}>{t('widget.cancel')}</Button>
          <Button look="primary" type="submit" isDisabled={create.isPending || name.trim() === ''}>
            {t('desktops.create')}
          </Button>
        </footer>
      </Form>
    </Sheet>
  );
}
