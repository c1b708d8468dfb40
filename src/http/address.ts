/** Addresses as they are shown. */

/** A path in which a credential would be recognised: nothing in it is encoded. */
const PLAIN = /^[\w./~:@+,=-]*$/;

/** An address as it may be shown: without user, password, query and fragment, any of which may hold a secret. */
export function shownAddress({ origin, pathname }: URL): string {
  if (pathname === "/") return origin;
  return `${origin}${PLAIN.test(pathname) ? pathname : "/…"}`;
}
