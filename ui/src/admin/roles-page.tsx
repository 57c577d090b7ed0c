/** Roles: what each allows, as a matrix, and the roles that were made here. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Form } from 'react-aria-components';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS, may, useRoles } from '../lib/api/queries';
import type { Login, Permission, RoleForm, RoleView } from '../lib/api/types';
import { Button, CheckInput, Icon, Notice, Question, Sheet, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import { DiscardQuestion } from './discard-question';
import { RIGHTS, RIGHT_NAMES } from './rights';
import own from './users.module.css';

export default function RolesPage({ login }: { login: Login }) {
  const t = useT();
  const { data, error, isPending } = useRoles();
  const [open, setOpen] = useState<RoleView | 'new'>();
  return (
    <>
      <div className={css.head}>
        <h1>{t('admin.roles')}</h1>
        {may(login, 'user.manage') && (
          <Button look="primary" isDisabled={!data} onPress={() => setOpen('new')}>
            <Icon name="add" />
            {t('roles.new')}
          </Button>
        )}
      </div>
      <p className={css.hint}>{t('roles.text')}</p>
      {error && (
        <Notice tone="bad" role="alert">
          {sentenceOf(error)}
        </Notice>
      )}
      {isPending && <p role="status">{t('app.loading')}</p>}
      {data && <Matrix roles={data.roles} onEdit={setOpen} />}
      {data && open && <RoleSheet role={open === 'new' ? undefined : open} givable={data.givable} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Matrix({ roles, onEdit }: { roles: readonly RoleView[]; onEdit: (role: RoleView) => void }) {
  const t = useT();
  return (
    <div className={css.tableFrame} role="region" aria-label={t('roles.matrix')} tabIndex={0}>
      <table className={`${css.table} ${own.matrix}`}>
        <thead>
          <tr>
            <th scope="col">{t('roles.right')}</th>
            {roles.map((role) => (
              <th key={role.id} scope="col">
                <span className={own.roleName}>{role.name}</span>
                {role.built_in && <span className={css.hint}>{t('roles.built_in')}</span>}
                {role.editable && (
                  <Button look="quiet" size="small" aria-label={t('roles.edit_name', { name: role.name })} onPress={() => onEdit(role)}>
                    <Icon name="edit" />
                    {t('roles.edit')}
                  </Button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {RIGHTS.map((right) => (
            <tr key={right} className={css.tableRow}>
              <th scope="row">
                {t(RIGHT_NAMES[right])} <code>{right}</code>
              </th>
              {roles.map((role) => (
                <td key={role.id}>
                  <Mark on={role.permissions.includes(right)} />
                </td>
              ))}
            </tr>
          ))}
          <tr className={css.tableRow}>
            <th scope="row">{t('roles.users')}</th>
            {roles.map((role) => (
              <td key={role.id}>{role.users}</td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function Mark({ on }: { on: boolean }) {
  const t = useT();
  return (
    <span className={on ? own.yes : own.no}>
      {on ? <Icon name="check" /> : '·'}
      <span className={own.spoken}>{t(on ? 'roles.yes' : 'roles.no')}</span>
    </span>
  );
}

type RoleSheetProps = { role: RoleView | undefined; givable: readonly Permission[]; onClose: () => void };

function RoleSheet({ role, givable, onClose }: RoleSheetProps) {
  const t = useT();
  const id = useId();
  const queries = useQueryClient();
  const [name, setName] = useState(role?.name ?? '');
  const [rights, setRights] = useState<ReadonlySet<Permission>>(() => new Set(role?.permissions));
  const [asking, setAsking] = useState<'discard' | 'delete'>();
  const path = role && `/roles/${encodeURIComponent(role.id)}`;
  const done = { onSuccess: onClose, onSettled: () => queries.invalidateQueries({ queryKey: KEYS.roles }) };
  const save = useMutation({
    ...done,
    mutationFn: () => {
      const body: RoleForm = { name: name.trim(), permissions: [...rights], revision: role?.revision ?? 0 };
      return path ? api<RoleView>('PUT', path, { body }) : api<RoleView>('POST', '/roles', { body });
    },
  });
  const remove = useMutation({ ...done, mutationFn: () => api('DELETE', path ?? '/roles') });
  const errors = save.error instanceof ApiError ? (save.error.problem.errors ?? []) : [];
  const problem = (field: string) => errors.find((one) => one.field === field)?.message;
  const failure = remove.error ?? (errors.length === 0 ? save.error : null);
  const changed = name !== (role?.name ?? '') || rights.size !== (role?.permissions.length ?? 0) || role?.permissions.some((right) => !rights.has(right)) === true;
  const title = role ? t('roles.edit_title', { name: role.name }) : t('roles.new_title');
  const leave = () => (changed ? setAsking('discard') : onClose());
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
          {role && <Notice tone="info">{t('roles.ends', { n: role.users })}</Notice>}
          <TextInput label={t('roles.name')} value={name} onChange={setName} required autoFocus maxLength={60} error={problem('name')} />
          <RightChoice chosen={rights} givable={givable} onChange={setRights} error={problem('permissions')} />
          {failure && (
            <Notice tone="bad" role="alert">
              {sentenceOf(failure)}
            </Notice>
          )}
        </div>
        <footer className={css.sheetFoot}>
          {role && (
            <Button look="danger" isDisabled={role.users > 0 || remove.isPending} onPress={() => setAsking('delete')}>
              {t('roles.delete')}
            </Button>
          )}
          <span className={css.spacer} />
          <Button onPress={leave}>{t('widget.cancel')}</Button>
          <Button look="primary" type="submit" isDisabled={save.isPending || name.trim() === '' || rights.size === 0}>
            {t('roles.save')}
          </Button>
        </footer>
        <DiscardQuestion title="roles.discard_question" open={asking === 'discard'} onStay={() => setAsking(undefined)} onDiscard={onClose} />
        <Question
          title={t('roles.delete_question', { name: role?.name ?? '' })}
          open={asking === 'delete'}
          onClose={() => setAsking(undefined)}
          actions={
            <>
              <Button autoFocus onPress={() => setAsking(undefined)}>
                {t('roles.delete_no')}
              </Button>
              <Button
                look="danger"
                onPress={() => {
                  setAsking(undefined);
                  remove.mutate();
                }}
              >
                {t('roles.delete')}
              </Button>
            </>
          }
        >
          <p>{t('roles.delete_text')}</p>
        </Question>
      </Form>
    </Sheet>
  );
}

type RightChoiceProps = { chosen: ReadonlySet<Permission>; givable: readonly Permission[]; onChange: (rights: ReadonlySet<Permission>) => void; error: string | undefined };

/** Nobody puts in what they lack. */
function RightChoice({ chosen, givable, onChange, error }: RightChoiceProps) {
  const t = useT();
  const id = useId();
  const toggle = (right: Permission, on: boolean) => onChange(new Set(on ? [...chosen, right] : [...chosen].filter((one) => one !== right)));
  return (
    <fieldset className={css.set} aria-describedby={error ? id : undefined}>
      <legend>{t('roles.rights')}</legend>
      {RIGHTS.map((right) => (
        <div key={right} className={own.role}>
          <CheckInput label={t(RIGHT_NAMES[right])} value={chosen.has(right)} onChange={(on) => toggle(right, on)} disabled={!givable.includes(right)} />
          <span className={css.hint}>
            <code>{right}</code> {!givable.includes(right) && t('roles.right_beyond')}
          </span>
        </div>
      ))}
      {error && (
        <p id={id} className={css.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
