/** Asks less often for what keeps failing: a group that is gone, a team that may not be written. */
import { isOutage } from "../http/error.ts";
import type { Logger } from "../observability/log.ts";

/** The longest wait, in cycles. */
const MOST_CYCLES = 8;

/** The longest wait while the whole service seems to be down: the others get their turn, and all are back soon after it. */
const MOST_CYCLES_DOWN = 2;

/** What failed lately, by key. */
export type PatienceMemory = Map<string, { readonly failures: number; readonly nextCycle: number }>;

/** How asking for a group or a team went. */
export interface Outcome {
  readonly key: string;
  /** How a log line names it, such as `Okta group 'Engineering'`. */
  readonly name: string;
  /** `undefined` if it went well. */
  readonly error: unknown;
}

/** What noting outcomes needs. */
export interface PatienceOptions {
  readonly memory: PatienceMemory;
  readonly cycle: number;
  readonly intervalSeconds: number;
  readonly log: Logger;
  /** The service was given up in this cycle, before everything was asked. */
  readonly gaveUp: boolean;
}

/** Whether it is time to ask again. */
export function isDue(memory: PatienceMemory, key: string, cycle: number): boolean {
  return cycle >= (memory.get(key)?.nextCycle ?? 0);
}

/** After the first failure the next cycle asks again; then the wait doubles, up to eight cycles. */
function waitAfter(failures: number, most: number): number {
  return Math.min(most, 2 ** (failures - 1));
}

/**
 * Remembers how all groups, or all teams, of a cycle went, and says once when one is asked less often. When
 * every one failed and it looks like an outage of the service, nobody waits longer for that.
 */
export function noteOutcomes(outcomes: readonly Outcome[], options: PatienceOptions): void {
  const { memory, cycle, intervalSeconds, log, gaveUp } = options;
  const isDown = gaveUp || outcomes.filter(({ error }) => isOutage(error)).length > 1;
  const allFailed = outcomes.every(({ error }) => error !== undefined);
  for (const { key, name, error } of outcomes) {
    if (error === undefined) {
      memory.delete(key);
      continue;
    }
    if (allFailed && isOutage(error)) continue;
    const failures = (memory.get(key)?.failures ?? 0) + 1;
    const most = isDown && isOutage(error) ? MOST_CYCLES_DOWN : MOST_CYCLES;
    const wait = waitAfter(failures, most);
    memory.set(key, { failures, nextCycle: cycle + wait });
    if (failures === 1 || wait === waitAfter(failures - 1, most)) continue;
    log.warning(
      "{_name} has failed {failures} times running: it is tried again in {wait} cycles, {minutes} min",
      {
        _name: name,
        failures,
        wait,
        minutes: Math.round(wait * intervalSeconds / 60),
      },
    );
  }
}
