/** The shapes that the server sends and takes. */
export type Field = 'card_number' | 'expiry' | 'security_code' | 'routing_number' | 'account_number';
export type WidgetKind = 'credit_card_basic' | 'check_basic' | 'credit_card_advanced' | 'check_advanced';
export type Brand = 'visa' | 'mastercard' | 'american_express' | 'discover';
export type CallState = 'ringing' | 'connected' | 'held' | 'ended';
export type ButtonDisabled = 'not_connected' | 'on_hold' | 'capture_open' | 'recorders_undeclared' | 'host_not_approved';
export type CaptureState =
  | 'arming' | 'blocked' | 'armed' | 'collecting' | 'invalid' | 'ready' | 'processing' | 'approved' | 'declined'
  | 'review' | 'error' | 'not_sent' | 'unknown' | 'checking' | 'done' | 'cancelled' | 'lost' | 'protection_lost';
export type FieldState = 'idle' | 'waiting' | 'keying' | 'slow' | 'invalid' | 'obtained' | 'not_available' | 'locked';
export type FieldError =
  | { code: 'too_short'; arrived: number }
  | { code: 'luhn' }
  | { code: 'brand_not_accepted'; brand: Brand }
  | { code: 'brand_unknown' }
  | { code: 'expiry_format' }
  | { code: 'expired' }
  | { code: 'cvv_length'; needed: number }
  | { code: 'aba_checksum' }
  | { code: 'account_length' }
  | { code: 'account_mismatch' }
  | { code: 'no_input' }
  | { code: 'tones_unclear' }
  | { code: 'max_attempts' };
export type ProtectionPart = 'agent_leg_masked' | 'recording_masked' | 'call_recording_paused' | 'screen_recording_paused';
export type Outcome = 'approved' | 'declined' | 'review' | 'error' | 'unknown';
export type NotSentReason =
  | 'resolve' | 'host_not_approved' | 'connect_timeout' | 'connect' | 'tls' | 'render' | 'ledger' | 'busy';
export type Money = { minor: number; currency: string };

export type ProtectionView = { what: ProtectionPart; name: string; confirmed: boolean };
export type FieldView = {
  field: Field;
  prompt: string;
  state: FieldState;
  count: number;
  expected?: number | null;
  error?: FieldError | null;
  attempt: number;
  attempts_max: number;
  brand?: Brand | null;
  last_four?: string | null;
  revealable: boolean;
};
export type WidgetView = {
  id: string;
  kind: WidgetKind;
  title: string;
  card_types: Brand[];
  reveal_security_code: boolean;
  hide_after_s: number;
  security_code_optional: boolean;
};
export type PaymentView = {
  attempt: string;
  reference: string;
  amount: Money;
  sent_at?: number | null;
  outcome?: Outcome | null;
  not_sent?: NotSentReason | null;
  message: string;
  status?: number | null;
};
export type CaptureView = {
  id: string;
  call: string;
  revision: number;
  widget: WidgetView;
  state: CaptureState;
  reason?: string | null;
  protection: ProtectionView[];
  fields: FieldView[];
  listening?: Field | null;
  stray_keys: number;
  missing: Field[];
  ends_at: number;
  may_keep_open: boolean;
  process_left: number;
  payment?: PaymentView | null;
};
export type ButtonView = { widget: string; kind: WidgetKind; title: string; disabled?: ButtonDisabled | null };
export type CallView = {
  id: string;
  state: CallState;
  caller: string;
  called: string;
  began_at: number;
  answered_at?: number | null;
  ended_at?: number | null;
  line_silent: boolean;
  buttons: ButtonView[];
  capture?: CaptureView | null;
};
export type CaptureAction =
  | { do: 'listen' | 'recapture' | 'not_available'; field: Field }
  | { do: 'rest' | 'keep_open' | 'try_again' | 'done' | 'confirm_gone' | 'cancel' | 'close' };
export type PaymentForm = { amount: Money; values: Record<string, string> };

export type Permission =
  | 'capture.start' | 'capture.view_basic' | 'capture.reset_attempts' | 'payment.resolve_unknown' | 'payment.view'
  | 'spc.enable' | 'desktop.edit' | 'gateway.edit' | 'gateway.secret.write' | 'gateway.approve_host' | 'user.manage' | 'audit.read';
export type Role = 'agent' | 'supervisor' | 'desktop_admin' | 'security_admin' | 'auditor';
export type Login = {
  user: { id: string; name: string; display_name: string };
  csrf: string;
  permissions: Permission[];
  roles: Role[];
  desktop?: string | null;
  must_change_password: boolean;
  locked: boolean;
};

export type Prompt = { field: Field; text: string };
export type WidgetOptions = {
  security_code: 'required' | 'optional' | 'not_captured';
  reveal_security_code: boolean;
  hide_after_s: number;
  card_number_shown: 'full' | 'last_four';
  show_brand_and_last_four: boolean;
  expiry_format: 'mmyy' | 'mmyyyy';
  star_clears: boolean;
  pound_ends: boolean;
  first_key_timeout_s: number;
  inter_key_timeout_s: number;
  attempts_max: number;
  process_max: number;
  session_limit_min: number;
  mute_while_keying: boolean;
  process_after_hang_up: boolean;
};
export type ContentType =
  | 'application/json' | 'application/x-www-form-urlencoded' | 'application/xml' | 'text/xml' | 'text/plain';
export type Mapping = { name: string; value: string };
export type GatewayConfig = {
  service_url: string;
  success_key: string;
  success_value: string;
  agent_message_key: string;
  request_params: Mapping[];
  send_standard_parameters: boolean;
  auth_method: 'none' | 'basic';
  auth_user_name: string;
  connection_timeout_ms: number;
  read_timeout_ms: number;
  request_type: ContentType;
  response_type: ContentType;
  request_headers: Mapping[];
  missing_key: 'unknown' | 'declined';
};
export type Widget = {
  id: string;
  kind: WidgetKind;
  title: string;
  enabled: boolean;
  prompts: Prompt[];
  card_types: Brand[];
  options: WidgetOptions;
  gateway?: GatewayConfig | null;
};
export type DesktopService = 'standard' | 'designer';
export type Layout = 'agent_panel' | 'extended_panel' | 'designer';
export type Desktop = {
  id: string;
  name: string;
  service: DesktopService;
  layout: Layout;
  widgets: Widget[];
  revision: number;
};
export type Settings = { spc_enabled: boolean; response_variables: boolean; revision: number };
export type AttemptState =
  | { state: 'intent' } | { state: 'sent' }
  | { state: 'not_sent'; detail: NotSentReason }
  | { state: 'final'; detail: Outcome };
export type Payment = {
  attempt: string;
  reference: string;
  capture: string;
  call: string;
  widget: string;
  kind: WidgetKind;
  agent: string;
  amount: Money;
  brand?: Brand | null;
  last_four?: string | null;
  state: AttemptState;
  message: string;
  created_at: number;
  changed_at: number;
};
export type Problem = {
  type?: string;
  title: string;
  status: number;
  detail?: string | null;
  code?: string;
  errors?: { field: string; message: string }[];
};
export type Sink = { id: string; name: string; medium: 'call' | 'screen'; hears: 'masked' | 'unmasked' };
export type RecorderDeclaration = { confirmed_by: string; confirmed_at: number; sinks: Sink[] };
export type Route = { to: 'agents' } | { to: 'registered' } | { to: 'uri'; uri: string; address: string; agent: string };
export type Service = {
  id: string;
  name: string;
  numbers: string[];
  route: Route;
  desktop: string;
  protection: 'capture' | 'always';
  recorders?: RecorderDeclaration | null;
  revision: number;
};
export type PaymentRow = { agent_name: string; payment: Payment };
export type Gate = 'system_switch' | 'no_widget' | 'widget_disabled' | 'not_permitted';
export type MyDesktop = {
  desktop?: string | null;
  name: string;
  layout?: Layout | null;
  revision: number;
  widgets: WidgetView[];
  gate?: Gate | null;
};
export type DesktopBrief = {
  id: string;
  name: string;
  service: DesktopService;
  layout: Layout;
  widgets: number;
  widgets_enabled: number;
  agents: number;
  revision: number;
};
export type PasswordSet = { widget: string; set_at: number };
export type DesktopView = { desktop: Desktop; passwords_set: PasswordSet[] };
export type WidgetForm = Omit<Widget, 'id'> & { id?: string | null; gateway_password?: string | null };
export type DesktopForm = {
  name: string;
  service: DesktopService;
  layout: Layout;
  widgets: WidgetForm[];
  revision: number;
};
