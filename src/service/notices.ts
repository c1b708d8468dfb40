/** What the log says of the service itself, besides the audit. */
import type { Logger } from "../observability/log.ts";
import { clocksOf } from "./api.ts";
import { describeClocks, namesOff } from "./clocks.ts";
import { SLOW_SHARE } from "./judge.ts";
import type { ServiceState } from "./state.ts";
import type { Follower } from "./store.ts";

/** Says once that a clock is off, and again when it is another one. */
function tellClocks(before: ServiceState, after: ServiceState, log: Logger): void {
  const clocks = clocksOf(after.apis);
  const problem = describeClocks(clocks);
  if (problem === undefined || namesOff(clocksOf(before.apis)) === namesOff(clocks)) return;
  log.warning("{_problem}", { _problem: problem });
}

/** Says that a cycle took nearly as long as the interval, or longer. */
function tellSlow(
  seconds: number,
  { settings: { intervalSeconds: interval } }: ServiceState,
  log: Logger,
): void {
  if (seconds <= SLOW_SHARE * interval) return;
  const message = "The cycle took {seconds} s, the interval is {interval} s: raise sync.interval_seconds";
  log.warning(message, { seconds: Math.round(seconds), interval });
}

/** Logs what somebody should look at: a clock that is off, a cycle that is slow. */
export function tellNotices(log: Logger): Follower {
  return (happening, before, after) => {
    if (happening.kind === "exchange") tellClocks(before, after, log);
    if (happening.kind === "cycle ended") tellSlow(happening.report.durationSeconds, after, log);
  };
}
