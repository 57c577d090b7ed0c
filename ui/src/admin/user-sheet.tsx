/**
 * One user: account, roles, phone, and what all of it allows.
 * Never: decides who may change whom; the server says that of each user and role.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useId, useState } from 'react';
import { Form } from 'react-aria-components';
import { namesOf } from '../groups/groups-form';
import { ApiError, api, sentenceOf } from '../lib/api/client';
import { KEYS } from '../lib/api/queries';
import type { AssignedRole, DesktopBrief, Login, RoleView, UserView } from '../lib/api/types';
import { Button, CheckInput, Notice, SelectInput, Sheet, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import { withPairing } from '../pairing/with-pairing';
import css from './admin.module.css';
import { DiscardQuestion } from './discard-question';
import { RIGHT_NAMES, effective } from './rights';
import type { UserDraft } from './user-form';
import { isChanged, stateOf, userDraft, userForm } from './user-form';
import own from './users.module.css';

const GroupsInput = lazy(withPairing(() => import('../groups/groups-input')));

/** `groups`: names of those in use. */
export type SheetProps = { user: UserView | undefined; login: Login; groups: readonly string[]; roles: readonly RoleView[]; desktops: readonly DesktopBrief[]; onClose: () => void };

export function UserSheet({ user, login, groups, roles, desktops, onClose }: SheetProps) {
  const t = useT();
  const id = useId();
  const queries = useQueryClient();
  const [stored] = useState(() => userDraft(user));
  const [draft, setDraft] = useState(stored);
  const [asking, setAsking] = useState(false);
  const set = <K extends keyof UserDraft>(name: K) => (value: UserDraft[K]) => setDraft((before) => ({ ...before, [name]: value }));
  const readOnly = user !== undefined && !user.editable;
  const save = useMutation({
    mutationFn: () => {
      const body = userForm(draft, user?.revision ?? 0);
      return user ? api<UserView>('PUT', `/users/${encodeURIComponent(user.id)}`, { body }) : api<UserView>('POST', '/users', { body });
    },
    onSuccess: onClose,
    onSettled: () => Promise.all([KEYS.users, KEYS.roles, KEYS.desktops].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  const errors = save.error instanceof ApiError ? (save.error.problem.errors ?? []) : [];
  const problem = (field: string) => errors.find((one) => one.field === field)?.message;
  const wrongGroup = errors.find(({ field }) => field.startsWith('groups'));
  const nameOfWrong = namesOf(draft.groups)[Number(wrongGroup?.field.match(/\[(\d+)\]/)?.[1])];
  const leave = () => (!readOnly && isChanged(draft, stored) ? setAsking(true) : onClose());
  const title = user ? t(readOnly ? 'users.show_title' : 'users.edit_title', { name: user.name }) : t('users.new_title');
  return (
    <Sheet label={title} open onClose={leave}>
      <Form
        className={css.sheetForm!}
        aria-labelledby={id}
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isPending && !readOnly) save.mutate();
        }}
      >
        <header className={css.sheetHead}>
          <h2 id={id}>{title}</h2>
        </header>
        <div className={css.sheetBody} {...(readOnly ? { role: 'region', 'aria-label': title, tabIndex: 0 } : {})}>
          {readOnly && <Notice tone="info">{t('users.beyond')}</Notice>}
          {user?.id === login.user.id && <Notice tone="info">{t('users.own')}</Notice>}
          <Account draft={draft} set={set} user={user} login={login} desktops={desktops} readOnly={readOnly} problem={problem} />
          <Suspense>
            <GroupsInput value={draft.groups} inUse={groups} onChange={set('groups')} readOnly={readOnly} error={wrongGroup && (nameOfWrong ? `${nameOfWrong}: ${wrongGroup.message}` : wrongGroup.message)} />
          </Suspense>
          <RoleChoice roles={roles} held={stored.roles} chosen={draft.roles} onChange={set('roles')} fixed={readOnly || user?.id === login.user.id} error={problem('roles')} />
          <Effective roles={roles} chosen={draft.roles} />
          {save.isError && errors.length === 0 && (
            <Notice tone="bad" role="alert">
              {sentenceOf(save.error)}
            </Notice>
          )}
        </div>
        <footer className={css.sheetFoot}>
          <Button onPress={leave}>{t(readOnly ? 'users.close' : 'widget.cancel')}</Button>
          {!readOnly && (
            <Button look="primary" type="submit" isDisabled={save.isPending || draft.name.trim() === '' || draft.displayName.trim() === ''}>
              {t('users.save')}
            </Button>
          )}
        </footer>
        <DiscardQuestion title="users.discard_question" open={asking} onStay={() => setAsking(false)} onDiscard={onClose} />
      </Form>
    </Sheet>
  );
}

type AccountProps = {
  draft: UserDraft;
  set: <K extends keyof UserDraft>(name: K) => (value: UserDraft[K]) => void;
  user: UserView | undefined;
  login: Login;
  desktops: readonly DesktopBrief[];
  readOnly: boolean;
  problem: (field: string) => string | undefined;
};

function Account({ draft, set, user, login, desktops, readOnly, problem }: AccountProps) {
  const t = useT();
  const isOwn = user?.id === login.user.id;
  const isLocked = user !== undefined && stateOf(user, Date.now()) === 'locked';
  const places = [{ id: '', label: t('users.no_desktop') }, ...desktops.map(({ id, name }) => ({ id, label: name }))];
  return (
    <>
      <div className={css.pairs}>
        <TextInput label={t('users.name')} value={draft.name} onChange={set('name')} required autoFocus={!readOnly && !user} disabled={readOnly || Boolean(user)} maxLength={64} hint={t(user ? 'users.name_stays' : 'users.name_hint')} error={problem('name')} />
        <TextInput label={t('users.display_name')} value={draft.displayName} onChange={set('displayName')} required disabled={readOnly} maxLength={80} error={problem('display_name')} />
      </div>
      {!readOnly && !isOwn && (
        <TextInput
          label={t(user ? 'users.password' : 'users.first_password')}
          value={draft.password}
          onChange={set('password')}
          type="password"
          autoComplete="new-password"
          required={!user}
          hint={t(user ? 'users.password_hint' : 'users.first_password_hint')}
          error={problem('password')}
        />
      )}
      <SelectInput label={t('users.desktop')} value={draft.desktop} onChange={set('desktop')} choices={places} disabled={readOnly} error={problem('desktop')} />
      <div className={css.pairs}>
        <TextInput label={t('users.phone')} value={draft.phone} onChange={set('phone')} disabled={readOnly} maxLength={32} hint={t('users.phone_hint')} error={problem('phone')} />
        {!readOnly && (
          <TextInput
            label={t('users.phone_password')}
            value={draft.phonePassword}
            onChange={set('phonePassword')}
            type="password"
            autoComplete="new-password"
            disabled={draft.phone.trim() === ''}
            hint={user?.phone_password_set ? t('users.phone_password_hint') : undefined}
            error={problem('phone_password')}
          />
        )}
      </div>
      <TextInput label={t('users.extension')} value={draft.extension} onChange={set('extension')} disabled={readOnly} maxLength={32} hint={t('users.extension_hint')} error={problem('extension')} />
      <div className={css.checks}>
        <CheckInput label={t('users.enabled')} value={draft.enabled} onChange={set('enabled')} disabled={readOnly || isOwn} />
      </div>
      {user && <Use user={user} reset={draft.resetFactor} onReset={readOnly || isOwn ? undefined : set('resetFactor')} />}
      {problem('enabled') && <p className={css.error}>{problem('enabled')}</p>}
      {isLocked && (
        <Notice tone="warn">
          <p>{t('users.locked_until', { time: dateTimeText(user.locked_until ?? 0) })}</p>
          {!readOnly && <CheckInput label={t('users.unlock')} value={draft.unlock} onChange={set('unlock')} />}
        </Notice>
      )}
    </>
  );
}

/** When the account was used last, and its second factor. */
function Use({ user, reset, onReset }: { user: UserView; reset: boolean; onReset: ((on: boolean) => void) | undefined }) {
  const t = useT();
  const since = user.second_factor_since;
  return (
    <div className={own.use}>
      {user.active_at && <p className={css.hint}>{t('users.active', { time: dateTimeText(user.active_at) })}</p>}
      <p className={css.hint}>
        {t('users.factor')}: {since ? t('users.factor_set', { time: dateTimeText(since) }) : t('users.factor_none')}
      </p>
      {since && onReset && <CheckInput label={t('users.factor_reset')} value={reset} onChange={onReset} />}
    </div>
  );
}

type RoleChoiceProps = {
  roles: readonly RoleView[];
  held: ReadonlySet<AssignedRole>;
  chosen: ReadonlySet<AssignedRole>;
  onChange: (roles: ReadonlySet<AssignedRole>) => void;
  fixed: boolean;
  error: string | undefined;
};

/** A role with rights that the administrator lacks is shown and cannot be given. */
function RoleChoice({ roles, held, chosen, onChange, fixed, error }: RoleChoiceProps) {
  const t = useT();
  const id = useId();
  const toggle = (role: AssignedRole, on: boolean) => onChange(new Set(on ? [...chosen, role] : [...chosen].filter((one) => one !== role)));
  return (
    <fieldset className={css.set} aria-describedby={error ? id : undefined}>
      <legend>{t('users.roles')}</legend>
      {roles.map((role) => (
        <div key={role.id} className={own.role}>
          <CheckInput
            label={role.name}
            value={chosen.has(role.id)}
            onChange={(on) => toggle(role.id, on)}
            disabled={fixed || (!role.grantable && !held.has(role.id))}
          />
          {!fixed && !role.grantable && <span className={css.hint}>{t('users.role_beyond')}</span>}
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

/** Every right that the chosen roles give, and which of them gives it. */
function Effective({ roles, chosen }: { roles: readonly RoleView[]; chosen: ReadonlySet<AssignedRole> }) {
  const t = useT();
  const id = useId();
  const rights = effective(roles, chosen);
  return (
    <section className={css.panel} aria-labelledby={id}>
      <h3 id={id}>{t('users.effective')}</h3>
      <p className={css.hint}>{t('users.effective_text')}</p>
      {rights.length === 0 && <p>{t('users.effective_none')}</p>}
      <ul className={own.rights}>
        {rights.map(({ right, from }) => (
          <li key={right}>
            <span>{t(RIGHT_NAMES[right])}</span>
            <span className={css.hint}>
              <code>{right}</code> {t('users.why', { roles: from.join(', ') })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
