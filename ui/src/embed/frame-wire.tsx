/** Tells the page around this one where call, capture and payment stand, as long as somebody is signed in here. */
import { useEffect } from 'react';
import { callOnScreen } from '../agent/agent-page';
import type { LiveStore } from '../lib/events/live-store';
import type { Bridge } from './bridge';
import { theWire } from './wire';

export default function FrameWire({ store }: { store: LiveStore }) {
  useEffect(() => {
    let stop = () => {};
    let stopped = false;
    theWire().then(
      (wire) => {
        if (!stopped) stop = follow(wire, store);
      },
      () => undefined,
    );
    return () => {
      stopped = true;
      stop();
    };
  }, [store]);
  return null;
}

function follow(wire: Bridge, store: LiveStore): () => void {
  wire.tell({ type: 'spc.ready', signedIn: true });
  const show = () => wire.show(callOnScreen(store.snapshot().calls));
  show();
  const unsubscribe = store.subscribe(show);
  const size = new ResizeObserver(() => wire.tell({ type: 'spc.resize', height: Math.ceil(document.body.getBoundingClientRect().height) }));
  size.observe(document.body);
  return () => {
    unsubscribe();
    size.disconnect();
  };
}
