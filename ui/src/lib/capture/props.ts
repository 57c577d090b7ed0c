/** What a widget is given. It is a pure function of this; what it wants done goes through `commands`. */
import type { CaptureAction, CaptureView, Field, ReadOut } from '../api/types';
import type { Known, SentForm, Typed } from './payment-form';
import type { Walk } from './walk';

export type WidgetCommands = {
  act: (action: CaptureAction) => void;
  process: (form: SentForm) => void;
  /** The text that is read out before a debit; with `agreed` the customer has agreed to it. */
  readOut: (form: SentForm, agreed: boolean) => Promise<ReadOut>;
  /** Basic: fetch a validated value; each showing is audited. */
  reveal: (field: Field) => void;
  conceal: (field: Field) => void;
  /** Closes this capture and opens the same widget anew. */
  newPayment: () => void;
};

export type WidgetProps = {
  view: CaptureView;
  commands: WidgetCommands;
  /** Milliseconds since 1970: timers count from it. */
  now: number;
  /** The call is on hold. */
  held: boolean;
  /** Nothing is heard from the consumer. */
  lineSilent: boolean;
  /** A command is under way, or the page has lost the server: buttons are inert. */
  busy: boolean;
  /** The server's sentence about the last refused command. */
  refusal?: string | undefined;
  /** What the server found wrong with the typed inputs, by name. */
  formErrors?: Readonly<Record<string, string>> | undefined;
  /** Basic: the values shown now. */
  values: Partial<Record<Field, string>>;
  /** What the call and the API say of the customer: inputs begin with it. */
  caller?: Known | undefined;
  /** Advanced: what the agent typed, and where the agent stands. */
  form: Typed;
  onForm: (form: Typed) => void;
  walk: Walk;
  onWalk: (walk: Walk) => void;
  /** This widget answers the page's shortcuts. */
  keyboard: boolean;
};
