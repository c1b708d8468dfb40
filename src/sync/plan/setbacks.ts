/** What went wrong lately, so that it is tried less often, last, or first. Pure. */
import type { Mapping } from "../../config/schema.ts";
import { isOutage } from "../../http/error.ts";
import type { ReadGroups } from "../observe/groups.ts";
import { keyOfGroup } from "../observe/world.ts";

/** The longest wait, in cycles. */
const MOST_CYCLES = 8;

/** The longest wait while the whole service seems to be down: the others get their turn, and all are back soon after it. */
const MOST_CYCLES_DOWN = 2;

/** What went wrong lately. Keys are those of groups and teams. */
export interface Setbacks {
  /** What keeps failing, and in which cycle it is tried again. */
  readonly failing: ReadonlyMap<string, { readonly failures: number; readonly nextCycle: number }>;
  /** What was not asked for in the last cycle, because a service was down, and since which cycle. */
  readonly unasked: ReadonlyMap<string, number>;
}

/** Nothing has gone wrong yet. */
export const noSetbacks: Setbacks = { failing: new Map(), unasked: new Map() };

/** How asking for a group or a team went. */
export interface Outcome {
  readonly key: string;
  /** How a log line names it, such as `Okta group 'Engineering'`. */
  readonly name: string;
  /** `undefined` if it went well. */
  readonly error: Error | undefined;
}

/** Something that is tried less often from now on. */
export interface Patience {
  readonly name: string;
  readonly failures: number;
  /** In cycles. */
  readonly wait: number;
}

/** Whether it is time to ask again. */
export function isDue({ failing }: Setbacks, key: string, cycle: number): boolean {
  const setback = failing.get(key);
  return setback === undefined || cycle >= setback.nextCycle;
}

/**
 * In their order; but first those that were not asked for in the last cycle, the longest waiting before the others,
 * and last those that failed: none starves behind them.
 */
export function fairly<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  { unasked, failing }: Setbacks,
  cycle: number,
): T[] {
  const rank = (item: T) => {
    const key = keyOf(item);
    return unasked.get(key) ?? (failing.has(key) ? cycle + 1 : cycle);
  };
  return [...items].sort((a, b) => rank(a) - rank(b));
}

/** After the first failure the next cycle asks again; then the wait doubles. */
function waitAfter(failures: number, most: number): number {
  return Math.min(most, 2 ** (failures - 1));
}

/**
 * Takes in how all groups, or all teams, of a cycle went. When every one failed and it looks like an outage of the
 * service, none waits longer for that.
 *
 * @param wasGivenUp The service was given up in this cycle, before everything was asked.
 * @returns what keeps failing by now, and what is newly tried less often.
 */
function afterOutcomes(
  before: Setbacks["failing"],
  outcomes: readonly Outcome[],
  cycle: number,
  wasGivenUp: boolean,
): { readonly failing: Setbacks["failing"]; readonly slower: readonly Patience[] } {
  const failing = new Map(before);
  const slower: Patience[] = [];
  const isDown = wasGivenUp || outcomes.filter(({ error }) => isOutage(error)).length > 1;
  const haveAllFailed = outcomes.every(({ error }) => error !== undefined);
  for (const { key, name, error } of outcomes) {
    if (error === undefined) {
      failing.delete(key);
      continue;
    }
    if (haveAllFailed && isOutage(error)) continue;
    const failures = (failing.get(key)?.failures ?? 0) + 1;
    const most = isDown && isOutage(error) ? MOST_CYCLES_DOWN : MOST_CYCLES;
    const wait = waitAfter(failures, most);
    failing.set(key, { failures, nextCycle: cycle + wait });
    if (failures > 1 && wait !== waitAfter(failures - 1, most)) slower.push({ name, failures, wait });
  }
  return { failing, slower };
}

/** How a cycle went with groups or with teams. */
export interface Asked {
  readonly outcomes: readonly Outcome[];
  /** The keys of those that were not asked for, because the service was down. */
  readonly unasked: readonly string[];
}

/** How it went with each group that was asked for, and which were not. */
export function outcomesOf(mappings: readonly Mapping[], { readings }: ReadGroups): Asked {
  const names = new Map(mappings.map((mapping) => [keyOfGroup(mapping), mapping.okta_group]));
  const outcomes: Outcome[] = [];
  const unasked: string[] = [];
  for (const [key, reading] of readings) {
    const error = reading.kind === "failed" ? reading.error : undefined;
    if (reading.kind === "failed" && reading.isSkipped) unasked.push(key);
    else outcomes.push({ key, name: `Okta group '${names.get(key)}'`, error });
  }
  return { outcomes, unasked };
}

/** What goes wrong after a cycle, and what is newly tried less often. */
export function afterCycle(before: Setbacks, groups: Asked, teams: Asked, cycle: number) {
  const first = afterOutcomes(before.failing, groups.outcomes, cycle, groups.unasked.length > 0);
  const second = afterOutcomes(first.failing, teams.outcomes, cycle, teams.unasked.length > 0);
  const keys = [...groups.unasked, ...teams.unasked];
  const unasked = new Map(keys.map((key) => [key, before.unasked.get(key) ?? cycle]));
  return { setbacks: { failing: second.failing, unasked }, slower: [...first.slower, ...second.slower] };
}
