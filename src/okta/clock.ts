/** Measures how far our clock is off, from what answers say. */
import { readClockOffset } from "../http/headers.ts";

/** A smaller offset is due to `Date`'s whole seconds and the answer's travel time, in seconds. */
const LEAST_SKEW_SECONDS = 30;

/** A clock that learns. */
export interface Clock {
  /** Reads the `Date` of an answer (RFC 9110 6.6.1). */
  observe(response: Response): void;
  /** What to add to our time, in whole seconds; 0 while it is about right. */
  skewSeconds(): number;
}

/** Makes a clock that trusts ours until an answer says otherwise. */
export function createClock(): Clock {
  let skew = 0;
  return {
    observe({ headers }) {
      const seconds = readClockOffset(headers, Date.now());
      if (seconds === undefined) return;
      if (Math.abs(seconds - skew) >= LEAST_SKEW_SECONDS) {
        skew = Math.abs(seconds) >= LEAST_SKEW_SECONDS ? seconds : 0;
      }
    },
    skewSeconds: () => skew,
  };
}
