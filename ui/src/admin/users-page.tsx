/** Users: who may sign in, with which roles; one opens by double-click, Enter or its name. */
import { useState } from 'react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { groupsOf } from '../groups/groups-form';
import { sentenceOf } from '../lib/api/client';
import { may, useDesktops, useRoles, useUser, useUsers } from '../lib/api/queries';
import type { Login, RoleView, UserView } from '../lib/api/types';
import type { IconName, Tone } from '../lib/controls';
import { Button, Chip, Icon, Notice, SelectInput, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { Filter, UserState } from './user-form';
import { STATE_NAMES, fits, stateOf } from './user-form';
import type { SheetProps } from './user-sheet';
import { UserSheet } from './user-sheet';
import own from './users.module.css';

/** Stands for a user that is not made yet; no identity is spelled so. */
const NEW = '+';
/** Rows shown at first, and with each press of "Show more". */
const ROWS_AT_ONCE = 100;

export default function UsersPage({ login }: { login: Login }) {
  const t = useT();
  const manages = may(login, 'user.manage');
  const users = useUsers();
  const roles = useRoles();
  const desktops = useDesktops(manages);
  const [filter, setFilter] = useState<Filter>({ text: '', role: 'any', state: 'any' });
  const [rows, setRows] = useState(ROWS_AT_ONCE);
  const [open, setOpen] = useState<string>();
  const [now] = useState(() => Date.now());
  const set = <K extends keyof Filter>(name: K) => (value: Filter[K]) => {
    setFilter((before) => ({ ...before, [name]: value }));
    setRows(ROWS_AT_ONCE);
  };
  const failure = users.error ?? roles.error ?? desktops.error;
  const found = (users.data ?? []).filter((user) => fits(user, filter, now));
  const choices = (roles.data?.roles ?? []).map(({ id, name }) => ({ id, label: name }));
  const states = (Object.keys(STATE_NAMES) as UserState[]).map((id) => ({ id, label: t(STATE_NAMES[id]) }));
  return (
    <>
      <div className={css.head}>
        <h1>{t('admin.users')}</h1>
        {manages && (
          <Button look="primary" isDisabled={!roles.data} onPress={() => setOpen(NEW)}>
            <Icon name="add" />
            {t('users.new')}
          </Button>
        )}
      </div>
      <p className={css.hint}>{t('users.text')}</p>
      <div className={own.filters}>
        <TextInput label={t('users.search')} value={filter.text} onChange={set('text')} />
        <SelectInput label={t('users.role')} value={filter.role} onChange={set('role')} choices={[{ id: 'any', label: t('users.any_role') }, ...choices]} />
        <SelectInput label={t('users.state')} value={filter.state} onChange={set('state')} choices={[{ id: 'any', label: t('users.any_state') }, ...states]} />
        <p className={own.count} role="status">
          {users.data && t('users.count', { n: found.length })}
        </p>
      </div>
      {failure && (
        <Notice tone="bad" role="alert">
          {sentenceOf(failure)}
        </Notice>
      )}
      {(users.isPending || roles.isPending) && <p role="status">{t('app.loading')}</p>}
      {users.data && roles.data && <UserTable users={found.slice(0, rows)} roles={roles.data.roles} now={now} onOpen={setOpen} />}
      {found.length > rows && <Button onPress={() => setRows(rows + ROWS_AT_ONCE)}>{t('users.more')}</Button>}
      {roles.data && open && (
        <OpenUser key={open} id={open} login={login} roles={roles.data.roles} groups={groupsOf(users.data ?? [])} desktops={desktops.data ?? []} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

/** Whoever is opened is read anew: each login may have changed the account since the list was read. */
function OpenUser({ id, ...rest }: { id: string } & Omit<SheetProps, 'user'>) {
  const isNew = id === NEW;
  const { data, error } = useUser(id, !isNew);
  if (error) {
    return (
      <Notice tone="bad" role="alert">
        {sentenceOf(error)}
      </Notice>
    );
  }
  return isNew || data ? <UserSheet user={data} {...rest} /> : null;
}

type TableProps = { users: readonly UserView[]; roles: readonly RoleView[]; now: number; onOpen: (id: string) => void };

function UserTable({ users, roles, now, onOpen }: TableProps) {
  const t = useT();
  if (users.length === 0) return <p className={css.empty}>{t('users.empty')}</p>;
  const names = (user: UserView) => roles.filter((role) => user.roles.includes(role.id)).map((role) => role.name);
  return (
    <>
      <div className={css.tableFrame}>
        <Table className={css.table!} aria-label={t('admin.users')} selectionMode="single" selectionBehavior="replace" onRowAction={(key) => onOpen(String(key))}>
          <TableHeader>
            <Column isRowHeader>{t('users.name')}</Column>
            <Column>{t('users.display_name')}</Column>
            <Column>{t('users.roles')}</Column>
            <Column>{t('users.groups')}</Column>
            <Column>{t('users.phone')}</Column>
            <Column>{t('users.state')}</Column>
          </TableHeader>
          <TableBody items={users} dependencies={[roles, now]}>
            {(user) => (
              <Row id={user.id} className={css.tableRow!} textValue={user.name}>
                <Cell>
                  <span className={css.name}>{user.name}</span>
                </Cell>
                <Cell>{user.display_name}</Cell>
                <Cell>{names(user).join(', ') || t('users.no_roles')}</Cell>
                <Cell>{user.groups.join(', ')}</Cell>
                <Cell>{user.phone}</Cell>
                <Cell>
                  <StateChip state={stateOf(user, now)} />
                </Cell>
              </Row>
            )}
          </TableBody>
        </Table>
      </div>
      <p className={css.hint}>{t('users.open_hint')}</p>
    </>
  );
}

const LOOKS = {
  active: { tone: 'good', icon: 'check' },
  first_password: { tone: 'info', icon: 'clock' },
  locked: { tone: 'warn', icon: 'lock' },
  disabled: { tone: 'plain', icon: 'cross' },
} satisfies Record<UserState, { tone: Tone; icon: IconName }>;

function StateChip({ state }: { state: UserState }) {
  const t = useT();
  return <Chip {...LOOKS[state]}>{t(STATE_NAMES[state])}</Chip>;
}
