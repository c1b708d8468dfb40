/** The real network and the real clock. */
import { delay } from "@std/async/delay";
import type { Fetch, Sleep } from "./types.ts";

/**
 * A `fetch` that trusts `caCerts` (PEM texts) besides the built-in authorities, and how to close its connections.
 * Nothing is opened before the first request.
 */
export function createFetch(
  caCerts: readonly string[],
): { readonly fetch: Fetch; readonly close: () => void } {
  let client: Deno.HttpClient | undefined;
  return {
    fetch(input, init) {
      client ??= Deno.createHttpClient({ caCerts: [...caCerts] });
      return fetch(input, { ...init, client });
    },
    close: () => client?.close(),
  };
}

/** Waits on the real clock. */
export const sleep: Sleep = (ms, signal) => delay(ms, { signal });
