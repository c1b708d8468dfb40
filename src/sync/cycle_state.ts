/** A cycle under way: what it needs, what it has read, what it has done so far. */
import type { Config, Mapping } from "../config/schema.ts";
import type { GrafanaClient } from "../grafana/client.ts";
import type { Logger } from "../observability/log.ts";
import type { OktaClient } from "../okta/client.ts";
import type { Breaker } from "./breaker.ts";
import {
  type DesiredTeam,
  foldDesired,
  type GroupReading,
  isCurrent,
  keyOfGroup,
  type ReadGroup,
} from "./desired.ts";
import type { Failure } from "./failures.ts";
import { type ReadGroups, readGroups } from "./groups.ts";
import type { GuardedPlan } from "./guard.ts";
import { type Known, remembered, rememberGroups } from "./known.ts";
import type { CycleMemory } from "./memory.ts";
import type { PatienceOptions } from "./patience.ts";
import type { MappingReport } from "./report.ts";

/** What a cycle needs. */
export interface CycleOptions {
  readonly config: Pick<Config, "okta" | "grafana" | "sync">;
  readonly okta: OktaClient;
  readonly grafana: GrafanaClient;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that no setting of the clock moves. */
  readonly monotonic: () => number;
  readonly memory: CycleMemory;
  /** Writes nothing. @default {config.sync.dry_run} */
  readonly dryRun?: boolean;
  /** Teams for which the removal limit does not count in this cycle. */
  readonly allowRemovals?: ReadonlySet<string>;
  /** Told while reading, for somebody who watches. */
  readonly onReading?: (what: string, count: number) => void;
  /** Told when a mapping has been brought to an end. */
  readonly onMapping?: (report: MappingReport, dryRun: boolean) => void;
}

/** A cycle under way: what it was asked for, and what it has done so far. */
export interface Cycle extends CycleOptions {
  readonly number: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly dryRun: boolean;
  readonly mappings: MappingReport[];
  readonly plans: GuardedPlan[];
  readonly breakers: { readonly okta: Breaker; readonly grafana: Breaker };
  /** What kept mappings from being synced, until it is told at the end. */
  readonly failures: Failure[];
  /** The groups that were read in this cycle, by key. */
  readonly fresh: Map<string, ReadGroup>;
}

/** Reads those groups that were not read in this cycle, or too long ago. */
export async function readFresh(
  mappings: readonly Mapping[],
  known: Known,
  cycle: Cycle,
): Promise<ReadGroups> {
  const missing = mappings.filter((mapping) => {
    const before = cycle.fresh.get(keyOfGroup(mapping));
    return !before || !isCurrent(before.reading, cycle.monotonic());
  });
  const read = await readGroups(missing, cycle.breakers.okta, cycle);
  for (const [key, group] of read.groups) {
    // While Okta is down, what it said in this cycle counts.
    const isAsked = group.reading.kind === "complete" || !group.reading.notAsked;
    if (isAsked || !cycle.fresh.has(key)) cycle.fresh.set(key, group);
  }
  rememberGroups(known, read.groups);
  return read;
}

/** Folds the readings of this cycle, or else what is known. A group that is passed over proves nothing. */
export function fold(mappings: readonly Mapping[], known: Known, { config, fresh }: Cycle): DesiredTeam[] {
  const error = new Error("it kept failing, and is passed over in this cycle");
  const readings = new Map(
    mappings.map(keyOfGroup).map((key): [string, GroupReading] => [
      key,
      fresh.get(key)?.reading ?? remembered(known, key) ?? { kind: "failed", error, seconds: 0 },
    ]),
  );
  return foldDesired(mappings, readings, config.okta.member_statuses);
}

/** What noting outcomes in this cycle needs. */
export function patienceOf(
  { memory, number, config, log }: Cycle,
  unasked: readonly string[],
): PatienceOptions {
  const intervalSeconds = config.sync.interval_seconds;
  return { memory: memory.patience, cycle: number, intervalSeconds, log, gaveUp: unasked.length > 0 };
}
