/** Addresses as they are shown. */

/** An address as it may be shown: without user, password, query and fragment, any of which may hold a secret. */
export function shownAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname === "/" ? "" : pathname}`;
}
