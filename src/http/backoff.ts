/** How long to wait before a request is sent again. */
import { readDate, readNumber, readRateLimit, untilReset } from "./headers.ts";

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

/**
 * The wait in milliseconds that an answer asks for: `Retry-After` (seconds or a date, RFC 9110 10.2.3), or
 * Okta's `X-Rate-Limit-Reset` (epoch seconds) where the limit is used up. A limit of 0 is Okta's limit of
 * concurrent requests, which has no reset. `undefined` if the answer asks for none.
 *
 * @see https://developer.okta.com/docs/reference/rl-best-practices/
 */
export function requestedWaitMs(headers: Headers, nowMs: number): number | undefined {
  const seconds = readNumber(headers, "retry-after");
  if (seconds !== undefined) return seconds * 1_000;
  const date = readDate(headers, "retry-after");
  if (date !== undefined) return Math.max(0, date - (readDate(headers) ?? nowMs));
  const [limit, remaining, reset] = readRateLimit(headers);
  const isLeft = remaining !== undefined && remaining > 0;
  return reset === undefined || limit === 0 || isLeft ? undefined : untilReset(reset, headers, nowMs);
}
