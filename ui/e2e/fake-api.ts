/** Answers of a server, for looks only. What the server does is tested with the server. */
import type { Page } from '@playwright/test';
import { fullOf } from '../src/admin/more-form';
import { PRESETS } from '../src/admin/preset-fixtures';
import { evidenceFile } from '../src/evidence/evidence-fixtures';
import { FIRST_DEMOGRAPHIC, FIRST_PAYMENT } from '../src/lib/capture/first-inputs';
import { NOW, atField, call } from '../src/lib/capture/fixtures';
import type {
  AgentBrief, AuditList, AuditRow, AuditVerification, CallView, CheckedCase, DesignHistory, DesignList, DesignerDesktop, DesktopBrief, DesktopHistory, DesktopView, FirstSteps, FollowUpView, Hours, Judgement, Layout, LiveCaptureList, Login, MyDesktop,
  PaymentDetail, PaymentRow, Permission, PreviewView, RecordingCaptures, RecordingChoices, RecordingDetail, RecordingList, RecordingPeaks, RecordingRow, RecordingSpan, RoleView, RunningCallList, SecondFactorOffer, TestView, Tile, TimelineStep, UserView, Widget,
} from '../src/lib/api/types';

const PERMISSIONS: Permission[] = [
  'capture.start', 'capture.view_basic', 'payment.resolve_unknown', 'payment.view', 'payment.export', 'audit.read', 'spc.enable', 'desktop.edit', 'gateway.edit', 'gateway.secret.write',
  'capture.reset_attempts', 'call.pick', 'call.listen', 'call.join', 'payment.refund', 'user.manage', 'gateway.approve_host', 'recording.listen', 'recording.download', 'recording.delete', 'recording.redact',
];
export const LOGIN: Login = {
  user: { id: 'u1', name: 'a.kim', display_name: 'Alex Kim' },
  csrf: 'csrf',
  permissions: PERMISSIONS,
  roles: ['agent'],
  desktop: 'd1',
  preferences: { language: null, theme: null },
  must_change_password: false,
  must_set_second_factor: false,
  locked: false,
};
const options = {
  security_code: 'required', reveal_security_code: false, hide_after_s: 60, card_number_shown: 'full', show_brand_and_last_four: false,
  expiry_format: 'mmyy', star_clears: true, pound_ends: true, first_key_timeout_s: 60, inter_key_timeout_s: 10, attempts_max: 3,
  process_max: 3, session_limit_min: 10, mute_while_keying: false, process_after_hang_up: false,
  account_number_twice: false, sec_code: 'by_holder', authorisation: { rule: 'none', text: '' }, demographic: FIRST_DEMOGRAPHIC, payment: FIRST_PAYMENT,
} as const;
const desktop: DesktopView = {
  desktop: {
    id: 'd1', name: 'Collections US', service: 'standard', layout: 'extended_panel', revision: 14,
    widgets: [
      {
        id: 'w1', kind: 'credit_card_basic', title: 'Card to CRM', enabled: false, translations: {}, card_types: ['visa'], options, gateway: null,
        prompts: [
          { field: 'card_number', text: 'Please key your card number.' },
          { field: 'expiry', text: 'Please key the date.' },
          { field: 'security_code', text: 'Please key the code.' },
        ],
      },
      {
        id: 'w2', kind: 'credit_card_advanced', title: 'Card payment', enabled: true, translations: { de: { title: 'Kartenzahlung', prompts: [{ field: 'card_number', text: 'Bitte geben Sie Ihre Kartennummer ein.' }] } }, card_types: ['visa', 'mastercard'], options,
        prompts: [
          { field: 'card_number', text: 'Please key your card number.' },
          { field: 'expiry', text: 'Please key the date.' },
          { field: 'security_code', text: 'Please key the code.' },
        ],
        gateway: {
          service_url: 'https://gateway.example/charge', success_key: 'result.status', success_value: 'APPROVED', agent_message_key: 'result.text',
          request_params: [{ name: 'pan', value: '{card.number}' }, { name: 'amount', value: '{payment.amount}' }],
          send_standard_parameters: true, auth_method: 'basic', auth_user_name: 'merchant', connection_timeout_ms: 5000, read_timeout_ms: 45000,
          request_type: 'application/json', response_type: 'application/json', request_headers: [{ name: 'X-Merchant', value: 'ACME' }], missing_key: 'unknown',
        },
      },
    ],
  },
  passwords_set: [{ widget: 'w2', set_at: NOW - 86_400_000 }],
  secrets_set: [],
  agents: 112,
  standing: { state: 'needs_attention', reasons: [{ what: 'host_not_approved', widget: 'w2', name: 'Card payment' }] },
  saved_at: NOW - 7_200_000,
  saved_by: 'm.lee',
};
const [toCrm, payment] = desktop.desktop.widgets as [Widget, Widget];
const earlier = {
  ...desktop.desktop,
  revision: 13,
  widgets: [{ ...payment, title: 'Pay by card', card_types: ['visa'], gateway: { ...payment.gateway!, service_url: 'https://old.gateway.example/charge', request_headers: [] } }, toCrm],
};
/** One comes out as it must, one does not. */
const CASES: CheckedCase[] = [
  { name: 'approved', outcome: 'approved', differences: [] },
  { name: 'no funds', outcome: 'error', differences: [{ what: 'outcome', expected: 'declined', found: 'error' }, { what: 'message', expected: 'No funds', found: '' }] },
];
/** Its gateway signs what it sends, and has a body of its own. */
export const WITH_MORE: DesktopView = {
  ...desktop,
  secrets_set: [{ widget: 'w2', name: 'shared_key', set_at: NOW - 86_400_000 }],
  desktop: {
    ...desktop.desktop,
    widgets: [
      toCrm,
      {
        ...payment,
        gateway: {
          ...payment.gateway!,
          request_params: [],
          request_headers: [{ name: 'Digest', value: '{sign.digest}' }, { name: 'Signature', value: 'keyid="{cfg.key_id}", signature="{sign.signature}"' }],
          more: fullOf({
            body: '{\n  "reference": "{payment.reference}",\n  "card": { "number": "{card.number}", "month": "{card.expiry_month}" },\n  "amount": "{payment.amount}"\n}',
            constants: [{ name: 'key_id', value: '08c94330' }],
            secrets: ['shared_key', 'seed'],
            variables: [{ name: 'key', value: '{secret.shared_key|unb64}' }, { name: 'hash', value: '{payment.reference|hmac256:secret.seed|hex}' }],
            signature: [{ name: 'digest', value: 'SHA-256={body.raw|sha256|b64}' }, { name: 'signature', value: 'digest: {sign.digest}\nhost: {request.host}' }],
            message_keys: ['message', 'response.text'],
            outputs: [{ name: 'transaction_id', value: 'id || transaction.id' }],
            cases: [{ name: 'no funds', status: 402, headers: [], body: '{}', expected: { outcome: 'declined', message: 'No funds', outputs: {} } }],
            verdict: { review: ['status = PENDING'], declined: ['status = DECLINED|RISK_DECLINED', 'http:status = 402'] },
            operations: {
              refund: {
                url: '/payments/{sale.transaction_id}/refunds', success_key: 'status', success_value: 'ACCEPTED', request_params: [{ name: 'amount', value: '{payment.amount}' }], request_headers: [{ name: 'Idempotency-Key', value: '{payment.idempotency_key}' }],
                agent_message_key: 'message', outputs: [{ name: 'refund_id', value: 'id' }],
              },
            },
          }),
        },
      },
    ],
  },
};
/** What someone else made of it. */
export const CHANGED_MEANWHILE: DesktopView = { ...desktop, saved_by: 's.ortiz', desktop: { ...desktop.desktop, revision: 15, name: 'Collections America', layout: 'agent_panel' } };
const plain = (text: string) => ({ text, hidden: false });
const veiled = (text: string) => ({ text, hidden: true });
const PREVIEW: PreviewView = {
  request: {
    method: 'POST',
    url: 'https://gateway.example/charge',
    headers: [
      { name: 'Host', value: [plain('gateway.example')] },
      { name: 'Content-Type', value: [plain('application/json')] },
      { name: 'Authorization', value: [plain('Basic '), veiled('••••••')] },
      { name: 'X-Merchant', value: [veiled('••••••')] },
    ],
    operations: [
      {
        kind: 'refund',
        method: 'POST',
        url: 'https://gateway.example/payments/1000/refunds',
        headers: [{ name: 'Host', value: [plain('gateway.example')] }, { name: 'Authorization', value: [plain('Basic '), veiled('••••••')] }],
        body: [plain('{"amount":"1.00"}')],
      },
    ],
    body: [plain('{"pan":"'), veiled('••••••••••••1111'), plain('","expiryMonth":"'), veiled('••'), plain('","securityCode":"'), veiled('•••'), plain('","amount":"1.00","currency":"USD","firstName":"Test","lastName":"Customer"}')],
  },
  host_approved: false,
  credential: 'stored',
};
const JUDGED: Judgement = {
  outcome: 'declined', rule: 'declined', status: 402, key: 'not_equal', path: 'result.status', value: 'DECLINED', message: 'Insufficient funds', message_from: 'answer', outputs: [], other_type: 'text/html',
};
const TESTED: TestView = {
  host: 'gateway.example:443',
  result: {
    state: 'sent', why: null, excerpt: '{"result":{"status":"APPROVED","text":"OK","card":"••••••••••••••••"}}', connected_ms: 84, head_ms: 328, ended_ms: 330,
    judgement: { ...JUDGED, outcome: 'approved', rule: 'approved', status: 200, key: 'equal', value: 'APPROVED', message: 'OK', other_type: null },
  },
};
const brief = (id: string, name: string, change: Partial<DesktopBrief> = {}): DesktopBrief => ({
  id, name, service: 'standard', layout: 'extended_panel', widgets: 2, widgets_enabled: 1, agents: 112, revision: 14,
  standing: { state: 'live', reasons: [] }, saved_at: NOW - 7_200_000, saved_by: 'm.lee', ...change,
});
const person = (name: string, display_name: string, desktop: string | null = null): AgentBrief => ({ id: name, name, display_name, desktop });
const paid = (attempt: string, state: PaymentRow['payment']['state'], message = ''): PaymentRow => ({
  agent_name: 'a.kim',
  desktop_name: 'Collections US',
  proposal: null,
  aftermath: { voided: false, refunded_minor: 0, captured_minor: 0 },
  payment: {
    attempt, reference: `7F2K-${attempt.toUpperCase()}`, capture: 'c', call: 'k', widget: 'w2', desktop: 'd1', kind: 'credit_card_advanced', agent: 'u1',
    amount: { minor: 12_050, currency: 'USD' }, brand: null, last_four: null, state, message, outputs: [], created_at: NOW, changed_at: NOW,
  },
});

const role = (id: string, name: string, permissions: Permission[], users: number, change: Partial<RoleView> = {}): RoleView => ({
  id, name, permissions, users, built_in: true, grantable: true, editable: false, revision: 0, ...change,
});
const ROLES = [
  role('agent', 'Agent', ['capture.start', 'capture.view_basic'], 112),
  role('supervisor', 'Supervisor', ['capture.reset_attempts', 'payment.resolve_unknown', 'payment.refund', 'payment.view', 'recording.listen'], 6),
  role('desktop_admin', 'Desktop admin', ['desktop.edit'], 1),
  role('security_admin', 'Security admin', ['spc.enable', 'gateway.edit', 'gateway.secret.write', 'gateway.approve_host', 'user.manage', 'user.staff', 'recording.download', 'recording.delete', 'recording.redact'], 2, { grantable: false }),
  role('auditor', 'Auditor', ['payment.view', 'recording.listen', 'audit.read'], 1),
  role('r1', 'Team lead', ['capture.start', 'payment.view'], 3, { built_in: false, editable: true, revision: 4 }),
];
const user = (id: string, name: string, display_name: string, roles: string[], change: Partial<UserView> = {}): UserView => ({
  id, name, display_name, roles, desktop: 'd1', phone: null, extension: null, groups: [], phone_password_set: false, enabled: true, must_change_password: false, locked_until: null, active_at: NOW, second_factor_since: null, editable: true,
  revision: 2, ...change,
});
const USERS = [
  user('u1', 'a.kim', 'Alex Kim', ['agent'], { phone: '1001', groups: ['Collections', 'Spanish'], phone_password_set: true, second_factor_since: NOW - 86_400_000 }),
  user('u2', 'j.roe', 'Jane Roe', ['agent', 'r1'], { groups: ['Collections'], locked_until: 4_102_444_800_000 }),
  user('u3', 'm.lee', 'Morgan Lee', ['desktop_admin', 'auditor'], { must_change_password: true, desktop: null }),
  user('u4', 's.admin', 'Sid Admin', ['security_admin'], { editable: false, desktop: null }),
  user('u5', 'z.left', 'Zoe Left', [], { enabled: false, desktop: null }),
];

const PROPOSED: PaymentRow = {
  ...paid('91qd', { state: 'final', detail: 'unknown' }),
  proposal: { outcome: 'approved', reason: 'Listed in the report of 26 November.', by: 's.roe', at: NOW, is_own: false },
};
const REFUNDED: PaymentRow = {
  ...paid('22ab', { state: 'final', detail: 'approved' }, 'Thank you.'),
  aftermath: { voided: false, refunded_minor: 2_000, captured_minor: 0 },
};
const refund = (number: number, change: Partial<FollowUpView>): FollowUpView => ({
  id: `f${number}`, number, kind: 'refund', amount: { minor: 2_000, currency: 'USD' }, reason: 'One of two came broken.', by: 's.roe', is_own: false,
  state: { state: 'final', detail: 'approved' }, message: 'Refund accepted', outputs: [{ name: 'refund_id', value: 're_3PqL' }], created_at: NOW + 3_600_000, changed_at: NOW + 3_601_000, ...change,
});
const LEFT = { minor: 10_050, currency: 'USD' };
/** A payment of which a part was refunded: what is left can be, and nothing else. */
const REFUNDABLE: PaymentDetail = {
  row: REFUNDED,
  steps: [],
  follow_ups: [refund(1, {})],
  choices: [{ kind: 'void', most: null, refused: 'refunded' }, { kind: 'refund', most: LEFT, refused: null }, { kind: 'capture', most: null, refused: 'refunded' }],
};
/** And one more refund, of which nobody knows how it ended. */
export const REFUND_UNKNOWN: PaymentDetail = {
  ...REFUNDABLE,
  follow_ups: [refund(1, {}), refund(2, { amount: LEFT, state: { state: 'final', detail: 'unknown' }, message: '', outputs: [] })],
  choices: REFUNDABLE.choices.map(({ kind }) => ({ kind, most: null, refused: 'last_unknown' })),
};
/** The down payment of a plan, which the gateway did not set up afterwards. */
export const PLAN_NOT_SET_UP: PaymentDetail = {
  ...REFUNDABLE,
  row: {
    ...paid('22ab', { state: 'final', detail: 'approved' }, 'Thank you.'),
    plan: 'not_set_up',
  },
  follow_ups: [refund(1, { kind: 'schedule', amount: { minor: 37_950, currency: 'USD' }, reason: '', by: 'a.kim', state: { state: 'final', detail: 'declined' }, message: 'No such card on file', outputs: [] })],
  plan: {
    parts: ['2026-12-01', '2026-12-08', '2026-12-15'].map((day) => ({ day, amount: { minor: 12_650, currency: 'USD' } })),
    may_set_up: true,
  },
};
PLAN_NOT_SET_UP.row.payment.arrangement = {
  by: 'schedule', total: { minor: 50_000, currency: 'USD' }, down_minor: 12_050, first: '2026-12-01', interval: 'weekly', count: 3, each_minor: 12_650, last_minor: 12_650, end: '2026-12-15',
};
const entry = (position: number, action: AuditRow['action'], object: string, detail: AuditRow['detail']): AuditRow => ({
  position, seq: position, chain: 'node-a/3', at: NOW, actor: 'm.lee', address: '192.0.2.7', action, object, detail, hash: '0'.repeat(64),
});
export const VERIFIED: AuditVerification = { intact: true, position: 18_204, at: NOW, broken: null };
export const BROKEN: AuditVerification = { ...VERIFIED, intact: false, broken: entry(12_051, 'charge_sent', 'payment 7F2K-22AB', {}) };
const CAPTURE = 'capture 0123456789abcdefghjkmnpqrs';
/** The trail of a capture, the newest first. */
export const OF_CAPTURE: AuditList = {
  entries: [
    entry(18_199, 'recorder_resumed', CAPTURE, { recorder: 'Tonewall', medium: 'call', answered_ms: 14 }),
    entry(18_198, 'capture_released', CAPTURE, { egress_checked_ms: 41_320, egress_finds: 0, egress_trips: 0 }),
    entry(18_197, 'capture_ended', CAPTURE, { state: 'done', keys: 26, stray_keys: 0, late_pounds: 1 }),
    entry(18_190, 'capture_armed', CAPTURE, {}),
    entry(18_189, 'recorder_paused', CAPTURE, { recorder: 'Tonewall', medium: 'call', answered_ms: 21 }),
    entry(18_188, 'recorder_refused', CAPTURE, { recorder: 'Screen recorder', medium: 'screen', asked: 'pause', reason: 'recorder_without_control', answered_ms: 3_000 }),
    entry(18_187, 'capture_opened', CAPTURE, { widget: 'Card payment', kind: 'credit_card_basic' }),
  ],
};
/** The same capture, as its evidence says it. */
const EVIDENCE = evidenceFile([...OF_CAPTURE.entries].reverse().map(({ action, actor, address, detail }) => ({ action, actor, address, detail })));
const step = (seconds: number, what: TimelineStep['what'], actor = 'a.kim'): TimelineStep => ({ at: NOW + seconds * 1_000, actor, what });
const STEPS: TimelineStep[] = [
  step(-90, { step: 'call_began' }, 'system'),
  step(-60, { step: 'capture_opened' }),
  step(-59, { step: 'line_protected' }),
  step(-40, { step: 'field_obtained', field: 'card_number', attempts: 2 }),
  step(-30, { step: 'field_obtained', field: 'expiry', attempts: 1 }),
  step(-20, { step: 'field_obtained', field: 'security_code', attempts: 1 }),
  step(0, { step: 'intended' }),
  step(1, { step: 'sent' }),
  step(46, { step: 'ended', outcome: 'unknown' }),
  step(90_000, { step: 'proposed', outcome: 'approved', reason: 'Listed in the report of 26 November.' }, 's.roe'),
];

export const CALL: CallView = call({ capture: atField('credit_card_advanced', 'expiry', { state: 'keying', count: 2 }) });

const at = (id: number, content: Tile['content'], [column, row, width, height]: [number, number, number, number]): Tile => ({ id, content, place: { column, row, width, height } });
const BILLING: DesignerDesktop = {
  id: 'g1', name: 'Billing', revision: 3,
  tiles: [
    at(1, { kind: 'call_bar' }, [1, 1, 12, 2]),
    at(2, { kind: 'customer' }, [1, 3, 3, 14]),
    at(3, { kind: 'control_buttons' }, [4, 3, 9, 2]),
    at(4, { kind: 'payment', payment: 'card' }, [4, 5, 6, 12]),
    at(5, { kind: 'payment', payment: 'check' }, [10, 5, 3, 6]),
    at(6, { kind: 'notes' }, [10, 11, 3, 6]),
    at(7, { kind: 'script', text: 'Thank you for calling Billing.\nI take your payment on the keypad: please do not say the number aloud.' }, [1, 17, 12, 3]),
  ],
};
const EARLIER_BILLING: DesignerDesktop = {
  ...BILLING, name: 'Billing UK', revision: 2,
  tiles: [...BILLING.tiles.slice(0, 5), at(7, { kind: 'script', text: 'Thank you for calling Billing.' }, [1, 17, 9, 3])],
};
/** The agent's own desktop, in another layout. */
/** An agent whose telephone is the PBX's, between calls. */
export const WITH_CODE = {
  '/calls': { calls: [] },
  '/me/desktop': { desktop: 'd1', name: 'Collections US', layout: 'agent_panel', revision: 14, widgets: [], gate: null, pairing_code: true, dials: false, queue: false },
  '/pairing-code': { code: '*47118#', expires_at: Date.now() + 600_000 },
};
/** An agent whose service calls out, between calls. */
export const WITH_DIAL = {
  '/calls': { calls: [] },
  '/me/desktop': { desktop: 'd1', name: 'Collections US', layout: 'agent_panel', revision: 14, widgets: [], gate: null, pairing_code: false, dials: true, queue: false },
};
/** Two callers wait for an agent. */
export const WITH_QUEUE = {
  '/calls': { calls: [] },
  '/me/desktop': { desktop: 'd1', name: 'Collections US', layout: 'agent_panel', revision: 14, widgets: [], gate: null, pairing_code: false, dials: false, queue: true },
  '/queue': { has_queue: true, waiting: 2, since: Date.now() - 41_000 },
  '/waiting-calls': {
    calls: [
      { id: 'w1', service: 's1', service_name: 'Collections', place: 1, since: Date.now() - 41_000, caller: '…142', rings: true },
      { id: 'w2', service: 's2', service_name: 'Billing', place: 2, since: Date.now() - 9_000, caller: '', rings: false },
    ],
  },
};
export const minePlaced = (layout: Layout): MyDesktop => ({ desktop: 'd2', name: 'Billing UK', layout, revision: 14, widgets: [], gate: null, pairing_code: false, dials: false, queue: false, design: layout === 'designer' ? BILLING : null });
const FACTOR: SecondFactorOffer = {
  secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', link: 'otpauth://totp/Tonewall:a.kim?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tonewall',
  picture: Array.from({ length: 33 }, (_, y) => Array.from({ length: 33 }, (_, x) => ((x * y + x + y) % 3 === 0 ? '1' : '0')).join('')),
};

/** Six minutes and twelve seconds of a call: a card by Basic, then a check by Advanced, and half a second that a disk did not take. */
const RECORDED_MS = 372_000;
const SPANS: RecordingSpan[] = [
  { kind: 'removed', tracks: 'both', from_ms: 60_000, until_ms: 92_500 },
  { kind: 'paused', tracks: 'both', from_ms: 134_000, until_ms: 171_000 },
  { kind: 'masked', tracks: 'consumer', from_ms: 250_000, until_ms: 302_000 },
  { kind: 'gap', tracks: 'both', from_ms: 330_000, until_ms: 330_500 },
];
const PEAK_MS = 125;
/** Two people who take turns. */
const speech = (offset: number) =>
  Array.from({ length: RECORDED_MS / PEAK_MS }, (_, at) => {
    const ms = at * PEAK_MS;
    if (SPANS.some(({ kind, from_ms, until_ms }) => kind !== 'masked' && from_ms <= ms && ms < until_ms)) return 0;
    return Math.sin(ms / 9_000 + offset) > -0.2 ? Math.round(40 + 30 * Math.sin(ms / 310) + 25 * Math.sin(ms / 770 + offset)) : 2;
  });
const PEAKS: RecordingPeaks = { length_ms: RECORDED_MS, step_ms: PEAK_MS, consumer: speech(0), agent: speech(Math.PI) };
const recorded = (id: string, change: Partial<RecordingRow> = {}): RecordingRow => ({
  id, medium: 'call', call: '01j9k2m4n6p8q0r2s4t6v8w0xy', service: 's1', service_name: 'Collections', agent: 'u1', agent_name: 'a.kim', node: 'node-a', began: NOW, keep_until: NOW + 90 * 86_400_000,
  end: { length_ms: RECORDED_MS, bytes: 6_000_000, is_whole: true }, scan: { at: NOW, finds: { masked_keys: 0, paused_samples: 0, unprotected_keys: 0 } }, ...change,
});
const RECORDED = recorded('kept');
const RUNNING = recorded('running', { end: null, scan: null });
const FOUND = recorded('found', { scan: { at: NOW, finds: { masked_keys: 2, paused_samples: 800, unprotected_keys: 16 } } });
const SCREEN = recorded('screen', { medium: 'screen', scan: null });
const CUT = recorded('cut', { service_name: '', agent: null, agent_name: '', end: { length_ms: 61_000, bytes: 1_000_000, is_whole: false } });
/** Its file was cut off, and is no longer as it was written. */
export const DAMAGED: RecordingDetail = { row: CUT, file: { length_ms: 61_000, spans: [], parts: [], ending: { is: 'damaged', why: 'segment 122 is not sealed by this key' } }, unreadable: null, missing_key: null };
export const UNREADABLE: RecordingDetail = { row: CUT, file: null, unreadable: 'key 00c0ffee00c0ffee is not at hand; put it back into the key file', missing_key: '00c0ffee00c0ffee' };

/** What a server with phones for browsers offers: a leg that nobody answers on. */
const OFFER = [
  'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'a=ice-lite', 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'c=IN IP4 127.0.0.1', 'a=mid:0', 'a=sendrecv', 'a=rtcp-mux', 'a=ice-ufrag:look',
  'a=ice-pwd:0123456789abcdefghijkl', `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '00').join(':')}`, 'a=setup:actpass', 'a=rtpmap:0 PCMU/8000', 'a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host', '',
].join('\r\n');

/** The answers of such a server; one call rings. */
export const WITH_PHONE = {
  '/phone/network': { udp: { host: 'phone.example', port: 40_000 } },
  '/phone': { on: true, expires_in_s: 20 },
  '/calls': { calls: [{ ...CALL, state: 'ringing', answered_at: null, capture: null }] },
  [`/phone/calls/${CALL.id}`]: { offer: OFFER, state: 'ringing' },
  [`/phone/calls/${CALL.id}/connect`]: {},
  [`/phone/calls/${CALL.id}/restart`]: { answer: '' },
};
export const WITH_PHONE_FREE = { ...WITH_PHONE, '/calls': { calls: [] } };

/** Calls that agents have, one of them whispered to, and what the same list is to whoever of this page listens. */
const RUNNING_CALLS: RunningCallList = {
  calls: [
    { id: 'r1', began_at: NOW - 340_000, state: 'connected', agent: 'u2', agent_name: 'Jane Roe', caller: '+1 555 0142', is_protected: false, listeners: [{ id: 'leg', call: 'r1', listener: 'u9', name: 'Sam Okafor', since: NOW - 60_000, voice: 'agent' }] },
    { id: 'r2', began_at: NOW - 95_000, state: 'held', agent: 'u3', agent_name: 'Morgan Lee', caller: '', is_protected: true, listeners: [] },
  ],
};
export const LISTENED: RunningCallList = { calls: RUNNING_CALLS.calls.map((call) => (call.id === 'r1' ? { ...call, listeners: [{ id: 'mine', call: 'r1', listener: LOGIN.user.id, name: LOGIN.user.display_name, since: NOW, voice: 'nobody' }] } : call)) };

const HOURS = { zone: 'Europe/Berlin', open: (['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const).flatMap((day) => [{ day, from: '08:00', until: '12:00' }, { day, from: '13:00', until: '17:30' }]), closed_dates: ['2026-12-25'], closed: null } satisfies Hours;

/** The next Monday, 08:00 of the winter in New York. The days since 1970 began with a Thursday. */
const MONDAY = (Math.floor((Date.now() / 86_400_000 + 3) / 7) * 7 + 4) * 86_400_000 + 13 * 3_600_000;

const ANSWERS: Record<string, unknown> = {
  '/login': LOGIN,
  '/calls': { calls: [CALL] },
  '/me/availability': { state: 'ready' },
  '/me/desktop': { desktop: 'd1', name: 'Collections US', layout: 'agent_panel', revision: 14, widgets: [], gate: null, pairing_code: false, dials: false, queue: false },
  '/gateway-hosts': {
    hosts: [
      { authority: 'api.gateway.example:443', standing: 'listed', widgets: [{ desktop: 'Collections', title: 'Card payment' }], editors: ['m.lee'], is_editor: false, approval: null },
      { authority: 'pay.bank.example:8443', standing: 'waiting', widgets: [{ desktop: 'Collections', title: 'Bank payment' }], editors: ['m.lee'], is_editor: false, approval: null },
      { authority: 'old.bank.example:443', standing: 'approved', widgets: [], editors: [], is_editor: false, approval: { by: 'r.diaz', at: NOW - 86_400_000, reason: 'Named in the contract of May.' } },
    ],
  },
  '/routing': { refused: [{ routing: '021000021', reason: 'Returns too often' }], revision: 1, banks: 18_231, imported_by: 'sid', imported_at: NOW },
  '/settings': { spc_enabled: true, response_variables: { allow: 'none' }, revision: 3 },
  '/services': {
    services: [
      { id: 's1', name: 'Collections', numbers: ['8005550100'], route: { to: 'agents' }, desktop: 'd1', protection: 'capture', after_call_s: 20, call_recording: { when: 'always', keep_days: 90 }, recorders: null, revision: 1, hours: HOURS, hours_now: { is_open: true, until: null } },
      { id: 's2', hours: { ...HOURS, zone: 'America/New_York' }, hours_now: { is_open: false, until: MONDAY }, name: 'Billing', numbers: ['8005550101'], route: { to: 'agents', group: 'Night' }, desktop: 'd1', protection: 'capture', after_call_s: 20, call_recording: { when: 'never', keep_days: 90 }, recorders: { confirmed_by: 'm.lee', confirmed_at: NOW, sinks: [] }, revision: 1 },
    ],
    recorder_controls: ['floor'],
    groups: [{ name: 'Collections', agents: 2 }, { name: 'Night', agents: 0 }, { name: 'Spanish', agents: 1 }],
    keeps_recordings: false,
  },
  '/desktops': {
    desktops: [
      brief('d1', 'Collections US', { standing: desktop.standing }),
      brief('d2', 'Billing UK', { service: 'designer', layout: 'designer', widgets_enabled: 0, agents: 38, standing: { state: 'disabled', reasons: [{ what: 'nothing_enabled', name: '' }] } }),
      brief('d3', 'Sales', { agents: 0, widgets: 4, widgets_enabled: 4, saved_at: NOW - 30 * 86_400_000, saved_by: 's.ortiz' }),
    ],
  },
  '/desktops/d1/use': {
    agents: [person('a.kim', 'Alex Kim', 'Collections US'), person('b.ono', 'Bea Ono', 'Collections US')],
    others: [person('c.diaz', 'Cem Diaz', 'Billing UK'), person('d.roy', 'Dana Roy')],
    services: [{ id: 's1', name: 'Collections' }],
    capturing: ['a.kim'],
  },
  '/desktops/d1/history': {
    revisions: [
      { revision: 14, saved_at: NOW - 7_200_000, saved_by: 'm.lee', changed: [{ what: 'edited', title: 'Card payment' }, { what: 'order', title: '' }] },
      { revision: 13, saved_at: NOW - 3 * 86_400_000, saved_by: 's.ortiz', changed: [{ what: 'layout', title: '' }] },
      { revision: 12, saved_at: NOW - 40 * 86_400_000, saved_by: 's.ortiz', changed: [{ what: 'added', title: 'Card to CRM' }] },
    ],
    more: true,
  } satisfies DesktopHistory,
  '/desktops/d1/history/14': { desktop: desktop.desktop, saved_at: NOW, saved_by: 'm.lee' },
  '/desktops/d1/history/13': { desktop: earlier, saved_at: NOW, saved_by: 's.ortiz' },
  '/desktops/d3/use': { agents: [], others: [], services: [], capturing: [] },
  '/desktops/d1': desktop,
  '/desktops/d2': { ...desktop, desktop: { ...desktop.desktop, id: 'd2', name: 'Billing UK', service: 'designer', layout: 'designer', design: 'g1' } } satisfies DesktopView,
  '/designer-desktops': { designs: [{ design: BILLING, used_by: ['Billing UK', 'Collections'] }, { design: { ...BILLING, id: 'g2', name: 'Renewals' }, used_by: [] }], frame_hosts: [] } satisfies DesignList,
  '/designer-desktops/g1/history': {
    revisions: [
      { revision: 3, saved_at: NOW - 7_200_000, saved_by: 'm.lee', changed: [{ what: 'name', tiles: 0 }, { what: 'edited', tiles: 1 }] },
      { revision: 2, saved_at: NOW - 86_400_000, saved_by: 's.ortiz', changed: [{ what: 'added', tiles: 1 }, { what: 'moved', tiles: 3 }] },
      { revision: 1, saved_at: NOW - 9 * 86_400_000, saved_by: 'system', changed: [] },
    ],
    more: false,
  } satisfies DesignHistory,
  '/designer-desktops/g1/history/3': { design: BILLING, saved_at: NOW, saved_by: 'm.lee' },
  '/designer-desktops/g1/history/2': { design: EARLIER_BILLING, saved_at: NOW, saved_by: 's.ortiz' },
  '/gateway-presets': PRESETS,
  '/gateway/cases': CASES,
  '/gateway/preview': PREVIEW,
  '/gateway/verdict': JUDGED,
  '/gateway/test': TESTED,
  '/login/policy': { asks_for_code: true, awaits_set_up: false },
  '/first-steps': {
    desktop: 'd1',
    steps: (['switch', 'widget', 'gateway', 'test', 'service', 'agent', 'call'] as const).map((step, at) => ({ step, done: at < 2 })),
  } satisfies FirstSteps,
  '/set-up/offer': { second_factor: FACTOR },
  '/second-factor': FACTOR,
  ...Object.fromEntries(USERS.map((one) => [`/users/${one.id}`, one])),
  '/users': { users: USERS },
  '/roles': { roles: ROLES, givable: PERMISSIONS },
  '/payments': {
    unknown: 1,
    next: 'more',
    payments: [
      PROPOSED,
      REFUNDED,
      paid('73xk', { state: 'final', detail: 'declined' }, 'Insufficient funds'),
      paid('04pp', { state: 'not_sent', detail: 'tls' }),
    ],
  },
  '/payments/choices': { agents: [{ id: 'u1', name: 'a.kim' }], desktops: [{ id: 'd1', name: 'Collections US' }] },
  '/recordings': { recordings: [RUNNING, RECORDED, FOUND, SCREEN, CUT], next: 'more' } satisfies RecordingList,
  '/recordings/choices': { services: [{ id: 's1', name: 'Collections' }], agents: [{ id: 'u1', name: 'a.kim' }] } satisfies RecordingChoices,
  '/recordings/kept': { row: RECORDED, file: { length_ms: RECORDED_MS, spans: SPANS, parts: [], ending: { is: 'whole' } }, unreadable: null, missing_key: null } satisfies RecordingDetail,
  '/recordings/kept/peaks': PEAKS,
  '/recordings/kept/captures': {
    captures: [
      {
        object: 'capture one', kind: 'credit_card_basic', spoken: [{ from_ms: 118_900, until_ms: 133_900 }], from_ms: SPANS[1]!.from_ms - 100, until_ms: SPANS[1]!.until_ms,
        said: [
          { recorder: 'Tonewall', medium: 'call', did: 'paused', at_ms: SPANS[1]!.from_ms, answered_ms: 38, asked: null, reason: null },
          { recorder: 'Floor recorder', medium: 'call', did: 'refused', at_ms: SPANS[1]!.from_ms + 2_800, answered_ms: 2_801, asked: 'pause', reason: 'recorder_no_answer' },
        ],
      },
    ],
  } satisfies RecordingCaptures,
  '/recordings/found/captures': { captures: [] } satisfies RecordingCaptures,
  '/recordings/screen/captures': { captures: [] } satisfies RecordingCaptures,
  '/recordings/found': { row: FOUND, file: { length_ms: RECORDED_MS, spans: SPANS, parts: [], ending: { is: 'whole' } }, unreadable: null, missing_key: null } satisfies RecordingDetail,
  '/recordings/screen': {
    row: SCREEN,
    file: {
      length_ms: RECORDED_MS,
      spans: [{ kind: 'paused', tracks: 'both', from_ms: 134_000, until_ms: 171_000 }, { kind: 'removed', tracks: 'both', from_ms: 250_000, until_ms: 372_000 }],
      parts: [
        { number: 1, begin_ms: 2_000, length_ms: 132_000, bytes: 9_000_000, media_type: 'video/webm;codecs=vp8' },
        { number: 2, begin_ms: 171_000, length_ms: 79_000, bytes: 12_000_000, media_type: 'video/webm;codecs=vp8' },
      ],
      ending: { is: 'whole' },
    },
    unreadable: null, missing_key: null,
  } satisfies RecordingDetail,
  '/recordings/running': { row: RUNNING, file: null, unreadable: null, missing_key: null } satisfies RecordingDetail,
  '/queue': { has_queue: false, waiting: 0, since: null },
  '/running-calls': RUNNING_CALLS,
  '/sounds': { sounds: [{ id: 'hold', name: 'Hold music', seconds: 94 }] },
  '/waiting-calls': { calls: [] },
  '/service-calls': {
    calls: [
      { id: 'call-1', service: 's1', service_name: 'Collections', state: 'connected', caller: '…142', began_at: NOW - 95_000, agent: null, agent_name: null },
      { id: 'call-2', service: 's1', service_name: 'Collections', state: 'held', caller: '…077', began_at: NOW - 340_000, agent: 'u2', agent_name: 'Jane Roe' },
      { id: 'call-3', service: 's2', service_name: 'Arrears and payment arrangements', state: 'ringing', caller: '', began_at: NOW - 3_000, agent: null, agent_name: null },
    ],
  },
  '/captures': {
    captures: [
      {
        agent_name: 'a.kim',
        capture: {
          call: 'k', began_at: NOW, agent: 'u1', kind: 'credit_card_advanced', open: { title: 'Card payment', state: 'invalid' }, process_used: 1,
          fields: [{ field: 'card_number', attempts_used: 3, is_locked: true }, { field: 'expiry', attempts_used: 0, is_locked: false }, { field: 'security_code', attempts_used: 1, is_locked: false }],
        },
      },
      { agent_name: 'b.ono', capture: { call: 'l', began_at: NOW, agent: 'u2', kind: 'check_basic', open: null, process_used: 0, fields: [{ field: 'routing_number', attempts_used: 2, is_locked: false }] } },
    ],
  } satisfies LiveCaptureList,
  '/captures/0123456789abcdefghjkmnpqrs/evidence': JSON.parse(EVIDENCE) as unknown,
  '/audit/verification': VERIFIED,
  '/audit': {
    entries: [
      entry(18_204, 'user_saved', 'user a.kim', { revision: 4, before: { roles: ['agent'] }, after: { roles: ['agent', 'auditor'] } }),
      entry(18_203, 'login_failed', 'login', { reason: 'wrong_password' }),
      entry(18_202, 'charge_ended', 'payment 7F2K-91QD', { attempt: '0123456789abcdefghjkmnpqrs', outcome: 'unknown' }),
    ],
  },
  '/payments/91qd': { row: PROPOSED, steps: STEPS, follow_ups: [], choices: [] },
  '/payments/22ab': REFUNDABLE,
};

/** Serves the answers; `change` replaces some, and null means 401. */
export async function serve(page: Page, change: Record<string, unknown> = {}): Promise<void> {
  const answers = { ...ANSWERS, ...change };
  await page.route('**/api/v1/**', async (route) => {
    const path = new URL(route.request().url()).pathname.replace('/api/v1', '');
    if (path === '/events') return route.fulfill({ contentType: 'text/event-stream', body: 'event: ready\nid: 1\ndata: {}\n\n' });
    const answer = answers[path];
    if (answer === null) return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Sign in first', status: 401, code: 'not_logged_in' }) });
    if (answer === undefined) return route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify({ title: 'There is no such thing', status: 404, code: 'not_found' }) });
    return route.fulfill({ json: answer });
  });
}
