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
      detail: `the response contains the id ${JSON.stringify(id)} twice`,
      advice: `check the address and the version of ${subject.service}`,
    });
  }
}
