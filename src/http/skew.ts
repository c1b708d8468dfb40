/** How far the clock of this machine is from that of a service, in words. */

/** A clock that is off by less, in seconds, is not worth a word. */
export const LEAST_SKEW_SECONDS = 60;

/** What to do about this machine's clock. */
export const SKEW_ADVICE = "correct its clock, for example with NTP";

/** Says how far our clock is off, by what is to be added to it in seconds: `240 s behind Okta`. */
export function describeSkew(service: string, seconds: number): string {
  return `${Math.abs(seconds)} s ${seconds > 0 ? "behind" : "ahead of"} ${service}`;
}
