/** Reads headers that a proxy may have doubled: `fetch` joins equal names with a comma. */

/**
 * A number that a header carries, doubled or not; `undefined` if there is none, or if its values differ.
 *
 * @see RFC 9110 5.3
 */
export function readNumber(headers: Headers, name: string): number | undefined {
  const [first = "", ...others] = headers.get(name)?.split(",").map((value) => value.trim()) ?? [];
  return /^\d+$/.test(first) && others.every((other) => other === first) ? Number(first) : undefined;
}

/** A date with its comma, of which a doubled header holds several. */
const DATE = /[a-z]+,[^,]+/gi;

/**
 * The date that a header carries (RFC 9110 5.6.7), in epoch milliseconds; `undefined` if there is none. Of several the
 * earliest: nothing that happened since is missed.
 */
export function readDate(headers: Headers, name = "date"): number | undefined {
  const header = headers.get(name) ?? "";
  const times = (header.match(DATE) ?? [header]).map(Date.parse).filter((time) => !Number.isNaN(time));
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** How far the server's clock is ahead of `nowMs`, in whole seconds (RFC 9110 6.6.1). */
export function readClockOffset(headers: Headers, nowMs: number): number | undefined {
  const date = readDate(headers);
  return date === undefined ? undefined : Math.round((date - nowMs) / 1_000);
}

/** How long it is to an `X-Rate-Limit-Reset`, in milliseconds, by the time of the answer itself: clocks differ. */
export function untilReset(reset: number, headers: Headers, nowMs: number): number {
  // A second more: `Date` and the reset are both cut to whole seconds.
  return Math.max(0, reset * 1_000 - (readDate(headers) ?? nowMs)) + 1_000;
}

/**
 * Okta's `X-Rate-Limit-Limit`, `-Remaining` and `-Reset`, this one in epoch seconds.
 *
 * @see https://developer.okta.com/docs/reference/rl-best-practices/
 */
export function readRateLimit(
  headers: Headers,
): [limit: number | undefined, remaining: number | undefined, reset: number | undefined] {
  const read = (part: string) => readNumber(headers, `x-rate-limit-${part}`);
  return [read("limit"), read("remaining"), read("reset")];
}
