/** The shapes that the server sends and takes, by their names in its OpenAPI document. `npm run types` reads that anew. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Field = Schemas['Field'];
export type WidgetKind = Schemas['WidgetKind'];
export type Brand = Schemas['Brand'];
export type CallState = Schemas['CallState'];
export type ButtonDisabled = Schemas['ButtonDisabled'];
export type CaptureState = Schemas['CaptureState'];
export type FieldState = Schemas['FieldState'];
export type FieldError = Schemas['FieldError'];
export type ProtectionPart = Schemas['ProtectionPart'];
export type Outcome = Schemas['Outcome'];
export type NotSentReason = Schemas['NotSentReason'];
export type Money = Schemas['Money'];
export type ProtectionView = Schemas['ProtectionView'];
export type FieldView = Schemas['FieldView'];
export type WidgetView = Schemas['WidgetView'];
export type PaymentView = Schemas['PaymentView'];
export type CaptureView = Schemas['CaptureView'];
export type ButtonView = Schemas['ButtonView'];
export type CallView = Schemas['CallView'];
export type CaptureAction = Schemas['CaptureAction'];
export type Permission = Schemas['Permission'];
export type Role = Schemas['Role'];
export type Prompt = Schemas['Prompt'];
export type WidgetOptions = Schemas['WidgetOptions'];
export type ContentType = Schemas['ContentType'];
export type Mapping = Schemas['Mapping'];
export type GatewayConfig = Schemas['GatewayConfig'];
export type Widget = Schemas['Widget'];
export type DesktopService = Schemas['DesktopService'];
export type Layout = Schemas['Layout'];
export type Desktop = Schemas['Desktop'];
export type Settings = Schemas['Settings'];
export type AttemptState = Schemas['AttemptState'];
export type Payment = Schemas['Payment'];
export type Sink = Schemas['Sink'];
export type RecorderDeclaration = Schemas['RecorderDeclaration'];
export type Route = Schemas['Route'];
export type Service = Schemas['Service'];
export type ServiceForm = Schemas['ServiceForm'];
export type PaymentRow = Schemas['PaymentRow'];
export type Gate = Schemas['Gate'];
export type MyDesktop = Schemas['MyDesktop'];
export type DesktopBrief = Schemas['DesktopBrief'];
export type PasswordSet = Schemas['PasswordSet'];
export type DesktopView = Schemas['DesktopView'];
export type DesktopForm = Schemas['DesktopForm'];
export type WidgetInDraft = Schemas['WidgetInDraft'];
export type ProcessForm = Schemas['ProcessForm'];
export type Login = Schemas['LoginView'];
/** What the agent typed: an amount that was understood, and everything else by name. */
export type PaymentForm = { amount: Money; values: Record<string, string> };
/** A refusal as it arrives; a gateway in between may leave parts out. */
export type Problem = Partial<Pick<Schemas['Problem'], 'type' | 'detail' | 'errors'>> & { title: string; status: number; code?: string };
