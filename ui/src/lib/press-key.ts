/** Owns: the idempotency key of one press of a button. The agent's page has its own, and no room for a piece that both share. */

/** 128 random bits in hex. */
export const pressKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
