/** A list of tokens beside a field that may hold some: searched by typing, put in at the caret by Enter or a click. */
import type { RefObject } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { Key } from 'react-aria-components';
import { Autocomplete, Dialog, DialogTrigger, Header, Input, ListBox, ListBoxItem, ListBoxSection, Popover, SearchField, Text } from 'react-aria-components';
import { isCheck } from '../lib/capture/words';
import { Button } from '../lib/controls';
import type { MessageId, Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { WidgetDraft } from './desktop-form';
import { fullOf } from './more-form';
import look from './template-input.module.css';
import type { Above, Edited, Entry, Selection, TokenPlace } from './tokens';
import { GROUPS, filtersFor, kindOfToken, ownNames, tokenAt, tokensFor, withFilter, withToken } from './tokens';

export type TokenHelperProps = {
  /** Whose list it is. */
  label: string;
  value: string;
  onChange: (value: string) => void;
  draft: WidgetDraft;
  place: TokenPlace;
  /** What it may name of its own list or of steps. */
  above?: Above | undefined;
  /** The field is in it. */
  root: RefObject<HTMLElement | null>;
  disabled: boolean;
};

type Field = HTMLInputElement | HTMLTextAreaElement;
const fieldOf = (root: RefObject<HTMLElement | null>) => root.current?.querySelector<Field>('input, textarea') ?? undefined;

export default function TokenHelper({ label, value, onChange, draft, place, above, root, disabled }: TokenHelperProps) {
  const t = useT();
  const [at, setAt] = useState<Selection>();
  const caret = useCaret(root);
  const edited = useRef<Edited>(undefined);
  // The list gives the focus back to its button; then it is the field's.
  useEffect(() => {
    const next = edited.current;
    if (at || !next) return;
    const timer = setTimeout(() => {
      edited.current = undefined;
      const field = fieldOf(root);
      field?.focus();
      field?.setSelectionRange(next.start, next.end);
    }, FOCUS_BACK_MS);
    return () => clearTimeout(timer);
  }, [at, root]);
  const name = t('token.insert', { field: label });
  const put = ({ what, name: chosen }: Entry) => {
    if (!at) return;
    edited.current = what === 'token' ? withToken(value, at, chosen) : withFilter(value, at, chosen);
    setAt(undefined);
    onChange(edited.current.text);
  };
  return (
    <DialogTrigger isOpen={at !== undefined} onOpenChange={(open) => setAt(open ? (caret.current ?? { start: value.length, end: value.length }) : undefined)}>
      <Button size="icon" look="quiet" aria-label={name} isDisabled={disabled}>
        <span aria-hidden="true">{'{ }'}</span>
      </Button>
      <Popover className={look.popover!} placement="bottom end" offset={4}>
        <Dialog aria-label={name} className={look.helper!}>
          {at && <Entries entries={entriesAt(value, at, draft, place, above)} onPut={put} />}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** After the overlay has given the focus back, which it does in the next frame. */
const FOCUS_BACK_MS = 50;

/** Where the caret was when the field was left. */
function useCaret(root: RefObject<HTMLElement | null>) {
  const caret = useRef<Selection>(undefined);
  useEffect(() => {
    const field = fieldOf(root);
    const left = () => {
      if (field) caret.current = { start: field.selectionStart ?? 0, end: field.selectionEnd ?? 0 };
    };
    field?.addEventListener('blur', left);
    return () => field?.removeEventListener('blur', left);
  }, [root]);
  return caret;
}

/** Behind a token what can be done with it, first; then what may stand there. */
function entriesAt(text: string, at: Selection, draft: WidgetDraft, place: TokenPlace, above: Above | undefined): Entry[] {
  const own = ownNames(fullOf(draft.gateway?.more ?? {}), place, above);
  const token = at.start === at.end ? tokenAt(text, at.start) : undefined;
  const kind = token && kindOfToken(token, own);
  return [...(kind ? filtersFor(kind) : []), ...tokensFor(place, isCheck(draft.kind), own, above)];
}

const lineOf = (t: Translate, { line, example }: Entry) => (line ? t(line) : example);
const keyOf = ({ what, name }: Entry) => `${what} ${name}`;
const textOf = (t: Translate, entry: Entry) => `${entry.name} ${entry.also} ${lineOf(t, entry)}`;
const includes = (text: string, typed: string) => text.toLocaleLowerCase().includes(typed.trim().toLocaleLowerCase());

function Entries({ entries, onPut }: { entries: readonly Entry[]; onPut: (entry: Entry) => void }) {
  const t = useT();
  const [typed, setTyped] = useState('');
  const found = entries.filter((entry) => includes(textOf(t, entry), typed));
  const present = [...new Set(entries.map(({ group }) => group))].sort((one, other) => place(one) - place(other));
  const act = (key: Key) => {
    const entry = entries.find((one) => keyOf(one) === key);
    if (entry) onPut(entry);
  };
  return (
    <Autocomplete inputValue={typed} onInputChange={setTyped} filter={includes}>
      <SearchField className={look.find!} aria-label={t('token.search')} autoFocus>
        <Input className={look.search!} placeholder={t('token.search')} />
      </SearchField>
      <p role="status" className={look.count}>
        {t('token.found', { n: found.length })}
      </p>
      <ListBox aria-label={t('token.list')} className={look.entries!} selectionMode="none" onAction={act} renderEmptyState={() => <p className={look.count}>{t('token.none')}</p>}>
        {present.map((group) => (
          <ListBoxSection key={group} id={group}>
            <Header className={look.group!}>{t(`token.group.${group}` satisfies MessageId)}</Header>
            {entries
              .filter((entry) => entry.group === group)
              .map((entry) => (
                <ListBoxItem key={keyOf(entry)} id={keyOf(entry)} className={look.entry!} textValue={textOf(t, entry)}>
                  <Text slot="label" className={look.code!}>
                    {entry.what === 'token' ? `{${entry.name}}` : `|${entry.name}`}
                  </Text>
                  {entry.line && <span className={look.example}>{entry.example}</span>}
                  <Text slot="description" className={look.line!}>
                    {lineOf(t, entry)}
                  </Text>
                </ListBoxItem>
              ))}
          </ListBoxSection>
        ))}
      </ListBox>
    </Autocomplete>
  );
}

/** Filters come first where there are some. */
const place = (group: Entry['group']) => (group === 'filter' ? -1 : GROUPS.indexOf(group));
