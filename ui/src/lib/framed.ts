/** Owns: whether this page stands in a frame. */
export const isFramed = (): boolean => window.parent !== window;
