/** Describes how far this machine's clock is from a service's. */

/** A smaller offset, in seconds, is not reported. */
export const LEAST_SKEW_SECONDS = 60;

/** What to do about this machine's clock. */
export const SKEW_ADVICE = "correct its clock, for example with NTP";

/** Says how far our clock is off, from the seconds to add to it: `240 s behind Okta`. */
export function describeSkew(service: string, seconds: number): string {
  return `${Math.abs(seconds)} s ${seconds > 0 ? "behind" : "ahead of"} ${service}`;
}
