/** The customer's side for practice: a telephone to press by hand, test cards, and what the sandbox gateway answers. */
import { useEffect, useState } from 'react';
import { Button, Chip, Icon, Notice, RadioInput, SelectInput } from '../lib/controls';
import type { MessageId, Translate } from '../lib/i18n';
import { useT } from '../lib/i18n';
import type { CardField, Script, SimulatorState } from './control';
import { MODES, SCRIPTS, useSimulator } from './control';
import css from './simulator.module.css';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const LETTERS: Record<string, string> = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' };
const CALL_STATES = { idle: 'sim.idle', calling: 'sim.calling', ringing: 'sim.ringing', connected: 'sim.connected' } satisfies Record<
  SimulatorState['call'],
  MessageId
>;
const MODE_NAMES = { rfc4733: 'sim.mode.rfc4733', inband: 'sim.mode.inband', info: 'sim.mode.info' } satisfies Record<SimulatorState['mode'], MessageId>;
const CARD_FIELDS: readonly { field: CardField; name: MessageId }[] = [
  { field: 'number', name: 'sim.key_number' },
  { field: 'expiry', name: 'sim.key_expiry' },
  { field: 'code', name: 'sim.key_code' },
  { field: 'routing', name: 'sim.key_routing' },
  { field: 'account', name: 'sim.key_account' },
];

type Tell = (path: string, body?: unknown) => Promise<void>;

export function SimulatorPage() {
  const { state, failure, tell } = useSimulator();
  const t = useT();
  return (
    <main className={css.page}>
      <header className={css.head}>
        <h1>{t('sim.title')}</h1>
        {state && <Agents state={state} />}
      </header>
      {failure && (
        <Notice tone="bad" role="alert">
          {state ? failure : t('sim.gone')}
        </Notice>
      )}
      {state && (
        <div className={css.columns}>
          <Telephone state={state} tell={tell} />
          <div className={css.side}>
            <TestCards state={state} tell={tell} />
            <Sandbox tell={tell} />
          </div>
        </div>
      )}
    </main>
  );
}

function Telephone({ state, tell }: { state: SimulatorState; tell: Tell }) {
  const t = useT();
  const connected = state.call === 'connected';
  useTypedKeys(connected, (key) => void tell('key', { key }));
  return (
    <section className={css.phone} aria-label={t('sim.title')}>
      <p className={css.display} role="status">
        <Icon name="phone" />
        {t(CALL_STATES[state.call])}
      </p>
      <p className={css.hears}>{note(t, state)}</p>
      <div className={css.keypad} role="group" aria-label={t('sim.keypad')}>
        {KEYS.map((key) => (
          <Button key={key} isDisabled={!connected} onPress={() => void tell('key', { key })} aria-label={t('sim.key', { key })}>
            <span className={css.key}>
              {key}
              <small>{LETTERS[key] ?? ' '}</small>
            </span>
          </Button>
        ))}
      </div>
      <div className={css.callButtons}>
        <Button look="primary" isDisabled={state.call !== 'idle'} onPress={() => void tell('call')}>
          {t('sim.call')}
        </Button>
        <Button look="danger" isDisabled={state.call === 'idle'} onPress={() => void tell('hang-up')}>
          {t('sim.hang_up')}
        </Button>
      </div>
      <RadioInput
        label={t('sim.mode')}
        value={state.mode}
        onChange={(mode) => void tell('mode', { mode })}
        choices={MODES.map((id) => ({ id, label: t(MODE_NAMES[id]) }))}
      />
    </section>
  );
}

/** The number that is called, keys on their way, or why the last call failed. */
function note(t: Translate, state: SimulatorState): string {
  if (state.keys_waiting > 0) return t('sim.keys_waiting', { n: state.keys_waiting });
  if (state.call === 'idle' && state.failure) return t('sim.failure', { status: String(state.failure) });
  return t('sim.number', { number: state.number });
}

/** The computer's own digit keys press the telephone's, unless one types into something. */
function useTypedKeys(active: boolean, press: (key: string) => void) {
  useEffect(() => {
    if (!active) return undefined;
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest('input, textarea, [role="listbox"], [role="radiogroup"]');
      if (!typing && !event.ctrlKey && !event.altKey && !event.metaKey && KEYS.includes(event.key)) press(event.key);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
}

function TestCards({ state, tell }: { state: SimulatorState; tell: Tell }) {
  const t = useT();
  const [chosen, setChosen] = useState('');
  const card = state.cards.find(({ id }) => id === chosen) ?? state.cards[0];
  if (!card) return null;
  return (
    <section className={css.card} aria-label={t('sim.cards')}>
      <h2>{t('sim.cards')}</h2>
      <SelectInput label={t('sim.card')} value={card.id} onChange={setChosen} choices={state.cards} />
      <div className={css.buttons}>
        {CARD_FIELDS.map(({ field, name }) => (
          <Button key={field} isDisabled={state.call !== 'connected'} onPress={() => void tell('key-card', { card: card.id, field })}>
            {t(name)}
          </Button>
        ))}
      </div>
    </section>
  );
}

function Sandbox({ tell }: { tell: Tell }) {
  const t = useT();
  const [script, setScript] = useState<Script>('approve');
  const [said, setSaid] = useState('');
  return (
    <section className={css.card} aria-label={t('sim.script')}>
      <SelectInput label={t('sim.script')} value={script} onChange={setScript} choices={SCRIPTS.map((id) => ({ id, label: t(`sim.script.${id}`) }))} hint={t('sim.script_hint')} />
      <div className={css.buttons}>
        <Button
          onPress={() => {
            void tell('script', { next: [script] });
            setSaid(t('sim.script_done', { what: t(`sim.script.${script}`) }));
          }}
        >
          {t('sim.script_set')}
        </Button>
        <p role="status" className={css.hears}>
          {said}
        </p>
      </div>
    </section>
  );
}

/** The agents' phones that the simulator plays, and the way to the page on which they work. */
function Agents({ state }: { state: SimulatorState }) {
  const t = useT();
  return (
    <div className={css.agents}>
      {state.agents.map((agent) => (
        <Chip key={agent.user} tone={agent.registered ? 'good' : 'warn'} icon={agent.registered ? 'check' : 'warning'}>
          {agent.user}: {t(agent.registered ? 'sim.registered' : 'sim.not_registered')}
        </Chip>
      ))}
      {/^https?:\/\//.test(state.server_page) && (
        <a href={state.server_page} target="_blank" rel="noreferrer">
          {t('sim.agent_page')}
        </a>
      )}
    </div>
  );
}
