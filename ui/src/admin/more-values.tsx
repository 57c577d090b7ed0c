/** Groups of "More" that name values: constants, secrets, what is computed, and the signature. */
import { useRef, useState } from 'react';
import type { Mapping } from '../lib/api/types';
import { Button, Icon, TextInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import { dateTimeText } from '../lib/i18n/format';
import css from './admin.module.css';
import type { GroupProps } from './gateway-more';
import look from './gateway-more.module.css';
import { MappingTable } from './mapping-table';
import { TemplateInput } from './template-input';

export function ValuesGroup(props: GroupProps) {
  const t = useT();
  const { errors, may, more, set } = props;
  return (
    <>
      <MappingTable
        title={t('more.constants')}
        nameLabel={t('mapping.name')}
        rows={more.constants}
        onChange={(constants) => set({ constants })}
        errors={errors}
        path="gateway.more.constants"
        hint={t('more.constants_hint')}
        disabled={!may.gateway}
      />
      <Secrets {...props} />
      <ValueRows {...props} list="variables" place="let" />
    </>
  );
}

export function SignatureGroup(props: GroupProps) {
  return <ValueRows {...props} list="signature" place="sign" />;
}

/** A name that a configuration may give. */
const NAME = /^[a-z][a-z0-9_]{0,39}$/;

/** Names with values that go in and never come out. */
function Secrets({ draft, errors, onChange, may, more, gateway, set }: GroupProps) {
  const t = useT();
  const { root, focus } = useRowFocus();
  const [replaced, setReplaced] = useState<ReadonlySet<string>>(new Set());
  const title = t('more.secrets');
  const wrong = (at: number) => errors[`gateway.more.secrets.${at}`];
  // The server has one place for both: where the name is right, it is the value.
  const ofName = (at: number) => !NAME.test(more.secrets[at]!) || more.secrets.indexOf(more.secrets[at]!) !== at;
  const rename = (at: number, name: string) => {
    const { [more.secrets[at]!]: value, ...rest } = draft.secrets;
    const secrets = value === undefined || name in rest ? rest : { ...rest, [name]: value };
    const names = more.secrets.map((one, other) => (other === at ? name : one));
    onChange({ secrets, gateway: { ...gateway, more: { ...gateway.more, secrets: names } } });
  };
  return (
    <fieldset className={css.set} ref={root} aria-label={title}>
      <RowsHead title={title} disabled={!may.gateway} onAdd={() => focus(more.secrets.length, 'input', () => set({ secrets: [...more.secrets, ''] }))} />
      {more.secrets.length === 0 && <p className={css.hint}>{t('mapping.empty')}</p>}
      {['gateway.more.secrets', 'gateway_secrets'].map((path) => errors[path] && <p key={path} className={css.error}>{errors[path]}</p>)}
      <ul className={look.rows}>
        {more.secrets.map((name, at) => (
          <li key={at}>
            <TextInput label={t('mapping.name')} value={name} onChange={(next) => rename(at, next)} error={ofName(at) ? wrong(at) : undefined} disabled={!may.gateway} spellCheck="false" />
            <SecretValue
              name={name}
              value={draft.secrets[name] ?? ''}
              setAt={draft.secretsSetAt[name]}
              replaced={replaced.has(name)}
              error={ofName(at) ? undefined : wrong(at)}
              disabled={!may.password}
              onReplace={() => focus(at, 'input[type="password"]', () => setReplaced(new Set([...replaced, name])))}
              onChange={(value) => onChange({ secrets: { ...draft.secrets, [name]: value } })}
            />
            <div className={look.tools}>
              <Remove name={name} at={at} disabled={!may.gateway} onPress={() => focus(Math.min(at, more.secrets.length - 2), 'input', () => set({ secrets: more.secrets.filter((_, other) => other !== at) }))} />
            </div>
          </li>
        ))}
      </ul>
      <p className={css.hint}>{t('more.secrets_hint')}</p>
    </fieldset>
  );
}

type SecretValueProps = {
  name: string;
  value: string;
  setAt: number | undefined;
  /** Another value is being entered for a stored one. */
  replaced: boolean;
  error: string | undefined;
  disabled: boolean;
  onReplace: () => void;
  onChange: (value: string) => void;
};

function SecretValue({ name, value, setAt, replaced, error, disabled, onReplace, onChange }: SecretValueProps) {
  const t = useT();
  const kept = setAt === undefined ? t('more.secret_none') : t('more.secret_kept', { time: dateTimeText(setAt) });
  if (setAt !== undefined && !replaced && value === '' && !error) {
    return (
      <div className={look.secret}>
        <span className={look.label}>{t('more.secret_value')}</span>
        <div className={look.stored}>
          <span className={css.hint}>{t('more.secret_set_at', { time: dateTimeText(setAt) })}</span>
          <Button size="small" isDisabled={disabled} aria-label={t('more.secret_replace_of', { name })} onPress={onReplace}>
            {t('more.secret_replace')}
          </Button>
        </div>
      </div>
    );
  }
  return <TextInput label={t('more.secret_value')} type="password" autoComplete="new-password" value={value} onChange={onChange} hint={disabled ? t('more.secret_denied') : kept} error={error} disabled={disabled} />;
}

/** Values in the order in which they are computed; moved by buttons, and a move is announced. */
function ValueRows({ list, place, draft, errors, may, more, set }: GroupProps & { list: 'variables' | 'signature'; place: 'let' | 'sign' }) {
  const t = useT();
  const { root, focus } = useRowFocus();
  const [said, setSaid] = useState('');
  const rows = more[list];
  const title = t(`more.${list}`);
  const change = (next: Mapping[]) => set({ [list]: next });
  const setRow = (at: number, next: Partial<Mapping>) => change(rows.map((row, other) => (other === at ? { ...row, ...next } : row)));
  const nameOf = (at: number) => rows[at]?.name || t('more.unnamed', { n: at + 1 });
  const move = (at: number, by: -1 | 1) => {
    const to = at + by;
    const next = [...rows];
    const [row] = next.splice(at, 1);
    if (row) next.splice(to, 0, row);
    setSaid(t('editor.moved', { title: nameOf(at), place: to + 1, total: rows.length }));
    const ends = by < 0 ? to === 0 : to === rows.length - 1;
    focus(to, `[data-move="${(by < 0) !== ends ? 'up' : 'down'}"] button`, () => change(next));
  };
  const off = !may.gateway;
  return (
    <fieldset className={css.set} ref={root} aria-label={title}>
      <RowsHead title={title} disabled={off} onAdd={() => focus(rows.length, 'input', () => change([...rows, { name: '', value: '' }]))} />
      {rows.length === 0 && <p className={css.hint}>{t('mapping.empty')}</p>}
      {errors[`gateway.more.${list}`] && <p className={css.error}>{errors[`gateway.more.${list}`]}</p>}
      <ol className={look.rows}>
        {rows.map((row, at) => (
          <li key={at}>
            <TextInput label={t('mapping.name')} value={row.name} onChange={(name) => setRow(at, { name })} error={errors[`gateway.more.${list}.${at}.name`]} disabled={off} spellCheck="false" />
            <TemplateInput
              label={t('mapping.value')}
              listLabel={nameOf(at)}
              value={row.value}
              onChange={(value) => setRow(at, { value })}
              error={errors[`gateway.more.${list}.${at}.value`]}
              lines={1}
              draft={draft}
              place={place}
              above={{ row: at }}
              disabled={off}
            />
            <div className={look.tools}>
              {([[-1, 'up'], [1, 'down']] as const).map(([by, icon]) => (
                <span key={icon} data-move={icon}>
                  <Button size="icon" look="quiet" isDisabled={off || at + by < 0 || at + by >= rows.length} aria-label={t(`options.${icon}`, { name: nameOf(at) })} onPress={() => move(at, by)}>
                    <Icon name={icon} />
                  </Button>
                </span>
              ))}
              <Remove name={nameOf(at)} at={at} disabled={off} onPress={() => focus(Math.min(at, rows.length - 2), 'input', () => change(rows.filter((_, other) => other !== at)))} />
            </div>
          </li>
        ))}
      </ol>
      <p className={css.hint}>{t(`more.${list}_hint`)}</p>
      <span role="status" className="visually-hidden">
        {said}
      </span>
    </fieldset>
  );
}

export function RowsHead({ title, disabled, onAdd }: { title: string; disabled: boolean; onAdd: () => void }) {
  const t = useT();
  return (
    <div className={look.rowsHead}>
      <strong>{title}</strong>
      <Button size="small" isDisabled={disabled} onPress={onAdd} aria-label={`${t('mapping.add')}: ${title}`}>
        <Icon name="add" />
        {t('mapping.add')}
      </Button>
    </div>
  );
}

export function Remove({ name, at, disabled, onPress }: { name: string; at: number; disabled: boolean; onPress: () => void }) {
  const t = useT();
  return (
    <Button size="icon" look="quiet" isDisabled={disabled} aria-label={t('more.remove', { name: name || t('more.unnamed', { n: at + 1 }) })} onPress={onPress}>
      <Icon name="remove" />
    </Button>
  );
}

/** After a change the focus is where the work goes on: in a row that came, moved or followed the one that went; with no row left at Add. */
export function useRowFocus() {
  const root = useRef<HTMLFieldSetElement>(null);
  const focus = (row: number, selector: string, change: () => void) => {
    change();
    requestAnimationFrame(() => {
      const item = root.current?.querySelectorAll('li')[row];
      (item?.querySelector<HTMLElement>(selector) ?? root.current?.querySelector<HTMLElement>('button'))?.focus();
    });
  };
  return { root, focus };
}
