/** Owns: the call that the page's address names. It stays there through login and second factor, and goes once it was dealt with. */
const NAME = 'call';

export const askedCall = (address: string) => new URLSearchParams(address).get(NAME) || undefined;

/** The same address without the call: a page that is loaded anew asks for nothing twice. */
export function forgetAsked(): void {
  const address = new URL(window.location.href);
  address.searchParams.delete(NAME);
  window.history.replaceState(window.history.state, '', address);
}
