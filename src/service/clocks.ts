/** Follows how far our clock is from those of Okta and Grafana, by what they answer. */
import { describeSkew, LEAST_SKEW_SECONDS, SKEW_ADVICE } from "../http/skew.ts";
import type { Exchange } from "../observability/api_metrics.ts";
import type { Logger } from "../observability/log.ts";
import { serviceName } from "./page/words.ts";

/** What following needs. */
export interface ClockOptions {
  readonly log: Logger;
  /** Told after each answer which clock is off, and what to do; `undefined` if none is. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** A clock that was off is right again below this, in seconds: at the border it does not change with every answer. */
const RIGHT_AGAIN_SECONDS = LEAST_SKEW_SECONDS / 2;

/** Says which clock is off. Where Okta's agrees with ours, it is Grafana's. */
function describe(off: ReadonlyMap<string, number>, known: ReadonlySet<string>): string | undefined {
  if (off.size === 0) return undefined;
  const grafana = off.get("grafana");
  if (grafana !== undefined && known.has("okta") && !off.has("okta")) {
    const skew = describeSkew("Grafana's", grafana);
    return `this machine's clock is ${skew}, but agrees with Okta's: set that of Grafana`;
  }
  const skews = [...off].sort(([a], [b]) => a.localeCompare(b)).map(([service, seconds]) =>
    describeSkew(serviceName(service), seconds)
  );
  return `this machine is ${skews.join(" and ")}: ${SKEW_ADVICE}`;
}

/** Makes what looks at each exchange. When a clock goes off, the log says so once. */
export function createClocks({ log, onProblem }: ClockOptions): (exchange: Exchange) => void {
  const known = new Set<string>();
  const off = new Map<string, number>();
  let told = "";
  return ({ service, clockOffsetSeconds: seconds }) => {
    if (seconds === undefined) return;
    known.add(service);
    const least = off.has(service) ? RIGHT_AGAIN_SECONDS : LEAST_SKEW_SECONDS;
    if (Math.abs(seconds) < least) off.delete(service);
    else off.set(service, seconds);
    const problem = describe(off, known);
    const which = [...off.keys()].sort().join();
    if (problem && which !== told) log.warning("{_problem}", { _problem: problem });
    told = which;
    onProblem(problem);
  };
}
