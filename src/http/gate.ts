/** Every request to a service passes this gate: its rate limit's budget, and its lanes. */
import { type BudgetOptions, createBudget } from "./budget.ts";
import { RequestError, type Subject } from "./error.ts";
import { createLanes, type LaneOptions } from "./lanes.ts";
import type { Surroundings } from "./types.ts";

/** The limits for requests to a service. */
export interface GateOptions {
  readonly lanes: LaneOptions;
  /** @default {no budget: the service's own limit is all} */
  readonly budget?: BudgetOptions;
}

/** What came of a request that was let through. */
export interface Outcome {
  /** `undefined` if there was no answer. */
  readonly response: Response | undefined;
  readonly seconds: number;
  /** No answer in time. */
  readonly isLate: boolean;
}

/** Lets requests through. */
export interface Gate {
  /**
   * Waits until the request may go, and returns the function to call when it was answered.
   *
   * @throws {RequestError} `interrupted`, or `rate-limited` if the wait would be longer than `patienceMs`.
   */
  enter(subject: Subject, route: string): Promise<(outcome: Outcome) => void>;
}

/** The statuses that mean overload. */
const OVERLOADED: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Waits that follow each other within this time count as one, and are logged once, in milliseconds. */
const SAME_WAIT_MS = 90_000;

/** A rate limit is logged when less than this share is left. */
export const NEAR_SHARE = 0.1;

/** Makes a gate for the service of this name. `patienceMs` is the longest wait. */
export function createGate(
  name: string,
  { lanes: laneOptions, budget: budgetOptions }: GateOptions,
  patienceMs: number,
  { now, monotonic, sleep, signal, log, onProgress, onRateLimit, onWait }: Surroundings,
): Gate {
  const lanes = createLanes(laneOptions);
  const label = name.toLowerCase();
  const near = new Set<string>();
  let waitedUntil = -Infinity;

  function announce(subject: Subject, ms: number): void {
    const percent = Math.round((budgetOptions?.share ?? 1) * 100);
    if (ms > patienceMs) {
      throw new RequestError({
        ...subject,
        kind: "rate-limited",
        detail:
          `Rate limit exceeded: gots has used its ${percent}% share of ${name}'s limit, which resets in ${
            Math.round(ms / 60_000)
          } min`,
        advice: "other programs share this limit: raise sync.interval_seconds",
      });
    }
    if (monotonic() - waitedUntil > SAME_WAIT_MS) {
      const message =
        "{service}: gots has used its {percent}% share of the rate limit; waiting {seconds} s for the reset";
      log.info(message, { service: name, percent, seconds: Math.round(ms / 1_000) });
    }
    waitedUntil = Math.max(waitedUntil, monotonic() + ms);
    onWait?.(label, ms / 1_000);
    onProgress?.();
  }

  async function pass(subject: Subject, route: string) {
    // The wait is announced for the request that waits.
    const onWait = (ms: number) => announce(subject, ms);
    await budget?.enter(route, onWait);
    try {
      return await lanes.enter(signal);
    } catch (error) {
      budget?.leave(route, undefined);
      throw error;
    }
  }

  function onLimit(family: string, { limit, remaining }: { limit: number; remaining: number }): void {
    onRateLimit?.({ service: label, family, limit, remaining });
    if (remaining >= limit * NEAR_SHARE) near.delete(family);
    else if (!near.has(family)) {
      near.add(family);
      const message =
        "{service}: {remaining} of {limit} requests are left in the rate limit for {family}, shared by all programs";
      log.info(message, { service: name, remaining, limit, family });
    }
  }

  const budget = budgetOptions && createBudget(budgetOptions, { now, monotonic, sleep, signal, onLimit });
  return {
    async enter(subject, route) {
      try {
        const leave = await pass(subject, route);
        return ({ response, seconds, isLate }) => {
          budget?.leave(route, response);
          leave({
            route,
            seconds,
            isOverloaded: isLate || response !== undefined && OVERLOADED.has(response.status),
          });
        };
      } catch (error) {
        if (error instanceof RequestError) throw error;
        throw new RequestError({ ...subject, kind: "interrupted", detail: "stopped" });
      }
    },
  };
}
