/** Notices that a service is down, so that a cycle does not wait for it again and again. */
import { isOutage, isRequestError } from "./error.ts";

/** After this many outages in a row, the cycle sends no more of these requests. */
const MOST_OUTAGES = 3;

/** Follows how asking one service goes, within a cycle. */
export interface Breaker {
  /** Why it is of no use to ask on; `undefined` as long as it is. */
  reason(): Error | undefined;
  succeeded(): void;
  failed(error: unknown): void;
}

/** Where every other question of a cycle must fail as well. */
function endsAll(error: Error): boolean {
  return isRequestError(error, "unauthorized", "unreachable", "certificate", "interrupted");
}

/** Makes a breaker. It opens at once where the next question must fail as well, else after `most` outages in a row. */
export function createBreaker(most = MOST_OUTAGES, isCertain: (error: Error) => boolean = endsAll): Breaker {
  let outages = 0;
  let opened: Error | undefined;
  return {
    reason: () => opened,
    succeeded() {
      outages = 0;
    },
    failed(error) {
      if (!(error instanceof Error) || opened) return;
      outages = isOutage(error) ? outages + 1 : 0;
      if (isCertain(error) || outages >= most) opened = error;
    },
  };
}
