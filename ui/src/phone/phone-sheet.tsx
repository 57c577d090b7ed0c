/** The phone's own sheet: devices, the ring, levels, trying it, the network. */
import { useId, useState } from 'react';
import { Button, Notice, SelectInput, Sheet, SwitchInput } from '../lib/controls';
import { useT } from '../lib/i18n';
import type { DeviceKind, Devices } from './choices';
import { Level } from './level';
import { isSpokenOn, speaks } from './machine';
import { FigureList } from './network-figures';
import { askToNotify, notifyPermission } from './notify';
import { choosesOutput } from './peer';
import css from './phone.module.css';
import type { Phone, PhoneView } from './phone';
import { partOf } from './trial';
import type { PhoneNetwork } from './wire';
import { PARTS, VERDICTS } from './words';

type Props = { phone: Phone; view: PhoneView; network: PhoneNetwork; onClose: () => void };

export default function PhoneSheet({ phone, view, network, onClose }: Props) {
  const t = useT();
  const busy = view.state.calls.length > 0;
  const { host, port } = network.udp;
  return (
    <Sheet label={t('phone.title')} open onClose={onClose}>
      <div className={css.sheet}>
        <header>
          <h2>{t('phone.title')}</h2>
          <Button size="small" onPress={onClose}>
            {t('phone.close')}
          </Button>
        </header>
        <div className={css.parts} role="group" aria-label={t('phone.title')} tabIndex={0}>
          <DeviceInputs phone={phone} view={view} />
          <Trying phone={phone} view={view} host={host} port={port} />
          <section>
            <h3>{t('phone.where')}</h3>
            <p>{t('phone.where_text', { host, port: String(port) })}</p>
            <FigureList figures={view.figures} />
          </section>
          {busy && <p className={css.hint}>{t('phone.in_call')}</p>}
          <Button
            look="danger"
            isDisabled={busy}
            onPress={() => {
              onClose();
              phone.dispatch({ is: 'turn_off' });
            }}
          >
            {t('phone.turn_off')}
          </Button>
        </div>
      </div>
    </Sheet>
  );
}

type PartProps = { phone: Phone; view: PhoneView };

function DeviceInputs({ phone, view }: PartProps) {
  const t = useT();
  const { choices, devices } = view;
  const outputs = choosesOutput();
  const select = (kind: DeviceKind) => (
    <SelectInput
      label={t(`phone.${kind}`)}
      value={choices[kind]}
      choices={[{ id: '', label: t('phone.system') }, ...named(devices, kind)]}
      onChange={(id) => phone.choose({ [kind]: id })}
    />
  );
  return (
    <section>
      <h3>{t('phone.devices')}</h3>
      {select('microphone')}
      {outputs && select('speaker')}
      {outputs && select('bell')}
      {!outputs && <p className={css.hint}>{t('phone.no_choice')}</p>}
      <Volume volume={choices.volume} onChange={(volume) => phone.choose({ volume })} />
      <Button size="small" onPress={() => phone.ringOnce()}>
        {t('phone.ring_once')}
      </Button>
      <Notifying phone={phone} view={view} />
    </section>
  );
}

/** What rings is a loudspeaker as well. */
const named = (devices: Devices, kind: DeviceKind) => devices[kind === 'microphone' ? 'microphone' : 'speaker'].map(({ id, name }) => ({ id, label: name }));

const VOLUME_STEP = 0.1;

function Volume({ volume, onChange }: { volume: number; onChange: (volume: number) => void }) {
  const t = useT();
  const id = useId();
  return (
    <div className={css.volume}>
      <label htmlFor={id}>{t('phone.volume')}</label>
      <input id={id} type="range" min={0} max={1} step={VOLUME_STEP} value={volume} onChange={({ target }) => onChange(Number(target.value))} />
    </div>
  );
}

/** The system says it only if the browser's user agreed to that. */
function Notifying({ phone, view }: PartProps) {
  const t = useT();
  const [permission, setPermission] = useState(notifyPermission);
  if (permission === 'unable') return null;
  const change = async (on: boolean) => {
    const agreed = on ? await askToNotify() : permission;
    setPermission(agreed);
    phone.choose({ notifies: on && agreed === 'granted' });
  };
  return (
    <>
      <SwitchInput label={t('phone.notifies')} value={view.choices.notifies && permission === 'granted'} onChange={(on) => void change(on)} />
      {permission === 'denied' && <p className={css.hint}>{t('phone.notifies_refused')}</p>}
    </>
  );
}

/** A call to oneself, and the levels of whatever call there is. */
function Trying({ phone, view, host, port }: PartProps & { host: string; port: number }) {
  const t = useT();
  const { trial, state } = view;
  const runs = trial !== undefined && trial.verdict === undefined;
  const call = state.calls.find(isSpokenOn);
  const verdict = trial?.verdict && VERDICTS[trial.verdict];
  return (
    <section>
      <h3>{t('phone.try')}</h3>
      <p>{t('phone.try_hint')}</p>
      {/* The keyboard stays where it was: one button begins and ends it. */}
      <Button isDisabled={!runs && state.calls.length > 0} onPress={() => (runs ? phone.stopTrial() : void phone.beginTrial())}>
        {t(runs ? 'phone.try_stop' : 'phone.try_begin')}
      </Button>
      <div role="status" className={css.says}>
        {runs && <Notice tone="info">{t(PARTS[partOf(trial, Date.now())])}</Notice>}
        {verdict && <Notice tone={verdict.tone}>{t(verdict.word, { host, port: String(port) })}</Notice>}
      </div>
      {speaks(state) ? (
        <>
          <Level label={t('phone.level')} stream={phone.microphone} />
          <Level label={t('phone.level_customer')} stream={call && phone.heardOf(call.id)} />
        </>
      ) : (
        <p className={css.hint}>{t('phone.levels_call')}</p>
      )}
    </section>
  );
}
