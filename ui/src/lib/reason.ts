/** Owns: what the server takes for a reason. */
export const REASON_CHARS = { min: 3, max: 500 };
export const isReason = (text: string) => text.trim().length >= REASON_CHARS.min;
