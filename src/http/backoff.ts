/** How long to wait before a request is sent again. */

/** How often and how patiently a request is repeated. */
export interface BackoffOptions {
  /** Attempts in all, the first among them. @default {5} */
  readonly attempts?: number;
  /** The ceiling of the first wait, in milliseconds; it doubles with each attempt. @default {1000} */
  readonly firstMs?: number;
  /** The ceiling of every wait, in milliseconds. @default {30000} */
  readonly mostMs?: number;
  /** The longest wait that a service may ask for, in milliseconds; beyond it the request fails. @default {300000} */
  readonly patienceMs?: number;
}

/** The defaults of {@linkcode BackoffOptions}. */
export const BACKOFF: Required<BackoffOptions> = {
  attempts: 5,
  firstMs: 1_000,
  mostMs: 30_000,
  patienceMs: 300_000,
};

/**
 * Exponential backoff with full jitter: anything between zero and the ceiling, so that many clients do not
 * come back together.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(attempt: number, random: () => number, options: Required<BackoffOptions>): number {
  return Math.round(random() * Math.min(options.mostMs, options.firstMs * 2 ** (attempt - 1)));
}

/** The answer's own time in epoch milliseconds, or `nowMs` where it has none: clocks differ. */
function answerTime(headers: Headers, nowMs: number): number {
  const date = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(date) ? nowMs : date;
}

/**
 * The wait in milliseconds that an answer asks for: `Retry-After` (seconds or a date, RFC 9110 10.2.3), or
 * Okta's `X-Rate-Limit-Reset` (epoch seconds) where the limit is used up. A limit of 0 is Okta's limit of
 * concurrent requests, which has no reset. `undefined` if the answer asks for none.
 *
 * @see https://developer.okta.com/docs/reference/rl-best-practices/
 */
export function requestedWaitMs(headers: Headers, nowMs: number): number | undefined {
  const retryAfter = headers.get("retry-after")?.trim();
  if (retryAfter) {
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
    const date = Date.parse(retryAfter);
    if (!Number.isNaN(date)) return Math.max(0, date - answerTime(headers, nowMs));
  }
  const reset = headers.get("x-rate-limit-reset");
  if (!reset || !/^\d+$/.test(reset) || headers.get("x-rate-limit-limit") === "0") return undefined;
  if (Number(headers.get("x-rate-limit-remaining") ?? 0) > 0) return undefined;
  // A second more, for `Date` and the reset are both cut to whole seconds.
  return Math.max(0, Number(reset) * 1_000 - answerTime(headers, nowMs)) + 1_000;
}
