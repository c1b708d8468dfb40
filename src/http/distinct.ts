/** Refuses a list in which something is twice: a write for the one would be counted, or done, for the other. */
import { RequestError, type Subject } from "./error.ts";

/**
 * Checks that every id is there once.
 *
 * @throws {RequestError} of the kind `unexpected-shape` otherwise.
 */
export function requireDistinct(ids: readonly (string | number)[], subject: Subject): void {
  const seen = new Set<string | number>();
  for (const id of ids) {
    if (!seen.has(id)) {
      seen.add(id);
      continue;
    }
    throw new RequestError({
      ...subject,
      kind: "unexpected-shape",
      detail: `the answer names the id ${JSON.stringify(id)} twice`,
      advice: `check that the address is ${subject.service}'s, and its version`,
    });
  }
}
