/** The message by which the window that signs in hands its code on. Owns: its form. */
const TYPE = 'spc.code';

export const codeMessage = (code: string) => ({ v: 1, type: TYPE, code });

/** The code of such a message. */
export function codeOf(data: unknown): string | undefined {
  const { v, type, code } = (data ?? {}) as Partial<Record<string, unknown>>;
  return v === 1 && type === TYPE && typeof code === 'string' ? code : undefined;
}
