/** The way to a first working desktop: what is done of it, and where the next step is taken. */
import { useState } from 'react';
import { Link } from 'wouter';
import { may, useFirstSteps } from '../lib/api/queries';
import type { FirstStep, Login, Permission } from '../lib/api/types';
import { Button, Chip } from '../lib/controls';
import type { MessageId } from '../lib/i18n';
import { useT } from '../lib/i18n';
import { keep, kept } from '../lib/kept';
import css from './admin.module.css';
import { PLACES, placeOfDesktop } from './crumbs';

/** Under this name the browser remembers that its user needs the card no more. */
const HIDDEN = 'first-steps-hidden';

type Words = { title: MessageId; text: MessageId; right?: Permission; place: (desktop: string | null) => string | undefined };
const atDesktop = (desktop: string | null) => (desktop ? placeOfDesktop(desktop) : undefined);
const STEPS = {
  switch: { title: 'steps.switch', text: 'steps.switch_text', right: 'spc.enable', place: () => PLACES.spc },
  widget: { title: 'steps.widget', text: 'steps.widget_text', place: atDesktop },
  gateway: { title: 'steps.gateway', text: 'steps.gateway_text', right: 'gateway.edit', place: atDesktop },
  test: { title: 'steps.test', text: 'steps.test_text', right: 'gateway.edit', place: atDesktop },
  service: { title: 'steps.service', text: 'steps.service_text', right: 'spc.enable', place: () => PLACES.services },
  agent: { title: 'steps.agent', text: 'steps.agent_text', right: 'user.manage', place: () => PLACES.users },
  call: { title: 'steps.call', text: 'steps.call_text', place: () => undefined },
} satisfies Record<FirstStep, Words>;

export function FirstSteps({ login }: { login: Login }) {
  const t = useT();
  const [hidden, setHidden] = useState(() => kept(HIDDEN) === 'yes');
  const { data } = useFirstSteps(!hidden && may(login, 'desktop.edit'));
  if (hidden || !data || data.steps.every(({ done }) => done)) return null;
  const next = data.steps.find(({ done }) => !done)?.step;
  const hide = () => {
    keep(HIDDEN, 'yes');
    setHidden(true);
  };
  return (
    <section className={css.panel} aria-labelledby="first-steps">
      <div className={css.head}>
        <h2 id="first-steps">{t('steps.title')}</h2>
        <span className={css.hint}>{t('steps.count', { done: data.steps.filter(({ done }) => done).length, all: data.steps.length })}</span>
        <Button look="quiet" size="small" onPress={hide}>
          {t('steps.hide')}
        </Button>
      </div>
      <ol className={css.steps}>
        {data.steps.map(({ step, done }) => (
          <li key={step} aria-current={step === next ? 'step' : undefined}>
            <Chip tone={done ? 'good' : step === next ? 'info' : 'plain'} icon={done ? 'check' : step === next ? 'right' : 'clock'}>
              {t(done ? 'steps.done' : step === next ? 'steps.next' : 'steps.open')}
            </Chip>
            <Step words={STEPS[step]} done={done} login={login} desktop={data.desktop ?? null} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Who lacks the right is told whom to ask. */
function Step({ words, done, login, desktop }: { words: Words; done: boolean; login: Login; desktop: string | null }) {
  const t = useT();
  const place = words.place(desktop);
  const allowed = !words.right || may(login, words.right);
  return (
    <div>
      {place && allowed ? <Link href={place}>{t(words.title)}</Link> : <span>{t(words.title)}</span>}
      {!done && <p className={css.hint}>{t(words.text)}</p>}
      {!done && !allowed && <p className={css.hint}>{t('steps.ask')}</p>}
    </div>
  );
}
