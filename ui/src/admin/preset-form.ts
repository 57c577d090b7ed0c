/**
 * A preset and a widget's form.
 * Owns: what of the form a preset takes the place of, and which values are still missing afterwards.
 * Never: changes a form by itself, or knows a credential.
 */
import type { GatewayPreset } from '../lib/api/types';
import { isCheck } from '../lib/capture/words';
import type { WidgetDraft } from './desktop-form';
import { FIRST_GATEWAY, pathOf } from './desktop-form';
import { withGateway } from './gateway-file';
import { briefOf, fullOf } from './more-form';

/** A value that nobody but the merchant knows, at its place in the form. */
export type Missing = { path: string; what: 'value' | 'secret' | 'password' };

/** A form that was begun with a preset. */
export type Begun = { title: string; draft: WidgetDraft; missing: readonly Missing[]; /** What the stored credentials were entered for. */ host: string };

/** Presets that fit the widget and the words of a search, in their order. */
export function presetsFor(draft: WidgetDraft, presets: readonly GatewayPreset[], search: string): GatewayPreset[] {
  const kind = isCheck(draft.kind) ? 'check' : 'card';
  const words = search.toLowerCase().split(/\s+/);
  return presets.filter((preset) => preset.kind === kind && words.every((word) => preset.title.toLowerCase().includes(word)));
}

export function begun(draft: WidgetDraft, preset: GatewayPreset): Begun {
  const gateway = { ...FIRST_GATEWAY, ...preset.gateway, more: briefOf(fullOf(preset.gateway.more ?? {})) };
  const next = withGateway(draft, gateway);
  const values = preset.fill.map((field): Missing => ({ path: `gateway.${pathOf(field)}`, what: 'value' }));
  const secrets = (gateway.more.secrets ?? []).map((_, at): Missing => ({ path: `gateway.more.secrets.${at}`, what: 'secret' }));
  const password: Missing[] = gateway.auth_method === 'basic' && !gateway.more.auth_password ? [{ path: 'gateway_password', what: 'password' }] : [];
  const all = { title: preset.title, draft: next, missing: [...values, ...secrets, ...password], host: hostOf(draft) };
  return { ...all, missing: missingIn(all, next) };
}

/** What of it nobody has entered yet. What is stored was entered for a host, so it counts for that one only. */
export function missingIn({ missing, host }: Begun, draft: WidgetDraft): Missing[] {
  const { gateway } = draft;
  if (!gateway) return [];
  const sameHost = host !== '' && host === hostOf(draft);
  return missing.filter(({ path, what }) => {
    if (what === 'password') return draft.password === '' && !(sameHost && draft.passwordSetAt);
    if (what === 'value') return valueAt(gateway, path) === '';
    const name = gateway.more.secrets?.[Number(path.split('.').at(-1))];
    return name !== undefined && !draft.secrets[name] && !(sameHost && draft.secretsSetAt[name]);
  });
}

function hostOf({ gateway }: WidgetDraft): string {
  return gateway && URL.canParse(gateway.service_url) ? new URL(gateway.service_url).host : '';
}

/** A text by its path, which begins with "gateway". */
function valueAt(gateway: object, path: string): unknown {
  const [, ...names] = path.split('.');
  return names.reduce<unknown>((value, name) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined), gateway);
}
