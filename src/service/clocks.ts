/** How far our clock is from those of Okta and Grafana, by what they answer. */
import { describeSkew, LEAST_SKEW_SECONDS, SKEW_ADVICE } from "../http/skew.ts";
import { serviceName } from "./names.ts";

/** The clock of a service. */
export interface Clock {
  /** How much it is ahead of ours. */
  readonly offsetSeconds: number;
  /** Whether that is too much. */
  readonly isOff: boolean;
}

/** A clock that was off is right again below this, in seconds: at the limit it does not change with every answer. */
const RIGHT_AGAIN_SECONDS = LEAST_SKEW_SECONDS / 2;

/** The clock of a service after an answer that says how far it is ahead of ours. */
export function clockAfter(before: Clock | undefined, offsetSeconds: number): Clock {
  const least = before?.isOff ? RIGHT_AGAIN_SECONDS : LEAST_SKEW_SECONDS;
  return { offsetSeconds, isOff: Math.abs(offsetSeconds) >= least };
}

/** Which clocks are off, and what to do; `undefined` if none is. Where Okta's agrees with ours, it is Grafana's. */
export function describeClocks(clocks: ReadonlyMap<string, Clock>): string | undefined {
  const off = [...clocks].filter(([, { isOff }]) => isOff).sort(([a], [b]) => a < b ? -1 : 1);
  if (off.length === 0) return undefined;
  const [okta, grafana] = [clocks.get("okta"), clocks.get("grafana")];
  if (grafana?.isOff && okta && !okta.isOff) {
    const skew = describeSkew("Grafana's", grafana.offsetSeconds);
    return `this machine's clock is ${skew}, but agrees with Okta's: set that of Grafana`;
  }
  const skews = off.map(([service, { offsetSeconds }]) => describeSkew(serviceName(service), offsetSeconds));
  return `this machine is ${skews.join(" and ")}: ${SKEW_ADVICE}`;
}

/** The services whose clocks are off. */
export function namesOff(clocks: ReadonlyMap<string, Clock>): string {
  return [...clocks].flatMap(([service, { isOff }]) => isOff ? [service] : []).sort().join();
}
