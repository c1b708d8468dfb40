/** Whether a request is sent again after what came of it, and after which wait. */
import { backoffMs, type BackoffOptions, requestedWaitMs } from "./backoff.ts";
import { RequestError } from "./error.ts";

/** The statuses after which the same request may succeed. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** What came of an attempt. */
type Result = { readonly response: Response } | RequestError;

/** The wait that an answer asks for, in milliseconds; 0 if it asks for none. */
export function askedMs(result: Result, nowMs: number): number {
  if (result instanceof RequestError || ![429, 503].includes(result.response.status)) return 0;
  return requestedWaitMs(result.response.headers, nowMs) ?? 0;
}

/** How long to wait after attempt `number`, in milliseconds; `undefined` if there is no other. */
export function pauseMs(
  result: Result,
  number: number,
  backoff: Required<BackoffOptions>,
  random: () => number,
  nowMs: number,
): number | undefined {
  if (number >= backoff.attempts) return undefined;
  const jittered = backoffMs(number, random, backoff);
  if (result instanceof RequestError) {
    return result.kind === "timeout" || result.kind === "unreachable" ? jittered : undefined;
  }
  if (!PASSING.has(result.response.status)) return undefined;
  const asked = askedMs(result, nowMs);
  if (asked === 0) return jittered;
  return asked <= backoff.patienceMs ? asked : undefined;
}
