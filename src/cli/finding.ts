/** What a preflight finds: one line of `gots check`. */
import { errorMessage, isRequestError } from "../http/error.ts";
import { readClockOffset } from "../http/headers.ts";
import { describeSkew, LEAST_SKEW_SECONDS, SKEW_ADVICE } from "../http/skew.ts";

/** The result of a check. */
export type FindingResult = "ok" | "warning" | "failed" | "skipped";

/** One thing that was checked. */
export interface Finding {
  readonly service: "Okta" | "Grafana";
  /** What was checked, such as `credential` or `group 'Engineering'`. */
  readonly what: string;
  readonly result: FindingResult;
  /** What was seen. */
  readonly seen: string;
  /** What to do; where there is something to do. */
  readonly advice?: string | undefined;
}

/** The finding that an error makes. @throws {RequestError} of the kind `interrupted` on shutdown. */
export function failedFinding(service: Finding["service"], what: string, error: unknown): Finding {
  if (isRequestError(error, "interrupted")) throw error;
  if (!isRequestError(error)) return { service, what, result: "failed", seen: errorMessage(error) };
  const { detail, method, path, status, advice } = error;
  const answered = status === undefined ? "" : ` returned ${status}`;
  return { service, what, result: "failed", seen: `${detail} (${method} ${path}${answered})`, advice };
}

/** A check that was skipped, because an earlier one failed. */
export function skippedFinding(service: Finding["service"], what: string, because: string): Finding {
  return { service, what, result: "skipped", seen: `skipped, because ${because}` };
}

/** The finding about our clock, from the `Date` of an answer. */
export function clockFinding(service: Finding["service"], headers: Headers, nowMs: number): Finding {
  const what = "clock";
  const seconds = readClockOffset(headers, nowMs);
  if (seconds === undefined) {
    const advice = "every cycle will be a full one: let Date headers through the proxy in between";
    return {
      service,
      what,
      result: "warning",
      seen: "the response has no readable Date header",
      advice,
    };
  }
  if (Math.abs(seconds) < LEAST_SKEW_SECONDS) {
    return { service, what, result: "ok", seen: "agrees with this machine's clock" };
  }
  const seen = `this machine is ${describeSkew(service, seconds)}`;
  return { service, what, result: "warning", seen, advice: SKEW_ADVICE };
}
